"""Tell a session's story from its rows and from what is still buffered of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.sessions.story import story

if TYPE_CHECKING:
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.model import Session
    from lookback.sessions.ports import SessionRepository
    from lookback.sessions.story import Story


@dataclass(frozen=True, slots=True)
class Stories:
    """Tells them, whether a server runs or not."""

    repository: SessionRepository
    buffers: SessionBuffers

    async def of(self, session: Session) -> Story:
        """Return the story of a session in whatever state; gaps of what has expired are forgotten."""
        events = await self.repository.events(session.session_id)
        return story(session, events, (await self.buffers.buffered(session)).gaps)
