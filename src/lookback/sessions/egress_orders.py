"""What is asked of LiveKit about Egress and takes it long: up to 24 s to start one, and 5 s to stop one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import structlog

from lookback.errors import LookbackError
from lookback.sessions.egress_places import begun_us_of, folder_of, follow_request
from lookback.sessions.egresses import EgressWish
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.sessions.egress_kept import Kept, Share
    from lookback.sessions.egress_places import EgressOptions
    from lookback.sessions.egresses import EgressServer
    from lookback.sessions.model import Session
    from lookback.sessions.moves import Moves
    from lookback.sessions.ports import Recorder, SessionRepository

log = structlog.get_logger(__name__)

ANSWER_S = 4.0
"""A start that is refused within this time is refused to whoever asked; later its session says why."""


class _Start(NamedTuple):
    """A start that was asked for; `answered` is done when LiveKit has said yes, or fails as it said no."""

    session: Session
    kept: Kept
    share: Share
    answered: asyncio.Future[None]


class EgressOrders:
    """Starts and stops egresses, all at once and off everybody's way, while `run` runs."""

    def __init__(
        self,
        repository: SessionRepository,
        recorder: Recorder,
        moves: Moves,
        egress: EgressServer,
        options: EgressOptions,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._repository, self._recorder, self._moves = repository, recorder, moves
        self._egress, self._options, self._clock = egress, options, clock
        self._starts: asyncio.Queue[_Start] = asyncio.Queue()
        self._stops: asyncio.Queue[str] = asyncio.Queue()

    def start(self, session: Session, kept: Kept, share: Share) -> asyncio.Future[None]:
        """Start an egress for a session and have it followed; `kept.starting` while that lasts."""
        kept.starting = True
        start = _Start(session, kept, share, asyncio.get_running_loop().create_future())
        self._starts.put_nowait(start)
        return start.answered

    def stop(self, egress_id: str) -> None:
        """Tell an egress to end."""
        self._stops.put_nowait(egress_id)

    async def run(self) -> None:
        """Until cancelled: do what was asked for."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._start_all(tasks))
            tasks.create_task(self._stop_all(tasks))

    async def tell(self, session: Session, why: str) -> None:
        """Write why nothing comes into the session, where it says that nothing comes."""
        row = await self._repository.get(session.session_id)
        if row is not None and row.state in {SessionState.STARTING, SessionState.INTERRUPTED}:
            await self._moves.note(row, "degraded", why, why)

    async def _start_all(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            tasks.create_task(self._start(await self._starts.get()))

    async def _stop_all(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            tasks.create_task(self._stop(await self._stops.get()))

    async def _start(self, start: _Start) -> None:
        session, kept = start.session, start.kept
        try:
            kept.egress = await self._egress.start(self._wish(session, start.share))
            kept.begun_us, kept.told_us = begun_us_of(kept.egress.folder), self._clock()
            kept.stopping_us = kept.heard_us = None
            await self._recorder.request(follow_request(self._options, session, kept.egress))
            start.answered.set_result(None)
        except LookbackError as error:
            kept.failures, kept.ended_us = kept.failures + 1, self._clock()
            log.warning("egress.not_started", session=session.session_id, error=error.detail)
            start.answered.set_exception(error)
            if self._asked_long_ago(session):
                await self._refused(session, error.detail)
        finally:
            kept.starting = False

    def _asked_long_ago(self, session: Session) -> bool:
        return self._clock() - session.since_us > round(ANSWER_S * 1_000_000)

    async def _refused(self, session: Session, why: str) -> None:
        """Nothing was recorded and nobody waits for the answer: the session says it."""
        row = await self._repository.get(session.session_id)
        if row is not None and row.state is SessionState.STARTING:
            await self._moves.move(row, SessionState.FAILED, why, ended_at_us=self._clock())
        elif row is not None:
            await self.tell(row, why)

    async def _stop(self, egress_id: str) -> None:
        try:
            await self._egress.stop(egress_id)
        except LookbackError as error:
            # Its service is gone: what it has written is taken, and nothing more is waited for than a while.
            log.warning("egress.not_stopped", egress=egress_id, error=error.detail)

    def _wish(self, session: Session, share: Share) -> EgressWish:
        options = self._options
        return EgressWish.of(
            session.room_name,
            share.screen,
            share.audio_sid,
            folder=folder_of(options, session.session_id, self._clock()),
            segment_seconds=options.segment_seconds,
            audio_kbps=options.audio_kbps,
        )
