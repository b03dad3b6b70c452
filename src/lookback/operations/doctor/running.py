"""What is said of the processes: the server, its recorder, and what they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

Server = Literal["stopped", "silent", "answers"]

# Decoding what is recorded (posters, thumbnails), and encoding what clips are made into.
DECODERS = ("h264", "vp8", "libopus")
ENCODERS = ("libx264", "aac", "libopus")
_ENOUGH_FILES = 4096


@dataclass(frozen=True, slots=True)
class RecorderFacts:
    """`state`: nobody listens, nobody answers, another version's answer, or ours. `same`: started as we would."""

    state: Literal["absent", "silent", "other", "answers"]
    same: bool = True
    sessions: int = 0


def judge_server(state: Server) -> Finding:
    """What is said of the server process of this home."""
    if state == "stopped":
        return wrong(Problem.SERVER_STOPPED, "No server runs in this LOOKBACK_HOME")
    if state == "silent":
        return wrong(Problem.SERVER_SILENT, "The server of this LOOKBACK_HOME runs, but does not answer")
    return fine("server", "The server runs and answers")


def judge_recorder(facts: RecorderFacts, server: Server) -> Finding | None:
    """What is said of the recorder; nothing where none is to be expected."""
    if facts.state == "absent":
        if server == "stopped":
            return None
        return wrong(Problem.RECORDER_ABSENT, "The server runs, but its recorder does not")
    if facts.state == "silent":
        return wrong(Problem.RECORDER_SILENT, "The recorder runs, but does not answer")
    if facts.state == "other":
        return wrong(Problem.RECORDER_OTHER, "The recorder that runs is of another version of the program")
    if not facts.same:
        return wrong(
            Problem.RECORDER_OTHER, "The recorder that runs was started with other settings or by another version"
        )
    return fine("recorder", f"The recorder runs; sessions it records: {facts.sessions}")


def judge_codecs(decoders: Collection[str], encoders: Collection[str]) -> Finding:
    """What is said of FFmpeg's codecs; both are the names that it has."""
    missing = [name for name in DECODERS if name not in decoders]
    missing += [name for name in ENCODERS if name not in encoders and name not in missing]
    if missing:
        return wrong(Problem.CODECS_MISSING, f"The FFmpeg libraries lack {', '.join(missing)}")
    return fine("codecs", "The FFmpeg libraries have every codec that is needed")


def judge_open_files(hard_limit: int | None) -> Finding:
    """What is said of how many files may be open; None is any number."""
    if hard_limit is not None and hard_limit < _ENOUGH_FILES:
        return wrong(Problem.FILES_FEW, f"Only {hard_limit} files may be open at once; a viewed clip takes up to sixty")
    return fine("open-files", "Enough files may be open at once")
