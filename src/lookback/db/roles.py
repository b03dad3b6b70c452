"""Roles, and who has them, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, literal, select

from lookback.access.ports import Member
from lookback.access.roles import parse_permissions
from lookback.db.models import MemberRow, RoleRow, UserRow
from lookback.db.transactions import Transactions
from lookback.db.upsert import put_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.principal import RolesByCommunity
    from lookback.access.roles import Permission, RoleKey

_EVERYWHERE = ""


class SqlRoleRepository:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def defined(self) -> Mapping[RoleKey, frozenset[Permission]]:
        """See RoleRepository."""
        async with self._sessions() as db:
            rows = await db.execute(select(RoleRow))
            return {(row.community_id or None, row.role): parse_permissions(row.permissions) for row in rows.scalars()}

    async def put_role(self, key: RoleKey, permissions: frozenset[Permission]) -> None:
        """See RoleRepository."""
        values = {"permissions": sorted(permission.value for permission in permissions)}
        async with self._sessions.begin() as db:
            await put_row(db, RoleRow, {"community_id": key[0] or _EVERYWHERE, "role": key[1]}, values)

    async def remove_role(self, key: RoleKey) -> None:
        """See RoleRepository."""
        where = RoleRow.community_id == (key[0] or _EVERYWHERE), RoleRow.role == key[1]
        async with self._sessions.begin() as db:
            await db.execute(delete(RoleRow).where(*where))

    async def roles_of(self, user_id: str) -> RolesByCommunity:
        """See RoleRepository."""
        query = select(MemberRow).where(MemberRow.user_id == user_id).order_by(MemberRow.role)
        async with self._sessions() as db:
            found: dict[str | None, tuple[str, ...]] = {}
            for row in (await db.execute(query)).scalars():
                found[row.community_id or None] = (*found.get(row.community_id or None, ()), row.role)
            return found

    async def put_member(self, community_id: str | None, user_id: str, roles: Sequence[str]) -> None:
        """See RoleRepository."""
        where = MemberRow.community_id == (community_id or _EVERYWHERE), MemberRow.user_id == user_id
        wanted = sorted(set(roles))
        async with self._sessions.begin() as db:
            await db.execute(delete(MemberRow).where(*where, MemberRow.role.not_in(wanted)))
            for role in wanted:
                key = {"community_id": community_id or _EVERYWHERE, "user_id": user_id, "role": role}
                await put_row(db, MemberRow, key, {})

    async def take_back(self, role: str) -> None:
        """See RoleRepository."""
        defining = select(RoleRow.community_id).where(RoleRow.role == role)
        here, everywhere = MemberRow.community_id.in_(defining), literal(_EVERYWHERE).in_(defining)
        async with self._sessions.begin() as db:
            await db.execute(delete(MemberRow).where(MemberRow.role == role, ~here, ~everywhere))

    async def member(self, community_id: str | None, user_id: str) -> Member | None:
        """See RoleRepository."""
        found = await self._members(community_id, [user_id])
        return found[0] if found else None

    async def members(self, community_id: str | None, *, limit: int, after: str | None) -> list[Member]:
        """See RoleRepository."""
        query = select(MemberRow.user_id).where(MemberRow.community_id == (community_id or _EVERYWHERE)).distinct()
        if after is not None:
            query = query.where(MemberRow.user_id > after)
        async with self._sessions() as db:
            users = (await db.execute(query.order_by(MemberRow.user_id).limit(limit))).scalars().all()
        return await self._members(community_id, users)

    async def _members(self, community_id: str | None, users: Sequence[str]) -> list[Member]:
        query = (
            select(MemberRow.user_id, MemberRow.role, UserRow.name)
            .outerjoin(UserRow, UserRow.user_id == MemberRow.user_id)
            .where(MemberRow.community_id == (community_id or _EVERYWHERE), MemberRow.user_id.in_(users))
            .order_by(MemberRow.user_id, MemberRow.role)
        )
        found: dict[str, Member] = {}
        async with self._sessions() as db:
            for user_id, role, name in await db.execute(query):
                before = found.get(user_id, Member(user_id, name, ()))
                found[user_id] = Member(user_id, name, (*before.roles, role))
        return list(found.values())
