"""Roles: names for sets of permissions, everywhere or in one community, and what everybody may without any."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RoleKey = tuple[str | None, str]
"""A community's id (None: everywhere) and the role's name."""


class Permission(StrEnum):
    """What a principal may be allowed to do."""

    ENABLE_REPLAY_BUFFER = "ENABLE_REPLAY_BUFFER"  # start one's own buffer
    CAPTURE_REPLAY = "CAPTURE_REPLAY"  # save from one's own
    CAPTURE_REPLAY_ROOM = "CAPTURE_REPLAY:room"  # ... and from what others share, where the community allows it
    MANAGE_REPLAY_LIMITS = "MANAGE_REPLAY_LIMITS"  # limits, quotas, roles; others' sessions and clips
    VIEW_AUDIT = "VIEW_AUDIT"


EVERYBODY = "everybody"
"""The role that nobody is given, because all have it."""

_IMPLIED = {Permission.CAPTURE_REPLAY_ROOM: Permission.CAPTURE_REPLAY}
_SHARING = frozenset({Permission.ENABLE_REPLAY_BUFFER, Permission.CAPTURE_REPLAY, Permission.CAPTURE_REPLAY_ROOM})

BUILT_IN: dict[str, frozenset[Permission]] = {
    EVERYBODY: _SHARING,
    "member": _SHARING,
    "moderator": _SHARING | {Permission.MANAGE_REPLAY_LIMITS},
    "auditor": frozenset({Permission.VIEW_AUDIT}),
}


def with_implied(permissions: Iterable[Permission]) -> frozenset[Permission]:
    """The permissions, and those that they contain."""
    said = frozenset(permissions)
    return said | {_IMPLIED[permission] for permission in said if permission in _IMPLIED}


def parse_permissions(names: Iterable[object]) -> frozenset[Permission]:
    """The permissions among the names; names from a newer version mean nothing here."""
    known = {permission.value for permission in Permission}
    return with_implied(Permission(name) for name in names if isinstance(name, str) and name in known)


@dataclass(frozen=True, slots=True)
class RoleBook:
    """What every role means. A community's own definition stands before the instance's, and that before the built-in.

    So the role `everybody` of a community can give less than the instance's, and the other way round.
    """

    defined: Mapping[RoleKey, frozenset[Permission]] = field(default_factory=dict)

    def permissions(self, role: str, community_id: str | None = None) -> frozenset[Permission]:
        """What the role allows in the community, or everywhere; nothing when there is no such role."""
        for key in ((community_id, role), (None, role)):
            if (found := self.defined.get(key)) is not None:
                return found
        return BUILT_IN.get(role, frozenset())

    def has(self, role: str, community_id: str | None = None) -> bool:
        """Whether the role means something there."""
        return role in BUILT_IN or (None, role) in self.defined or (community_id, role) in self.defined

    def names(self, community_id: str | None = None) -> list[str]:
        """Every role that means something there, in alphabetical order."""
        return sorted({*BUILT_IN, *(role for where, role in self.defined if where in {None, community_id})})

    def granting(self, permission: Permission, community_id: str | None = None) -> Iterator[str]:
        """The roles that would give the permission there, in alphabetical order."""
        return (role for role in self.names(community_id) if permission in self.permissions(role, community_id))
