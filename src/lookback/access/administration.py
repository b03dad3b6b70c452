"""What those who manage a community do with it: its rules, and the rooms that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from pydantic.alias_generators import to_camel

from lookback.access.audit import Action
from lookback.access.communities import Community
from lookback.access.ports import Room
from lookback.access.principal import Permission
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lookback.access.audit import Audit
    from lookback.access.communities import CommunityConfig, InstanceRules
    from lookback.access.community_book import CommunityBook
    from lookback.access.ports import CommunityRepository
    from lookback.access.principal import Principal

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CommunityRules:
    """A community and the rules that hold in it, its own and the defaults together."""

    community_id: str
    name: str | None
    config: CommunityConfig


@dataclass(frozen=True, slots=True)
class RoomOwner:
    """Whose room it is. `registered_at_us` is None when nobody registered it: LiveKit or the pattern says so."""

    room_name: str
    community_id: str
    registered_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class CommunityAdministration:
    """Communities as their managers see them. Methods raise PermissionDeniedError to everybody else."""

    repository: CommunityRepository
    book: CommunityBook
    rules: InstanceRules
    audit: Audit
    clock: Callable[[], int]

    async def config(self, who: Principal, community_id: str) -> CommunityRules:
        """Return the rules that hold in the community; one that has set nothing has the defaults."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        community = await self.repository.get(community_id) or Community(community_id)
        return self._presented(community)

    async def change(self, who: Principal, community_id: str, changes: Mapping[str, Any]) -> CommunityRules:
        """Change some rules (names of CommunityConfig's fields, and `name`); raises InvalidConfigError.

        What is running follows: a community that is switched off ends its sessions, a smaller window evicts. A lower
        limit ends nothing, it keeps new sessions from starting.
        """
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        settings = {key: value for key, value in changes.items() if key != "name"}
        was = self.rules.defaults

        def changed(community: Community) -> Community:
            nonlocal was
            was = community.config(self.rules.defaults)
            return self.rules.changed(community, changes.get("name", community.name), settings)

        async with self.audit.together():
            community = await self.repository.change(community_id, changed, self.clock())
            now = community.config(self.rules.defaults)
            facts: dict[str, Any] = {
                to_camel(key): {"from": getattr(was, key), "to": getattr(now, key)} for key in settings
            }
            facts |= {"name": "changed"} if "name" in changes else {}
            await self.audit.record(
                Action.CONFIG_CHANGED, actor=who.user_id, community_id=community_id, target=community_id, facts=facts
            )
        self.book.forget()
        log.info("community.config_changed", community=community_id, user=who.user_id, changes=sorted(changes))
        return self._presented(community)

    async def communities(self, who: Principal) -> list[Community]:
        """Return the communities that the user belongs to, or all there are if they manage the whole instance."""
        found = {community.community_id: community for community in await self.own(who)}
        if who.allowed(Permission.MANAGE_REPLAY_LIMITS):
            found |= {community.community_id: community for community in await self.repository.all()}
        return [found[community_id] for community_id in sorted(found)]

    async def own(self, who: Principal) -> list[Community]:
        """Return the communities that the user belongs to."""
        return [await self.repository.get(place) or Community(place) for place in sorted(who.belongs_to)]

    # ---- rooms

    async def room(self, who: Principal, room_name: str) -> RoomOwner:
        """Return whose room it is, to those who belong to that community or manage it; raises NotFoundError."""
        registered = await self.repository.room(room_name)
        community_id = await self.book.community_of_room(room_name)
        if community_id is None or not _belongs(who, community_id):
            raise NotFoundError("The room belongs to no community that you know")
        return RoomOwner(room_name, community_id, registered.registered_at_us if registered is not None else None)

    async def register(self, who: Principal, room_name: str, community_id: str) -> RoomOwner:
        """Let the room belong to the community; to take it from another one, that must be managed, too."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        before = await self.book.community_of_room(room_name)
        if before is not None:
            who.require(Permission.MANAGE_REPLAY_LIMITS, before)
        room = Room(room_name, community_id, self.clock())
        async with self.audit.together():
            await self.repository.ensure(community_id, self.clock())
            await self.repository.put_room(room)
            await self.audit.record(
                Action.ROOM_REGISTERED, actor=who.user_id, community_id=community_id, room_name=room_name
            )
        return RoomOwner(room_name, community_id, room.registered_at_us)

    async def forget_room(self, who: Principal, room_name: str) -> None:
        """Undo `register`; raises NotFoundError when the room is not registered, or in a community one cannot see."""
        room = await self.repository.room(room_name)
        if room is None or not _belongs(who, room.community_id):
            raise NotFoundError("The room is not registered")
        who.require(Permission.MANAGE_REPLAY_LIMITS, room.community_id)
        async with self.audit.together():
            await self.repository.remove_room(room_name)
            await self.audit.record(
                Action.ROOM_REMOVED, actor=who.user_id, community_id=room.community_id, room_name=room_name
            )

    async def rooms(self, who: Principal, community_id: str, *, limit: int, after: str | None) -> list[Room]:
        """Return the community's registered rooms in the order of their names, those behind `after`."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        return await self.repository.rooms_of(community_id, limit=limit, after=after)

    def _presented(self, community: Community) -> CommunityRules:
        return CommunityRules(community.community_id, community.name, community.config(self.rules.defaults))


def _belongs(who: Principal, community_id: str) -> bool:
    return community_id in who.belongs_to or who.allowed(Permission.MANAGE_REPLAY_LIMITS, community_id)
