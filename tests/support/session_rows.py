"""Sessions as rows, a database to keep them in, and a recorder that remembers what it was asked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lookback.db.engine import connect, migrate
from lookback.errors import LookbackError, NoCapacityError
from lookback.recorder.control import (
    AcceptWhip,
    Done,
    GetStatus,
    IceRestarted,
    RestartIce,
    SessionStats,
    WhipAccepted,
    WorkerStatus,
)
from lookback.sessions.model import Session, SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.recorder.control import Event, Reply, Request

START_US = 1_795_384_759_000_000
_SESSION = Session(
    session_id="s1",
    room_name="demo",
    community_id=None,
    user_id="alice",
    participant_identity="alice",
    source="whip",
    state=SessionState.STARTING,
    reason=None,
    started_at_us=START_US,
    since_us=START_US,
)


def a_row(session_id: str = "s1", state: SessionState = SessionState.STARTING, **more: Any) -> Session:
    """A session of alice in the room demo."""
    return replace(_SESSION, session_id=session_id, state=state, **more)


@asynccontextmanager
async def a_database(folder: Path) -> AsyncIterator[AsyncEngine]:
    """SQLite with all tables."""
    engine = connect(f"sqlite:///{folder / 'lookback.db'}")
    try:
        await migrate(engine)
        yield engine
    finally:
        await engine.dispose()


@dataclass(slots=True)
class RememberingRecorder:
    """A recorder without media. Implements sessions.ports.Recorder.

    It knows the sessions `known`, refuses with `refusal` when there is one, and does not answer unless `connected`.
    `heard_us`: when the last packet of a session came.
    """

    connected: bool = True
    known: list[str] = field(default_factory=list)
    heard_us: dict[str, int] = field(default_factory=dict)
    refusal: LookbackError | None = None
    asked: list[Request] = field(default_factory=list)
    queue: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)

    async def request(self, request: Request) -> Reply:
        """See sessions.ports.Recorder."""
        self.asked.append(request)
        if not self.connected:
            raise NoCapacityError("The recorder does not answer")
        if isinstance(request, GetStatus):
            return self._status()
        if self.refusal is not None:
            raise self.refusal
        if isinstance(request, AcceptWhip):
            return WhipAccepted(answer="v=0", etag=f'"{len(self.asked)}"')
        if isinstance(request, RestartIce):
            return IceRestarted(fragment="a=ice-ufrag:x", etag=f'"{len(self.asked)}"')
        return Done()

    async def events(self) -> AsyncIterator[Event]:
        """See sessions.ports.Recorder."""
        while True:
            yield await self.queue.get()

    @property
    def kinds(self) -> list[str]:
        """What it was asked, by kind."""
        return [request.kind for request in self.asked]

    def _status(self) -> WorkerStatus:
        stats = [
            SessionStats(session_id=known, connected=True, recording=True, last_packet_us=self.heard_us.get(known))
            for known in self.known
        ]
        return WorkerStatus(pid=1, started_at_us=0, cpu_seconds=0, rss_bytes=0, udp_port=1, sessions=stats)
