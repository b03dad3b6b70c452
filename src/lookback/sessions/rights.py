"""Who may see a session and save from it: its user, those who manage its community, and viewers where allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.access.principal import Permission
from lookback.errors import LivekitUnavailableError
from lookback.sessions.rooms import user_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookback.access.ports import Communities
    from lookback.access.principal import Principal
    from lookback.sessions.model import Session
    from lookback.sessions.rooms import LivekitServer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SessionRights:
    """Says who may what with sessions. `livekit` is None when it is not configured."""

    communities: Communities
    livekit: LivekitServer | None = None

    async def seen(self, who: Principal, sessions: Iterable[Session]) -> list[Session]:
        """Return those that the user may look at and save from. LiveKit is asked once for every room, if at all."""
        inside: dict[str, bool | None] = {}
        return [row for row in sessions if manages(who, row) or await self._may_save_from_others(who, row, inside)]

    async def may_know(self, who: Principal, room_name: str) -> bool:
        """Whether the user may know that buffers run in the room, and whose: everybody who is, or may be, in it."""
        return await self._is_in(who, room_name) is not False

    async def _may_save_from_others(self, who: Principal, session: Session, inside: dict[str, bool | None]) -> bool:
        """Whether the community lets viewers save, and the user is one.

        Where nobody knows who is in the room, it takes a place in the community: a name of a room can be guessed.
        """
        community_id = session.community_id
        if community_id is None or not (await self.communities.config_of(community_id)).viewers_may_capture:
            return False
        if not who.allowed(Permission.CAPTURE_REPLAY_ROOM, community_id):
            return False
        if session.room_name not in inside:
            inside[session.room_name] = await self._is_in(who, session.room_name)
        known = inside[session.room_name]
        return community_id in who.belongs_to if known is None else known

    async def _is_in(self, who: Principal, room_name: str) -> bool | None:
        """Whether the user is in the room; None when nobody knows: LiveKit has no such room, or there is no LiveKit."""
        if self.livekit is None:
            return None
        try:
            room = await self.livekit.room(room_name)
        except LivekitUnavailableError as error:
            # Nobody is let in by a failure, and nobody's own things depend on this.
            log.warning("room.not_asked", error=error.detail)
            return False
        return None if room is None else any(user_of(p) == who.user_id for p in room.participants)


def manages(who: Principal, session: Session) -> bool:
    """Whether the session is the user's own, or in their care."""
    return session.user_id == who.user_id or who.allowed(Permission.MANAGE_REPLAY_LIMITS, session.community_id)
