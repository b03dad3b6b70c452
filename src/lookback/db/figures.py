"""The library in sums, for the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, func, select

from lookback.db.models import ClipRow, ReservationRow, UserRow
from lookback.db.transactions import Transactions
from lookback.operations.figures import Stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncEngine

_NEAR = 0.9
_ALIVE = ClipRow.deleted_at_us.is_(None)
_CLIPS = select(
    func.count(case((_ALIVE, 1))),
    func.coalesce(func.sum(case((_ALIVE, ClipRow.stored_bytes), else_=0)), 0),
    func.coalesce(func.sum(case((_ALIVE, 0), else_=ClipRow.stored_bytes)), 0),
)


class SqlFigures:
    """Implements StoredFigures. `quota_bytes`: of users who have none of their own."""

    def __init__(self, engine: AsyncEngine, quota_bytes: int, clock: Callable[[], int]) -> None:
        self._sessions, self._quota_bytes, self._clock = Transactions(engine), quota_bytes, clock

    async def stored(self) -> Stored:
        """See StoredFigures."""
        held = select(func.coalesce(func.sum(ReservationRow.size_bytes), 0)).where(
            ReservationRow.until_us > self._clock()
        )
        near = UserRow.used_bytes > _NEAR * func.coalesce(UserRow.quota_bytes, self._quota_bytes)
        users = select(func.count(), func.count(case((near, 1)))).select_from(UserRow)
        async with self._sessions() as db:
            clips, used, deleted = (await db.execute(_CLIPS)).one()
            reserved = (await db.execute(held)).scalar_one()
            all_users, near_quota = (await db.execute(users)).one()
        return Stored(clips, int(used), int(deleted), int(reserved), all_users, near_quota)
