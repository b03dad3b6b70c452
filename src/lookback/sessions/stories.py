"""Tell a session's story from its rows and from what is still buffered of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.errors import StorageUnavailableError
from lookback.sessions.story import story

if TYPE_CHECKING:
    from lookback.media.gaps import Gap
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.model import Session
    from lookback.sessions.ports import SessionRepository
    from lookback.sessions.story import Story

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stories:
    """Tells them, whether a server runs or not."""

    repository: SessionRepository
    buffers: SessionBuffers

    async def of(self, session: Session) -> Story:
        """Return the story of a session in whatever state; gaps of what has expired are forgotten."""
        events = await self.repository.events(session.session_id)
        clips = await self.repository.clips_of(session.session_id)
        return story(session, events, await self._gaps(session), clips)

    async def _gaps(self, session: Session) -> tuple[Gap, ...] | None:
        try:
            return None if await self.buffers.away() else (await self.buffers.buffered(session)).gaps
        except (OSError, StorageUnavailableError) as error:
            # The story is asked for most when the disk is ill: what the database knows is told all the same.
            log.warning("story.buffer_not_read", session=session.session_id, error=str(error))
            return None
