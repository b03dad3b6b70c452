"""The sweep: what is too old or too much of the sessions' buffers goes, and sessions with nothing left expire."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import structlog

from lookback.buffer.leases import Leases
from lookback.buffer.retention import Limits, Reason
from lookback.buffer.sweep import BufferSweep, Watched
from lookback.clips.stopwatch import unwatched
from lookback.sessions.model import Session, SessionState
from lookback.sessions.service import SHOWN
from lookback.sessions.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lookback.access.ports import Communities
    from lookback.buffer.sweep import Outcome
    from lookback.clips.stopwatch import Work
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.moves import Moves
    from lookback.sessions.ports import SessionRepository

log = structlog.get_logger(__name__)

WINDOW_PASSED = "Its window has passed"
FULL_EVERY_US = 300_000_000
QUICK_EVERY_US = 10_000_000


class Taken(NamedTuple):
    """What goes or went of one session for one reason."""

    session: Session
    reason: Reason
    segments: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep deleted, or would; `missing_bytes` of those that were needed could not be freed."""

    sessions: int = 0
    taken: tuple[Taken, ...] = ()
    missing_bytes: int = 0
    took_us: int = 0

    @property
    def segments(self) -> int:
        """How many segments that is."""
        return sum(taken.segments for taken in self.taken)

    @property
    def size_bytes(self) -> int:
        """How many bytes that is."""
        return sum(taken.size_bytes for taken in self.taken)

    def by_reason(self) -> dict[str, int]:
        """The number of segments by reason."""
        counts: Counter[str] = Counter()
        for taken in self.taken:
            counts[taken.reason.value] += taken.segments
        return dict(counts)


class Sweeper:
    """Sweeps for all who want it: the clock, the disk-full ladder, and whoever asks for it. One sweep at a time.

    `slack_us`: how much longer than promised what is buffered is kept. `evicted` and `evicted_bytes` count by reason
    since the start, `buffered_bytes` is what the last sweep left; `last`: the last full sweep. `work` is around
    each.
    """

    def __init__(
        self,
        repository: SessionRepository,
        buffers: SessionBuffers,
        moves: Moves,
        communities: Communities,
        *,
        clock: Callable[[], int],
        slack_us: int,
        limits: Limits | None = None,
        leases: Leases | None = None,
        windows: Windows | None = None,
        work: Work = unwatched,
    ) -> None:
        self._repository, self._buffers, self._moves = repository, buffers, moves
        self._communities, self._clock, self._slack_us = communities, clock, slack_us
        self._sweep = BufferSweep(leases or Leases(), limits or Limits())
        self._turn, self._work = asyncio.Lock(), work
        self._quick_at_us = self._full_at_us = 0
        self.windows = windows or Windows()
        self.evicted: Counter[str] = Counter()
        self.evicted_bytes: Counter[str] = Counter()
        self.buffered_bytes = 0
        self.last: tuple[int, Swept] | None = None

    async def when_due(self, now_us: int) -> None:
        """Sweep if it is time to: quickly every 10 s, and in full, with a word in the log, every 5 min."""
        if now_us >= self._full_at_us:
            self._full_at_us, self._quick_at_us = now_us + FULL_EVERY_US, now_us + QUICK_EVERY_US
            await self.sweep_fully()
        elif now_us >= self._quick_at_us:
            self._quick_at_us = now_us + QUICK_EVERY_US
            swept = await self.sweep()
            if swept.segments:
                log.info(
                    "buffer.swept", segments=swept.segments, size_bytes=swept.size_bytes, reasons=swept.by_reason()
                )

    async def sweep_fully(self, need_bytes: int = 0) -> Swept:
        """Sweep, also what nobody can read any more, and say so."""
        log.info("Running cleanup")
        swept = await self.sweep(need_bytes, thorough=True)
        self.last = self._clock(), swept
        log.info(
            "Cleaned up",
            sessions=swept.sessions,
            segments=swept.segments,
            size_bytes=swept.size_bytes,
            reasons=swept.by_reason(),
            took_ms=swept.took_us // 1000,
        )
        return swept

    async def sweep(self, need_bytes: int = 0, *, thorough: bool = False) -> Swept:
        """Delete what has expired, and what must go to free so many bytes; let sessions expire that have ended."""
        async with self._turn:
            with self._work("buffer.sweep"):
                return await self._sweep_now(need_bytes, thorough=thorough)

    async def _sweep_now(self, need_bytes: int, *, thorough: bool) -> Swept:
        now_us, rows = self._clock(), await self._repository.in_states(SHOWN)
        watched, promised_us = await self._watched(rows)
        outcome = await self._buffers.threads.run(self._sweep.run, watched, now_us, need_bytes, thorough=thorough)
        self.windows.note(promised_us, outcome, now_us)
        for session in rows:
            await self._after(session, outcome, now_us)
        self.buffered_bytes = outcome.left_bytes
        swept = _swept(rows, outcome, self._clock() - now_us)
        for taken in swept.taken:
            self.evicted[taken.reason.value] += taken.segments
            self.evicted_bytes[taken.reason.value] += taken.size_bytes
        return swept

    async def preview(self, need_bytes: int = 0) -> Swept:
        """Return what `sweep` would delete now."""
        async with self._turn:
            now_us, rows = self._clock(), await self._repository.in_states(SHOWN)
            watched, _ = await self._watched(rows)
            outcome = await self._buffers.threads.run(self._sweep.look, watched, now_us, need_bytes)
            return _swept(rows, outcome, self._clock() - now_us)

    async def _watched(self, rows: Iterable[Session]) -> tuple[list[Watched], dict[str, int]]:
        """What the sweep is told of the sessions, and what their users were promised."""
        watched, promised_us = [], {}
        for session in rows:
            window_us = (await self._communities.config_of(session.community_id)).window_us
            promised_us[session.session_id] = window_us
            watched.append(
                Watched(
                    session.session_id,
                    session.user_id,
                    session.community_id,
                    self._buffers.directory(session),
                    window_us + self._slack_us,
                    active=session.state.active,
                    expected=session.video_codec is not None,
                )
            )
        return watched, promised_us

    async def _after(self, session: Session, outcome: Outcome, now_us: int) -> None:
        over = session.drains_at_us is not None and now_us >= session.drains_at_us
        error = outcome.failed.get(session.session_id)
        over |= error is None and session.session_id in outcome.empty
        if session.state is SessionState.DRAINING and over and error is None:
            try:
                await self._buffers.remove(session)
                self._sweep.forget(self._buffers.directory(session))
            except OSError as caught:
                error = caught
        if error is not None:
            # The disk is away: the next sweep tries again, and nothing is forgotten before its time.
            log.warning("buffer.not_swept", session=session.session_id, error=str(error))
            over &= isinstance(error, FileNotFoundError)
        if session.state is SessionState.DRAINING and over:
            await self._moves.move(session, SessionState.EXPIRED, WINDOW_PASSED)


def _swept(rows: Iterable[Session], outcome: Outcome, took_us: int) -> Swept:
    sessions = {session.session_id: session for session in rows}
    segments: Counter[tuple[str, Reason]] = Counter()
    sizes: Counter[tuple[str, Reason]] = Counter()
    for doomed in outcome.doomed:
        segments[doomed.session_id, doomed.reason] += 1
        sizes[doomed.session_id, doomed.reason] += doomed.segment.size_bytes
    taken = (Taken(sessions[key[0]], key[1], count, sizes[key]) for key, count in segments.items())
    return Swept(len(sessions), tuple(taken), outcome.missing_bytes, took_us)
