"""Where an egress writes for a session, said in its folder's name: so LiveKit's own list tells whose each one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lookback.recorder.control import FollowEgress
from lookback.sessions.spec import spec_of

if TYPE_CHECKING:
    from lookback.sessions.egresses import EgressFacts
    from lookback.sessions.model import Session

PLAYLIST, LIVE_PLAYLIST, PREFIX = "index.m3u8", "live.m3u8", "seg"


@dataclass(frozen=True, slots=True)
class EgressOptions:
    """How sessions are recorded by Egress.

    `seen` is the folder of its files as we see it, `written` the same folder as Egress does. `spare`: the folder in
    which it makes one folder per egress to write to first, as we see it; None when we cannot. `delay_seconds`: how much
    later than it was taken it dates a picture.
    """

    seen: Path
    written: str
    spare: Path | None = None
    segment_seconds: int = 10
    audio_kbps: int = 128
    delay_seconds: float = 0.8
    keep_files: bool = False

    @property
    def segment_us(self) -> int:
        """Length of one of its files in microseconds."""
        return self.segment_seconds * 1_000_000


def folder_of(options: EgressOptions, session_id: str, begun_us: int) -> str:
    """The folder for an egress of a session that is asked for now, as Egress sees it."""
    return str(PurePosixPath(options.written) / session_id / f"{begun_us // 1000}")


def session_of(options: EgressOptions, folder: str) -> str | None:
    """Whose egress writes to a folder; None when it is none of ours."""
    path = PurePosixPath(folder)
    ours = path.parent.parent == PurePosixPath(options.written) and path.name.isdecimal()
    return path.parent.name if ours else None


def begun_us_of(folder: str) -> int:
    """When the egress of a folder of ours was asked for."""
    name = PurePosixPath(folder).name
    return int(name) * 1000 if name.isdecimal() else 0


def follow_request(options: EgressOptions, session: Session, egress: EgressFacts) -> FollowEgress:
    """What the recorder is asked to follow."""
    path = PurePosixPath(egress.folder)
    spare = str(options.spare / egress.egress_id) if options.spare is not None else None
    return FollowEgress(
        session=spec_of(session),
        directory=str(options.seen / path.parent.name / path.name),
        playlist=PLAYLIST,
        spare_directory=spare,
        segment_seconds=options.segment_seconds,
        audio=egress.audio,
        delay_seconds=options.delay_seconds,
        keep_files=options.keep_files,
    )
