"""What access needs from the outside, and what it offers to the features: communities, roles and grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lookback.access.communities import Community, CommunityConfig
    from lookback.access.principal import Principal, RolesByCommunity
    from lookback.access.roles import Permission, RoleKey


# ---- offered


class Communities(Protocol):
    """Which community a room belongs to, and its rules."""

    async def config_of(self, community_id: str | None) -> CommunityConfig:
        """Return the community's rules: the operator's defaults where it has set nothing. None: no community."""

    async def community_of_room(self, room_name: str) -> str | None:
        """Return whose room it is: as registered, else as LiveKit's metadata say, else by the pattern, else None.

        Raises LivekitUnavailableError when LiveKit would have to be asked and does not answer.
        """


class Retentions(Protocol):
    """How long communities keep clips."""

    async def clip_retentions(self) -> Mapping[str, int]:
        """Return the days by community, of those that do not keep them for ever."""


class Grants(Protocol):
    """What users may do when they are not the ones who ask, such as when a buffer starts by itself."""

    async def of(self, user_id: str) -> Principal:
        """Return the user with what the database says of them; what only a token says is not known here."""


class Consents(Protocol):
    """Who has said that they must not be buffered."""

    async def forbidden(self, user_id: str, room_name: str) -> bool:
        """Whether the user has forbidden it in this room or altogether."""


# ---- needed


class RoomMetadata(Protocol):
    """What LiveKit knows of a room."""

    async def metadata_of(self, room_name: str) -> str | None:
        """Return the room's metadata; None when there is no such room or no LiveKit.

        Raises LivekitUnavailableError when it does not answer.
        """


@dataclass(frozen=True, slots=True)
class Room:
    """A room that a host application has registered. `registered_at_us`: UTC microseconds."""

    room_name: str
    community_id: str
    registered_at_us: int


class CommunityRepository(Protocol):
    """The rows of communities and of registered rooms. Every method is one transaction."""

    async def get(self, community_id: str) -> Community | None:
        """Return the community with what it has set itself, or None."""

    async def change(self, community_id: str, how: Callable[[Community], Community], now_us: int) -> Community:
        """Put what `how` makes of the community in its place, an empty one if there was none; return it.

        Changes at once are made one after the other. When `how` raises, nothing is changed.
        """

    async def ensure(self, community_id: str, now_us: int) -> None:
        """Insert the community without settings, unless it is there."""

    async def all(self) -> list[Community]:
        """Return every community, in the order of their ids."""

    async def room(self, room_name: str) -> Room | None:
        """Return the registered room, or None."""

    async def put_room(self, room: Room) -> None:
        """Register the room, or move it to another community."""

    async def remove_room(self, room_name: str) -> None:
        """Forget the room; one that is not registered is no error."""

    async def rooms_of(self, community_id: str, *, limit: int, after: str | None) -> list[Room]:
        """Return up to `limit` of the community's rooms in the order of their names, those behind `after`."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with roles in a community or everywhere; `name` as they were last seen with."""

    user_id: str
    name: str | None
    roles: tuple[str, ...]


class RoleRepository(Protocol):
    """The rows of roles and of who has them; community None is everywhere. Every method is one transaction."""

    async def defined(self) -> Mapping[RoleKey, frozenset[Permission]]:
        """Return every role that somebody has defined, everywhere and in communities."""

    async def put_role(self, key: RoleKey, permissions: frozenset[Permission]) -> None:
        """Define the role, or give it other permissions."""

    async def remove_role(self, key: RoleKey) -> None:
        """Forget the definition; one that is not there is no error."""

    async def roles_of(self, user_id: str) -> RolesByCommunity:
        """Return the names of the user's roles by community, each in alphabetical order."""

    async def put_member(self, community_id: str | None, user_id: str, roles: Sequence[str]) -> None:
        """Let the user have exactly these roles there; none is allowed, too."""

    async def take_back(self, role: str) -> None:
        """Take the role away from everybody wherever neither the community nor the instance defines it."""

    async def member(self, community_id: str | None, user_id: str) -> Member | None:
        """Return the user with their roles there; None when they have none."""

    async def members(self, community_id: str | None, *, limit: int, after: str | None) -> list[Member]:
        """Return up to `limit` people with roles there in the order of their ids, those behind `after`."""
