"""Who is asking, and the one door that every right goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lookback.access.roles import EVERYBODY, Permission, RoleBook
from lookback.errors import PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Grant", "Link", "Permission", "Principal"]

RolesByCommunity = Mapping[str | None, tuple[str, ...]]
"""Names of roles by community; those under None hold everywhere."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Where a permission comes from. `name`: the role that gives it, or None when it was given by itself."""

    kind: Literal["admin", "role", "token", "default"]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What a signed link stands for besides its user: the right by which they saw what it leads to, and its key."""

    sight: str
    share_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Principal:
    """The user behind a token, with everything that is needed to say what they may.

    `communities` maps a community's id to the names of the user's roles in it, as the token says them. `token_roles`
    are those that the token gives everywhere, `token_permissions` what it gives without a role, by community or
    everywhere. `roles` are those in the database. `book` says what a role means.
    `link` is there when it was no token but a signed link that said who asks.
    """

    user_id: str
    name: str | None = None
    admin: bool = False
    communities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    token_roles: tuple[str, ...] = ()
    token_permissions: Mapping[str | None, frozenset[Permission]] = field(default_factory=dict)
    roles: RolesByCommunity = field(default_factory=dict)
    book: RoleBook = field(default_factory=RoleBook)
    link: Link | None = None

    def allowed(self, permission: Permission, community_id: str | None = None) -> bool:
        """Whether the principal has the permission in the community, or without one: everywhere."""
        return any(True for _ in self.grants(permission, community_id))

    def require(self, permission: Permission, community_id: str | None = None) -> None:
        """Raise PermissionDeniedError unless the principal has the permission; facts: grantedBy (names of roles)."""
        if not self.allowed(permission, community_id):
            granted_by = list(self.book.granting(permission, community_id))
            raise PermissionDeniedError(f"Permission denied - {permission}", grantedBy=granted_by)

    def grants(self, permission: Permission, community_id: str | None = None) -> Iterator[Grant]:
        """Say where the permission comes from, strongest first; nothing when the principal does not have it."""
        if self.admin:
            yield Grant("admin")
        for where in dict.fromkeys((None, community_id)):
            for role in self.roles.get(where, ()):
                if permission in self.book.permissions(role, where):
                    yield Grant("role", role)
            for role in self._token_roles(where):
                if permission in self.book.permissions(role, where):
                    yield Grant("token", role)
            if permission in self.token_permissions.get(where, ()):
                yield Grant("token")
        if permission in self.book.permissions(EVERYBODY, community_id):
            yield Grant("default")

    def permissions(self, community_id: str | None = None) -> dict[Permission, list[Grant]]:
        """Every permission the principal has there, and where each comes from."""
        found = {permission: list(self.grants(permission, community_id)) for permission in Permission}
        return {permission: grants for permission, grants in found.items() if grants}

    @property
    def belongs_to(self) -> frozenset[str]:
        """The communities that the token or the database says the user has a place in."""
        named = {*self.communities, *self.roles, *self.token_permissions}
        return frozenset(community_id for community_id in named if community_id is not None)

    def _token_roles(self, community_id: str | None) -> tuple[str, ...]:
        return self.token_roles if community_id is None else self.communities.get(community_id, ())
