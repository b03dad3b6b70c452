"""Communities, rooms, roles and members as they are sent and received."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StrictBool, StringConstraints

from lookback.access.principal import Permission
from lookback.api.wire import PRINTABLE, Answer, Instant, Wish
from lookback.errors import ValidationError

if TYPE_CHECKING:
    from lookback.access.administration import CommunityRules, RoomOwner
    from lookback.access.communities import Community
    from lookback.access.ports import Member, Room
    from lookback.access.principal import Grant, Principal
    from lookback.access.role_administration import Role

_LARGEST_SAFE = (1 << 53) - 1  # what JSON numbers can say exactly everywhere
_LONGEST_WINDOW_MINUTES = 1440
_LONGEST_RETENTION_DAYS = 36_500

WORD = r"^[^/\x00-\x1f\x7f]+$"
CommunityId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=WORD)]
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=WORD)]


def _unsaid() -> Any:
    """A member that may be left out but not be null; the document names no default, since what is unsaid stays."""
    return Field(default=None, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class ConfigPatch(Wish):
    """Rules of a community to change; what is left out stays as it is."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)] | None = _unsaid()
    enabled: StrictBool = _unsaid()
    max_concurrent: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = _unsaid()
    window_minutes: Annotated[float, Field(strict=True, ge=1, le=_LONGEST_WINDOW_MINUTES, allow_inf_nan=False)] = (
        _unsaid()
    )
    max_clip_minutes: (
        Annotated[float, Field(strict=True, gt=0, le=_LONGEST_WINDOW_MINUTES, allow_inf_nan=False)] | None
    ) = _unsaid()
    viewers_may_capture: StrictBool = _unsaid()
    auto_start: Literal["off", "optIn", "on"] = _unsaid()
    clip_retention_days: Annotated[int, Field(strict=True, ge=1, le=_LONGEST_RETENTION_DAYS)] | None = _unsaid()
    recorder: Literal["direct", "egress"] = _unsaid()
    default_quota_bytes: Annotated[int, Field(strict=True, ge=0, le=_LARGEST_SAFE)] | None = _unsaid()

    def changes(self) -> dict[str, Any]:
        """What was said, by the names of CommunityConfig's fields."""
        return self.model_dump(exclude_unset=True)


class ConfigAnswer(Answer):
    """The rules that hold in a community: its own, and the operator's where it has set none."""

    community_id: str
    name: str | None
    enabled: bool
    max_concurrent: int | None = Field(description="How many buffers may run at once; null is any number.")
    window_minutes: float = Field(description="How much of each share is kept.")
    max_clip_minutes: float | None = Field(description="The longest clip; null is as much as is kept.")
    viewers_may_capture: bool = Field(description="Whether people in a room may save what others share there.")
    auto_start: Literal["off", "optIn", "on"]
    clip_retention_days: int | None = Field(description="After how many days clips are deleted; null is never.")
    recorder: Literal["direct", "egress"]
    default_quota_bytes: int | None = Field(description="Room for a user's clips; null is the operator's default.")


class CommunityAnswer(Answer):
    """A community, and what the caller may do in it."""

    community_id: str
    name: str | None
    permissions: list[Permission]


class CommunityListAnswer(Answer):
    """Communities that the caller belongs to or manages."""

    items: list[CommunityAnswer]


class RoomWish(Wish):
    """Whose room it shall be."""

    community_id: CommunityId


class RoomAnswer(Answer):
    """Whose room it is."""

    room_name: str
    community_id: str
    registered_at: Instant | None = Field(description="null: LiveKit's metadata or the pattern say so.")


class RoomListAnswer(Answer):
    """A page of registered rooms, in the order of their names."""

    items: list[RoomAnswer]
    next_cursor: str | None


class RoleWish(Wish):
    """What a role shall mean."""

    permissions: Annotated[list[Permission], Field(max_length=len(Permission))]


class RoleAnswer(Answer):
    """What a role means in one place."""

    role: str
    permissions: list[Permission]
    defined_here: bool = Field(description="By this place itself, so that it can be removed here.")
    built_in: bool = Field(description="It has a meaning also when nobody defines it.")


class RoleListAnswer(Answer):
    """Every role that means something in one place."""

    items: list[RoleAnswer]


class MemberWish(Wish):
    """Which roles somebody shall have."""

    roles: Annotated[list[RoleName], Field(max_length=32)]


class MemberAnswer(Answer):
    """Somebody with roles in one place."""

    user_id: str
    name: str | None
    roles: list[str]


class MemberListAnswer(Answer):
    """A page of members, in the order of their ids."""

    items: list[MemberAnswer]
    next_cursor: str | None


class GrantAnswer(Answer):
    """Where a permission comes from."""

    kind: Literal["admin", "role", "token", "default"]
    name: str | None = Field(description="The role that gives it; null: it was given by itself.")


class PermissionAnswer(Answer):
    """A permission that one has in a community (null: everywhere), and where from."""

    permission: Permission
    community_id: str | None
    from_: list[GrantAnswer] = Field(alias="from")


class MyCommunityAnswer(Answer):
    """A community that one belongs to."""

    community_id: str
    name: str | None


def config(rules: CommunityRules) -> ConfigAnswer:
    """Present a community's rules."""
    names = ConfigAnswer.model_fields.keys() - {"community_id", "name"}
    values = {name: getattr(rules.config, name) for name in names}
    return ConfigAnswer(community_id=rules.community_id, name=rules.name, **values)


def community(who: Principal, row: Community) -> CommunityAnswer:
    """Present a community to somebody."""
    permissions = list(who.permissions(row.community_id))
    return CommunityAnswer(community_id=row.community_id, name=row.name, permissions=permissions)


def room(row: RoomOwner | Room) -> RoomAnswer:
    """Present a room."""
    return RoomAnswer(room_name=row.room_name, community_id=row.community_id, registered_at=row.registered_at_us)


def role(row: Role) -> RoleAnswer:
    """Present a role."""
    permissions = sorted(row.permissions)
    return RoleAnswer(role=row.name, permissions=permissions, defined_here=row.defined_here, built_in=row.built_in)


def member(row: Member) -> MemberAnswer:
    """Present a member."""
    return MemberAnswer(user_id=row.user_id, name=row.name, roles=list(row.roles))


def permissions_of(who: Principal) -> list[PermissionAnswer]:
    """Everything the caller may: everywhere, and in each community they belong to."""
    places: list[str | None] = [None, *sorted(who.belongs_to)]
    return [
        PermissionAnswer(permission=permission, community_id=place, from_=[_grant(grant) for grant in grants])
        for place in places
        for permission, grants in who.permissions(place).items()
    ]


def _grant(grant: Grant) -> GrantAnswer:
    return GrantAnswer(kind=grant.kind, name=grant.name)


def cursor(name: str) -> str:
    """Say in a cursor up to which name a page went."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def parse_cursor(text: str | None) -> str | None:
    """The name in a cursor; raises ValidationError."""
    if text is None:
        return None
    try:
        name = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise ValidationError("The cursor is not one of ours") from error
    if re.search(r"[\x00-\x1f\x7f]", name):
        raise ValidationError("The cursor is not one of ours")
    return name
