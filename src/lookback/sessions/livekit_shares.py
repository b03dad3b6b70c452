"""Shares of LiveKit rooms, recorded by our own recorder in the room."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.errors import LookbackError
from lookback.recorder.control import RecordLivekit
from lookback.sessions.recorded import recorded
from lookback.sessions.spec import spec_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.sessions.model import Session
    from lookback.sessions.ports import Recorder
    from lookback.sessions.rooms import LivekitServer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """In microseconds. `own_us`: how long the recorder may help itself before it is told anew what to record.

    `again_us`: after which time what failed is tried again; twice as long each time, up to `longest_us`.
    """

    own_us: int = 5_000_000
    again_us: int = 1_000_000
    longest_us: int = 10_000_000


@dataclass(slots=True)
class _Attempt:
    """How often it failed in a row, and when to try again."""

    failures: int = 0
    not_before_us: int = 0
    running: bool = False


class LivekitStarter:
    """Implements SourceStarter. `identity` is that of the recorder in every room: unique among recorders.

    There is one connection per room however many sharers it keeps, and one that joins again takes the place of its
    predecessor at once, so that a recorder that was killed leaves nobody behind.
    """

    def __init__(
        self,
        recorder: Recorder,
        server: LivekitServer,
        identity: str,
        clock: Callable[[], int],
        patience: Patience = Patience(),
    ) -> None:
        self._recorder, self._server, self._identity = recorder, server, identity
        self._clock, self._patience = clock, patience
        self._attempts: dict[str, _Attempt] = {}
        self._wanted: asyncio.Queue[Session] = asyncio.Queue()

    async def begin(self, session: Session) -> None:
        """See SourceStarter."""
        token = self._server.recorder_token(session.room_name, self._identity)
        await self._recorder.request(
            RecordLivekit(
                session=spec_of(session),
                url=self._server.url,
                token=token,
                include_microphone=session.include_microphone,
            )
        )

    async def resume(self, session: Session) -> None:
        """See SourceStarter."""
        attempt = self._attempts.setdefault(session.session_id, _Attempt())
        if not attempt.running and self._clock() >= attempt.not_before_us:
            attempt.running = True
            self._wanted.put_nowait(session)

    async def run(self) -> None:
        """Until cancelled: do what `resume` was asked for. Joining takes a while, and one must not wait for another."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(self._resume(await self._wanted.get()))

    async def _resume(self, session: Session) -> None:
        attempt = self._attempts[session.session_id]
        try:
            if await self._stays_away(session):
                attempt.not_before_us = self._clock() + self._patience.again_us
            else:
                await self.begin(session)
                del self._attempts[session.session_id]
        except LookbackError as error:
            wait_us = min(self._patience.again_us << min(attempt.failures, 10), self._patience.longest_us)
            attempt.failures += 1
            attempt.not_before_us = self._clock() + wait_us
            log.warning("session.not_resumed", session=session.session_id, error=error.detail)
        finally:
            attempt.running = False

    async def _stays_away(self, session: Session) -> bool:
        """Whether there is nothing to record, or the recorder is there and follows the share by itself."""
        young = self._clock() - session.since_us < self._patience.own_us
        if young and session.session_id in await recorded(self._recorder):
            return True
        room = await self._server.room(session.room_name)
        sharer = room.participant(session.participant_identity or session.user_id) if room is not None else None
        return sharer is None or sharer.screen is None
