"""What those who manage a community do with its roles, and with the people who have them; None is everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.access.audit import Action
from lookback.access.ports import Member
from lookback.access.principal import Permission
from lookback.access.roles import BUILT_IN, EVERYBODY, with_implied
from lookback.errors import NotFoundError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lookback.access.audit import Audit
    from lookback.access.grants import RoleGrants
    from lookback.access.ports import CommunityRepository, RoleRepository
    from lookback.access.principal import Principal
    from lookback.access.roles import RoleBook

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Role:
    """What a role means in one place. `defined_here`: by this place itself, not inherited; only that can be removed.

    `built_in`: there is a meaning that comes back when every definition is removed.
    """

    name: str
    permissions: frozenset[Permission]
    defined_here: bool
    built_in: bool


@dataclass(frozen=True, slots=True)
class RoleAdministration:
    """Roles and members, for those who manage the community (None: the instance); PermissionDeniedError for others.

    Nobody can give more than they have: a permission is put into a role, and a role is given to somebody, only by
    those who have the permission themselves.
    """

    repository: RoleRepository
    communities: CommunityRepository
    grants: RoleGrants
    audit: Audit
    clock: Callable[[], int]

    async def roles(self, who: Principal, community_id: str | None) -> list[Role]:
        """Return every role that means something there, in the order of their names."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        book = await self.grants.book()
        return [_role(book, name, community_id) for name in book.names(community_id)]

    async def put_role(
        self, who: Principal, community_id: str | None, name: str, permissions: Collection[Permission]
    ) -> Role:
        """Define what the role means there; the role `everybody` is what all may who have no other."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        wanted = with_implied(permissions)
        _require_own(who, wanted, community_id)
        async with self.audit.together():
            await self._ensure(community_id)
            await self.repository.put_role((community_id, name), wanted)
            await self.audit.record(
                Action.ROLE_CHANGED,
                actor=who.user_id,
                target=name,
                community_id=community_id,
                facts={"permissions": sorted(wanted)},
            )
        self.grants.forget()
        log.info("role.changed", role=name, community=community_id, user=who.user_id)
        return _role(await self.grants.book(), name, community_id)

    async def remove_role(self, who: Principal, community_id: str | None, name: str) -> None:
        """Forget the definition made there: the role means what it meant before, or nothing and nobody has it.

        Raises NotFoundError when it is not defined there.
        """
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        if (community_id, name) not in await self.repository.defined():
            raise NotFoundError("There is no such role to remove; what is built in or inherited can only be changed")
        async with self.audit.together():
            await self.repository.remove_role((community_id, name))
            if name not in BUILT_IN:
                # Otherwise all of them would silently get a role that is once made under the same name.
                await self.repository.take_back(name)
            await self.audit.record(Action.ROLE_REMOVED, actor=who.user_id, target=name, community_id=community_id)
        self.grants.forget()

    # ---- people

    async def members(self, who: Principal, community_id: str | None, *, limit: int, after: str | None) -> list[Member]:
        """Return people with roles there in the order of their ids, those behind `after`."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        return await self.repository.members(community_id, limit=limit, after=after)

    async def put_member(
        self, who: Principal, community_id: str | None, user_id: str, roles: Collection[str]
    ) -> Member:
        """Let the user have exactly these roles there; raises ValidationError for a role that there is not."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        book, before = await self.grants.book(), await self.repository.member(community_id, user_id)
        for role in roles:
            if role == EVERYBODY or not book.has(role, community_id):
                raise ValidationError(f"There is no role {role} that can be given to somebody here")
            if before is None or role not in before.roles:
                _require_own(who, book.permissions(role, community_id), community_id)
        async with self.audit.together():
            await self._ensure(community_id)
            await self.repository.put_member(community_id, user_id, sorted(set(roles)))
            await self.audit.record(
                Action.MEMBER_CHANGED,
                actor=who.user_id,
                subject=user_id,
                community_id=community_id,
                facts={"roles": sorted(set(roles))},
            )
        self.grants.forget()
        return await self.repository.member(community_id, user_id) or Member(user_id, None, ())

    async def remove_member(self, who: Principal, community_id: str | None, user_id: str) -> None:
        """Take all roles there from the user; raises NotFoundError when they have none."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        if await self.repository.member(community_id, user_id) is None:
            raise NotFoundError("This person has no role here")
        async with self.audit.together():
            await self.repository.put_member(community_id, user_id, ())
            await self.audit.record(
                Action.MEMBER_REMOVED, actor=who.user_id, subject=user_id, community_id=community_id
            )
        self.grants.forget()

    async def _ensure(self, community_id: str | None) -> None:
        if community_id is not None:
            await self.communities.ensure(community_id, self.clock())


def _require_own(who: Principal, permissions: Collection[Permission], community_id: str | None) -> None:
    for permission in sorted(permissions):
        who.require(permission, community_id)


def _role(book: RoleBook, name: str, community_id: str | None) -> Role:
    permissions = book.permissions(name, community_id)
    return Role(name, permissions, (community_id, name) in book.defined, name in BUILT_IN)
