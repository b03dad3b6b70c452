"""Who is asking, and the one door that every right goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lookback.errors import PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Permission(StrEnum):
    """What a principal may be allowed to do."""

    ENABLE_REPLAY_BUFFER = "ENABLE_REPLAY_BUFFER"
    CAPTURE_REPLAY = "CAPTURE_REPLAY"
    MANAGE_REPLAY_LIMITS = "MANAGE_REPLAY_LIMITS"
    VIEW_AUDIT = "VIEW_AUDIT"


# Every user may keep and save their own shares; only administrators look after others.
_EVERYBODY = frozenset({Permission.ENABLE_REPLAY_BUFFER, Permission.CAPTURE_REPLAY})


@dataclass(frozen=True, slots=True)
class Principal:
    """The user behind a token. `communities` maps a community's id to the names of the user's roles in it."""

    user_id: str
    name: str | None = None
    admin: bool = False
    communities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def allowed(self, permission: Permission, community_id: str | None = None) -> bool:
        """Whether the principal has the permission, in the community if one is named."""
        del community_id  # roles in communities come with their own rules; today every community is alike
        return self.admin or permission in _EVERYBODY

    def require(self, permission: Permission, community_id: str | None = None) -> None:
        """Raise PermissionDeniedError unless the principal has the permission."""
        if not self.allowed(permission, community_id):
            raise PermissionDeniedError(f"Permission denied - {permission}")
