"""Who stores how much, added up by the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from lookback.clips.usage import Part, Share, Usage, UserUsage
from lookback.db.models import ClipRow, CommunityRow, ReservationRow, UserRow
from lookback.db.transactions import Transactions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.orm import InstrumentedAttribute

_ALIVE = ClipRow.deleted_at_us.is_(None)
_SUMS = (
    func.count(case((_ALIVE, 1))).label("clips"),
    func.coalesce(func.sum(case((_ALIVE, ClipRow.stored_bytes), else_=0)), 0).label("used"),
    func.coalesce(func.sum(case((_ALIVE, 0), else_=ClipRow.stored_bytes)), 0).label("deleted"),
)
_KEY: dict[Part, InstrumentedAttribute[Any]] = {
    "user": ClipRow.user_id,
    "room": ClipRow.room_name,
    "community": ClipRow.community_id,
}


class SqlUsageRepository:
    """Implements UsageRepository."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def by(self, part: Part, *, community_id: str | None, limit: int) -> Usage:
        """See UsageRepository."""
        here = [ClipRow.community_id == community_id] if community_id is not None else []
        key = _KEY[part]
        sums = select(key.label("key"), *_SUMS).where(*here).group_by(key)
        async with self._sessions() as db:
            rows = (await db.execute(sums.order_by(_SUMS[1].desc(), key).limit(limit))).all()
            names = await self._names(part, [row.key for row in rows])
            total = (await db.execute(select(*_SUMS).where(*here))).one()
        shares = (Share(row.key, names.get(row.key), row.clips, int(row.used), int(row.deleted)) for row in rows)
        return Usage(tuple(shares), Share(None, None, total.clips, int(total.used), int(total.deleted)))

    async def users(self, *, query: str, user_id: str | None, after: str, limit: int, now_us: int) -> list[UserUsage]:
        """See UsageRepository."""
        clips = select(func.count()).where(ClipRow.user_id == UserRow.user_id, _ALIVE).scalar_subquery()
        held = (
            select(func.coalesce(func.sum(ReservationRow.size_bytes), 0))
            .where(ReservationRow.user_id == UserRow.user_id, ReservationRow.until_us > now_us)
            .scalar_subquery()
        )
        wanted = select(UserRow, clips.label("clips"), held.label("held")).where(UserRow.user_id > after)
        if user_id is not None:
            wanted = wanted.where(UserRow.user_id == user_id)
        if query:
            wanted = wanted.where(UserRow.search_text.contains(query, autoescape=True))
        async with self._sessions() as db:
            rows = (await db.execute(wanted.order_by(UserRow.user_id).limit(limit))).all()
            return [_user_usage(user, clip_count, int(reserved)) for user, clip_count, reserved in rows]

    async def _names(self, part: Part, keys: list[str]) -> dict[str, str | None]:
        columns = {
            "user": (UserRow.user_id, UserRow.name),
            "community": (CommunityRow.community_id, CommunityRow.name),
        }
        if part not in columns:
            return {}
        key, name = columns[part]
        async with self._sessions() as db:
            found = (await db.execute(select(key, name).where(key.in_(keys)))).all()
            return {row[0]: row[1] for row in found}


def _user_usage(user: UserRow, clips: int, reserved: int) -> UserUsage:
    return UserUsage(
        user_id=user.user_id,
        name=user.name,
        quota_bytes=user.quota_bytes,
        is_default=user.quota_bytes is None,
        used_bytes=user.used_bytes,
        reserved_bytes=reserved,
        clips=clips,
        last_seen_at_us=user.last_seen_at_us,
    )
