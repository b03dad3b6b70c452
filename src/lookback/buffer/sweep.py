"""Sweep the buffer: look at every session's directory, plan, delete. Blocks: seconds on a disk that is slow."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from lookback.buffer.eviction import delete_segments, delete_unreadable
from lookback.buffer.retention import Doomed, Kept, Plan, plan
from lookback.buffer.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lookback.buffer.leases import Leases
    from lookback.buffer.retention import Limits


@dataclass(frozen=True, slots=True)
class Watched:
    """A session's directory, and what holds for it.

    `active`: somebody may be writing it. `expected`: something was recorded, so the directory must be there.
    """

    session_id: str
    user_id: str
    community_id: str | None
    directory: Path
    keep_us: int
    active: bool
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What went, or would go, oldest first, and what that left.

    `missing_bytes` of those that were needed could not be freed, `left_bytes` stay. `empty`: sessions with nothing left
    to save from. `oldest_us`: of the others, from when on they can be saved from. `failed`: sessions whose directory
    refused.
    """

    doomed: tuple[Doomed, ...] = ()
    missing_bytes: int = 0
    left_bytes: int = 0
    empty: frozenset[str] = frozenset()
    oldest_us: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, OSError] = field(default_factory=dict)


class BufferSweep:
    """One per process, and one call at a time."""

    def __init__(self, leases: Leases, limits: Limits) -> None:
        self._leases = leases
        self._limits = limits
        self._survey = Survey()

    def look(self, sessions: Sequence[Watched], now_us: int, need_bytes: int = 0) -> Outcome:
        """Return what `run` would delete now."""
        kept, failed = self._kept(sessions, now_us, pins=need_bytes > 0)
        return _outcome(kept, plan(kept, self._limits, now_us, need_bytes), failed)

    def run(self, sessions: Sequence[Watched], now_us: int, need_bytes: int = 0, *, thorough: bool = False) -> Outcome:
        """Delete what has expired, and what must go to free so many bytes.

        `thorough`: also what nobody can read any more and is older than is kept.
        """
        kept, failed = self._kept(sessions, now_us, pins=need_bytes > 0)
        found = plan(kept, self._limits, now_us, need_bytes)
        numbers = _by_session(found.doomed)
        readable = {session.session_id: {s.number for s in session.segments} for session in kept}
        for session in sessions:
            try:
                if session.session_id in numbers:
                    delete_segments(session.directory, numbers[session.session_id])
                if thorough and session.session_id in readable:
                    delete_unreadable(session.directory, readable[session.session_id], now_us - session.keep_us)
            except OSError as error:
                # This disk or directory does not let us: the others' segments go all the same.
                failed[session.session_id] = error
        return _outcome(kept, found, failed)

    def forget(self, directory: Path) -> None:
        """A session's directory was removed."""
        self._survey.forget(directory)

    def _kept(self, sessions: Sequence[Watched], now_us: int, *, pins: bool) -> tuple[list[Kept], dict[str, OSError]]:
        kept, failed = [], {}
        for session in sessions:
            try:
                segments = self._survey.of(
                    session.directory,
                    active=session.active,
                    held=self._leases.of(session.directory, now_us),
                    pins=pins,
                )
                if not segments and session.expected and not session.directory.exists():
                    raise FileNotFoundError("the session's directory is not there")
            except OSError as error:
                failed[session.session_id] = error
                continue
            kept.append(Kept(session.session_id, session.user_id, session.community_id, session.keep_us, segments))
        return kept, failed


def _by_session(doomed: Sequence[Doomed]) -> dict[str, list[int]]:
    """The numbers of what goes, oldest first, by session."""
    ordered = sorted(doomed, key=lambda d: d.session_id)  # stable: the order within a session stays
    return {
        session_id: [d.segment.number for d in group] for session_id, group in groupby(ordered, lambda d: d.session_id)
    }


def _outcome(kept: Sequence[Kept], found: Plan, failed: Mapping[str, OSError]) -> Outcome:
    numbers = {session_id: set(gone) for session_id, gone in _by_session(found.doomed).items()}
    oldest = {}
    for session in kept:
        gone = numbers.get(session.session_id, set())
        first = next((segment for segment in session.segments if segment.number not in gone), None)
        if first is not None:
            oldest[session.session_id] = first.start_us
    return Outcome(
        doomed=tuple(d for d in found.doomed if d.session_id not in failed),
        missing_bytes=found.missing_bytes,
        left_bytes=sum(s.size_bytes for k in kept for s in k.segments)
        - sum(d.segment.size_bytes for d in found.doomed),
        empty=frozenset(s.session_id for s in kept if s.session_id not in oldest and s.session_id not in failed),
        oldest_us=oldest,
        failed=failed,
    )
