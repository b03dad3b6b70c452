"""What becomes of sessions by themselves: what the recorder sees, what time brings, and what a restart left behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from lookback.errors import LookbackError, StorageUnavailableError
from lookback.sessions.admission import SWITCHED_OFF
from lookback.sessions.adoption import RESTARTED, ended_row, row_of
from lookback.sessions.model import SessionState
from lookback.sessions.recorded import recorded
from lookback.sessions.service import ACTIVE, SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.ports import Communities
    from lookback.buffer.session_file import SessionRecord
    from lookback.recorder.control import SessionMoved
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.model import Session, Source
    from lookback.sessions.moves import Moves
    from lookback.sessions.ports import Recorder, SessionChanges, SessionRepository
    from lookback.sessions.service import SessionService
    from lookback.sessions.starting import Starts
    from lookback.sessions.sweeping import Sweeper

log = structlog.get_logger(__name__)

NO_PICTURE = "No picture came within {seconds:g} s: the publisher sent no key frame"
STAYED_AWAY = "The publisher did not come back"
NOBODY = "Nobody records it any more"


@dataclass(frozen=True, slots=True)
class Times:
    """How long what may last, in microseconds; `every_s` in seconds is how often the clock is looked at."""

    starting_us: int = 30_000_000
    egress_us: int = 30_000_000  # so much longer a file of LiveKit Egress may take than a packet
    grace_us: int = 60_000_000
    every_s: float = 0.5


class SessionKeeper:
    """Runs beside the service, for all users. `counts`: how many sessions were in each state at the last look.

    `shares`: how many of them ran, by source.
    """

    def __init__(
        self,
        repository: SessionRepository,
        recorder: Recorder,
        buffers: SessionBuffers,
        moves: Moves,
        service: SessionService,
        *,
        clock: Callable[[], int],
        times: Times,
        communities: Communities,
        starts: Starts,
        sweeper: Sweeper,
    ) -> None:
        self._repository, self._recorder, self._buffers = repository, recorder, buffers
        self._moves, self._service, self._clock, self._times = moves, service, clock, times
        self._communities, self._starts, self._sweeper = communities, starts, sweeper
        self.counts: Counter[SessionState] = Counter()
        self.shares: Counter[Source] = Counter()

    async def run(self) -> None:
        """Until cancelled: follow the recorder and the clock."""
        await self.reconcile()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_recorder())
            tasks.create_task(self._follow_clock())

    # ---- the recorder

    async def _follow_recorder(self) -> None:
        async for event in self._recorder.events():
            try:
                await self.saw(event)
            except Exception:  # one event that cannot be handled must not end the recording of all
                log.exception("session.event_failed", session=event.session_id)

    async def saw(self, event: SessionMoved) -> None:
        """Make the session's row say what the recorder saw; the same event twice does no harm."""
        session = await self._repository.get(event.session_id)
        if session is None or not session.state.active:
            if event.to == "recording":
                await self._service.release(event.session_id, NOBODY)
            return
        if event.to == "recording":
            await self._recording(session, event)
        elif event.to == "interrupted":
            await self._moves.move(session, SessionState.INTERRUPTED, event.cause)
        elif event.to == "failed":
            await self._moves.move(session, SessionState.FAILED, event.cause, ended_at_us=event.at_us)
        elif event.to == "stopped":
            await self._service.end(session, event.cause, event.at_us)
        else:
            reason = event.cause if event.to in {"storage-failing", "degraded"} else None
            await self._moves.note(session, event.to, event.cause, reason)

    async def _recording(self, session: Session, event: SessionMoved) -> None:
        changes: SessionChanges = {
            "video_codec": event.video_codec,
            "audio_codec": event.audio_codec,
            "width": event.width,
            "height": event.height,
        }
        if session.state is SessionState.RECORDING:
            await self._repository.change(session.session_id, session.state, **changes)
        else:
            await self._moves.move(session, SessionState.RECORDING, event.cause, **changes)

    # ---- the clock

    async def _follow_clock(self) -> None:
        while True:
            try:
                await self.look_after(self._clock())
            except Exception:  # a database or disk that is away for a while must not end the clock
                log.exception("sessions.not_looked_after")
            await asyncio.sleep(self._times.every_s)

    async def look_after(self, now_us: int) -> None:
        """Do what is due at `now_us`."""
        await self._sweeper.when_due(now_us)
        shown = await self._repository.in_states(SHOWN)
        self.counts = Counter(session.state for session in shown)
        self.shares = Counter(session.source for session in shown if session.state.active)
        for session in shown:
            await self._look_after(session, now_us)

    async def _look_after(self, session: Session, now_us: int) -> None:
        age_us = now_us - session.since_us
        if session.state.active and not (await self._communities.config_of(session.community_id)).enabled:
            await self._service.end(session, SWITCHED_OFF)
        elif session.state is SessionState.STARTING and age_us > self._starting_us(session):
            reason = session.reason or NO_PICTURE.format(seconds=self._starting_us(session) / 1e6)
            if await self._moves.move(session, SessionState.FAILED, reason, ended_at_us=now_us) is not None:
                await self._service.release(session.session_id, reason)
        elif session.state is SessionState.INTERRUPTED and age_us > self._times.grace_us:
            # As it was seen: a publisher who comes back right now goes on.
            await self._service.end_as_seen(session, session.reason or STAYED_AWAY, session.since_us)
        elif session.state is SessionState.INTERRUPTED and self._recorder.connected:
            await self._starts.resume(session)

    def _starting_us(self, session: Session) -> int:
        return self._times.starting_us + (self._times.egress_us if session.source == "egress" else 0)

    # ---- after a restart

    async def reconcile(self) -> None:
        """Bring rows, directories and worker together after any of them was away."""
        known = await self._known_to_recorder()
        for session in await self._repository.in_states(ACTIVE):
            if session.session_id not in known:
                await self._lost(session)
        for record in await self._buffers.records():
            try:
                await self._adopt(record, still_recorded=record.session_id in known)
            except (OSError, StorageUnavailableError) as error:
                # One directory that cannot be read or removed must not keep the server from starting.
                log.warning("session.not_adopted", session=record.session_id, error=str(error))
        for session_id in known:
            session_row = await self._repository.get(session_id)
            if session_row is None or not session_row.state.active:
                await self._service.release(session_id, NOBODY)

    async def _lost(self, session: Session) -> None:
        """Nobody records it any more; a generated screen is begun again, its publisher will not be."""
        if session.state is SessionState.RECORDING:
            await self._moves.move(session, SessionState.INTERRUPTED, RESTARTED)
        elif session.state is SessionState.STARTING and self._recorder.connected:
            await self._starts.resume(session)

    async def _known_to_recorder(self) -> set[str]:
        try:
            return set(await recorded(self._recorder))
        except LookbackError as error:
            log.warning("recorder.not_asked", error=error.detail)
            return set()

    async def _adopt(self, record: SessionRecord, *, still_recorded: bool) -> None:
        """A directory without a row gets one, draining unless it is still recorded; one that is over is removed."""
        row = await self._repository.get(record.session_id)
        if row is not None and row.state in SHOWN:
            return
        if row is not None:
            await self._buffers.remove(row)
        elif still_recorded:
            found = replace(row_of(record), state=SessionState.RECORDING, reason=None, since_us=self._clock())
            await self._repository.add(found)
            log.info("session.found_recording", session=record.session_id)
        else:
            await self._repository.add(await ended_row(record, self._buffers, self._communities))
            log.info("session.found_on_disk", session=record.session_id)
