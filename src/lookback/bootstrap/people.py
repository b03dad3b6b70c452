"""Communities, roles and what users may by them, put together from the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.access.administration import CommunityAdministration
from lookback.access.communities import CommunityConfig, InstanceRules
from lookback.access.community_book import CommunityBook
from lookback.access.grants import RoleGrants
from lookback.access.role_administration import RoleAdministration
from lookback.bootstrap.parts import clock_us
from lookback.db.communities import SqlCommunityRepository
from lookback.db.roles import SqlRoleRepository

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.audit import Audit
    from lookback.access.known_users import Authenticator
    from lookback.sessions.rooms import LivekitServer
    from lookback.settings import Settings

_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class People:
    """Who may what. `grants` is what requests are authenticated by."""

    grants: RoleGrants
    communities: CommunityBook
    community_administration: CommunityAdministration
    role_administration: RoleAdministration


@dataclass(frozen=True, slots=True)
class LivekitMetadata:
    """Rooms' metadata from LiveKit. Implements access.ports.RoomMetadata."""

    server: LivekitServer

    async def metadata_of(self, room_name: str) -> str | None:
        """See access.ports.RoomMetadata."""
        room = await self.server.room(room_name)
        return room.metadata if room is not None else None


def people(
    settings: Settings, engine: AsyncEngine, tokens: Authenticator, audit: Audit, livekit: LivekitServer | None
) -> People:
    """Everything about people and communities of an installation."""
    rows, roles, rules = SqlCommunityRepository(engine), SqlRoleRepository(engine), instance_rules(settings)
    pattern = re.compile(settings.lookback_room_pattern) if settings.lookback_room_pattern else None
    metadata = LivekitMetadata(livekit) if livekit is not None else None
    book = CommunityBook(rows, rules, pattern, metadata, clock_us)
    grants = RoleGrants(tokens, roles, clock_us)
    return People(
        grants,
        book,
        CommunityAdministration(rows, book, rules, audit, clock_us),
        RoleAdministration(roles, rows, grants, audit, clock_us),
    )


def instance_rules(settings: Settings) -> InstanceRules:
    """What the operator says about communities, and about rooms without one."""
    window = settings.window_us / _MINUTE_US
    return InstanceRules(
        defaults=CommunityConfig(
            max_concurrent=settings.lookback_community_max_concurrent or None,
            window_minutes=window,
            max_clip_minutes=window,
        ),
        without_community=CommunityConfig(max_concurrent=None, window_minutes=window, max_clip_minutes=None),
        longest_window_minutes=max(window, settings.lookback_longest_window_minutes),
    )
