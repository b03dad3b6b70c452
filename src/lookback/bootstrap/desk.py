"""What an operator works with at a terminal: it reads database and buffer itself, and lets the server change things.

So looking works when no server runs, and every change keeps the server's rules and is in the audit trail.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lookback.access.audit import Audit
from lookback.bootstrap.parts import clock_us, require_begun, tokens_of
from lookback.bootstrap.people import people
from lookback.bootstrap.roots import known_roots
from lookback.bootstrap.running_server import RunningServer
from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import SegmentCache
from lookback.db.audit import SqlAuditRepository
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import open_database
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import NotFoundError
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.service import ACTIVE, SHOWN
from lookback.sessions.stories import Stories

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.principal import Grant, Permission
    from lookback.clips.model import Clip
    from lookback.sessions.model import Session
    from lookback.sessions.story import Story
    from lookback.settings import Settings


@dataclass(frozen=True, slots=True)
class SessionsDesk:
    """Everybody's sessions."""

    rows: SqlSessionRepository
    buffers: SessionBuffers
    stories: Stories
    server: RunningServer

    async def active(self) -> list[Session]:
        """Those that run, newest first."""
        return await self.rows.in_states(ACTIVE)

    async def shown(self) -> list[Session]:
        """Those that run or can still be saved from, newest first."""
        return await self.rows.in_states(SHOWN)

    async def stop(self, session_id: str) -> str:
        """End one; return its state. Raises NotFoundError, SettingsError when no server answers."""
        answer = await self.server.post(f"/stop/{quote(session_id, safe='')}")
        return str(answer["status"])

    async def stop_all(self) -> list[str]:
        """End all that run; return their ids."""
        stopped = []
        for session in await self.active():
            with suppress(NotFoundError):  # it ended by itself
                await self.stop(session.session_id)
                stopped.append(session.session_id)
        return stopped

    async def why(self, session_id: str) -> Story | None:
        """What happened to one, or None when it is not known."""
        session = await self.rows.get(session_id)
        return await self.stories.of(session) if session is not None else None


@dataclass(frozen=True, slots=True)
class ClipsDesk:
    """Everybody's clips."""

    rows: SqlClipRepository
    server: RunningServer

    async def newest(self, most: int = 100, *, user_id: str | None = None) -> list[Clip]:
        """The newest clips, of a user where one is given; what is deleted is not among them."""
        return await self.rows.newest(most, user_id=user_id)

    async def delete(self, clip_id: str) -> None:
        """Delete one; it can be restored for ten minutes. Raises NotFoundError, SettingsError without a server."""
        await self.server.delete(f"/clips/{quote(clip_id, safe='')}")


class Desk:
    """Everything at hand. `server` is asked for changes."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self.settings, self.engine, self.server = settings, engine, RunningServer.of(settings)
        rows = SqlSessionRepository(engine)
        buffers = SessionBuffers(BufferLayout(settings.buffer_path, known_roots(settings).buffer), SegmentCache())
        self.sessions = SessionsDesk(rows, buffers, Stories(rows, buffers), self.server)
        self.clips = ClipsDesk(SqlClipRepository(engine), self.server)
        audit = Audit(SqlAuditRepository(engine), clock_us)
        self._grants = people(settings, engine, tokens_of(settings), audit, None).grants

    async def find_user_permissions(self, user_id: str) -> Mapping[str | None, Mapping[Permission, list[Grant]]]:
        """What a user may by the roles in the database, everywhere (None) and by community, and where it comes from.

        What the host application puts into their tokens comes on top, and is known to it alone.
        """
        who = await self._grants.of(user_id)
        return {place: who.permissions(place) for place in (None, *sorted(who.belongs_to))}

    async def sweep(self, *, dry_run: bool = False, free_bytes: int = 0) -> dict[str, Any]:
        """Delete what has expired from the buffer, or say what would go."""
        answer: dict[str, Any] = await self.server.post("/admin/cleanup", {"dryRun": dry_run, "freeBytes": free_bytes})
        return answer


@asynccontextmanager
async def a_desk(settings: Settings) -> AsyncIterator[Desk]:
    """The desk of an installation; raises SettingsError, also where there has never been one.

    Looking makes nothing, no folder either: that would refuse on a disk that is full or away, when it is needed most.
    """
    require_begun(settings)
    engine = await open_database(settings.database)
    try:
        yield Desk(settings, engine)
    finally:
        await engine.dispose()
