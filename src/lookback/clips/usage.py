"""Who stores how much, and who may: for those who manage limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from lookback.access.audit import Action
from lookback.access.principal import Permission
from lookback.clips.cursor import parse_cursor, write_cursor
from lookback.clips.search import fold
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from lookback.access.audit import Audit
    from lookback.access.principal import Principal
    from lookback.clips.ports import Clock, QuotaLedger
    from lookback.clips.quota import UserQuota

Part = Literal["user", "room", "community"]


@dataclass(frozen=True, slots=True)
class UserUsage:
    """What a user may store and does. `quota_bytes` None: as much as they like. Bytes are those of the quota."""

    user_id: str
    name: str | None
    quota_bytes: int | None
    is_default: bool
    used_bytes: int
    reserved_bytes: int
    clips: int
    last_seen_at_us: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """What one user, room or community stores; `key` is None for what belongs to no community.

    `used_bytes` count against quotas. `deleted_bytes` are on disk still, for as long as a delete can be undone.
    """

    key: str | None
    name: str | None
    clips: int
    used_bytes: int
    deleted_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What is stored: the largest shares first, and all of it together."""

    shares: tuple[Share, ...]
    total: Share


class UsageRepository(Protocol):
    """Adds up what rows say."""

    async def by(self, part: Part, *, community_id: str | None, limit: int) -> Usage:
        """Return the largest `limit` shares and the total, of one community or of everything."""

    async def users(self, *, query: str, user_id: str | None, after: str, limit: int, now_us: int) -> list[UserUsage]:
        """Return up to `limit` users in the order of their ids, after that one. `query` is folded.

        Who has no quota of their own has `quota_bytes` None. `user_id`: that one only.
        """


class QuotaOffice:
    """What `who` may not look after raises PermissionDeniedError."""

    def __init__(
        self, repository: UsageRepository, ledger: QuotaLedger, quota: UserQuota, audit: Audit, clock: Clock
    ) -> None:
        self._repository = repository
        self._ledger = ledger
        self._quota = quota
        self._audit = audit
        self._clock = clock

    async def quota(self, who: Principal, user_id: str) -> UserUsage:
        """Return what a user may store and does; raises NotFoundError for somebody who was never here."""
        who.require(Permission.MANAGE_REPLAY_LIMITS)
        found = await self._users(query="", user_id=user_id, after="", limit=1)
        if not found:
            raise NotFoundError("There is no such user")
        return found[0]

    async def set_quota(self, who: Principal, user_id: str, quota_bytes: int | None) -> UserUsage:
        """Give a user a quota of their own, or with None the default again. They may not have been here yet.

        One who uses more already keeps it, and can save nothing until there is room.
        """
        who.require(Permission.MANAGE_REPLAY_LIMITS)
        async with self._audit.together():
            await self._ledger.set_quota(user_id, quota_bytes, self._clock())
            facts = {"quotaBytes": quota_bytes}
            await self._audit.record(Action.QUOTA_CHANGED, actor=who.user_id, subject=user_id, facts=facts)
        return await self.quota(who, user_id)

    async def users(
        self, who: Principal, *, query: str, limit: int, cursor: str | None
    ) -> tuple[list[UserUsage], str | None]:
        """Return a page of users in the order of their ids, by part of name or id, and the cursor of the next one."""
        who.require(Permission.MANAGE_REPLAY_LIMITS)
        after = parse_cursor(cursor, "user")[1] if cursor else ""
        found = await self._users(query=fold(query), user_id=None, after=after, limit=limit + 1)
        return found[:limit], write_cursor(0, found[limit - 1].user_id, "user") if len(found) > limit else None

    async def usage(self, who: Principal, part: Part, *, community_id: str | None, limit: int) -> Usage:
        """Return what is stored, in one community or everywhere."""
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        return await self._repository.by(part, community_id=community_id, limit=limit)

    async def _users(self, *, query: str, user_id: str | None, after: str, limit: int) -> list[UserUsage]:
        now_us = self._clock()
        rows = await self._repository.users(query=query, user_id=user_id, after=after, limit=limit, now_us=now_us)
        default = await self._quota.default_bytes()
        return [replace(row, quota_bytes=default) if row.is_default else row for row in rows]
