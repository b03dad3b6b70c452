"""What users have used and reserved, in SQL.

1. `users.used_bytes` is the sum of what their clips count, after every transaction.
2. Used and held bytes together are never more than the quota, unless the quota was lowered.

Both databases make everybody who changes a user's sum wait for each other, because the first thing that each of them
does is to write the user's row: two that looked at once would both find room for themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy import update as sql_update

from lookback.clips.ports import Balance
from lookback.db.models import ClipRow, ReservationRow, UserRow
from lookback.db.transactions import Transactions
from lookback.db.upsert import put_row
from lookback.db.users import new_user
from lookback.errors import QuotaExceededError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

    from lookback.clips.ports import Reservation, Room

_COUNTED = select(func.coalesce(func.sum(ClipRow.stored_bytes), 0)).where(ClipRow.deleted_at_us.is_(None))


class SqlQuotaLedger:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def reserve(self, wanted: Reservation, room: Room) -> None:
        """See QuotaLedger."""
        async with self._sessions.begin() as db:
            await require_room(db, wanted.user_id, wanted.size_bytes, room)
            db.add(
                ReservationRow(
                    reservation_id=wanted.reservation_id,
                    user_id=wanted.user_id,
                    size_bytes=wanted.size_bytes,
                    holder=wanted.holder,
                    until_us=wanted.until_us,
                )
            )

    async def give_back(self, reservation_id: str) -> None:
        """See QuotaLedger."""
        async with self._sessions.begin() as db:
            await db.execute(delete(ReservationRow).where(ReservationRow.reservation_id == reservation_id))

    async def give_back_all(self, holder: str) -> int:
        """See QuotaLedger."""
        async with self._sessions.begin() as db:
            gone = (
                delete(ReservationRow).where(ReservationRow.holder == holder).returning(ReservationRow.reservation_id)
            )
            return len((await db.execute(gone)).scalars().all())

    async def balance(self, user_id: str, now_us: int) -> Balance | None:
        """See QuotaLedger."""
        async with self._sessions() as db:
            user = await db.get(UserRow, user_id)
            if user is None:
                return None
            reserved = await _held(db, user_id, now_us)
            return Balance(user_id, user.name, user.quota_bytes, user.used_bytes, reserved)

    async def set_quota(self, user_id: str, quota_bytes: int | None, now_us: int) -> None:
        """See QuotaLedger."""
        async with self._sessions.begin() as db:
            key = {"user_id": user_id}
            await put_row(db, UserRow, key, {"quota_bytes": quota_bytes}, once=new_user(user_id, now_us))

    async def miscounted(self) -> list[str]:
        """See QuotaLedger."""
        counted = _COUNTED.where(ClipRow.user_id == UserRow.user_id).scalar_subquery()
        async with self._sessions() as db:
            return list((await db.execute(select(UserRow.user_id).where(UserRow.used_bytes != counted))).scalars())

    async def recount(self, user_id: str) -> None:
        """See QuotaLedger."""
        async with self._sessions.begin() as db:
            await _user(db, user_id)  # from here on nobody else changes the sum
            counted = (await db.execute(_COUNTED.where(ClipRow.user_id == user_id))).scalar_one()
            await db.execute(sql_update(UserRow).where(UserRow.user_id == user_id).values(used_bytes=counted))


async def count(db: AsyncSession, user_id: str, added_bytes: int, room: Room | None) -> None:
    """Change what the user has used, in the transaction of the change that it comes from.

    With a room, its reservation is over. Raises QuotaExceededError when more is added than the room has.
    """
    if room is not None:
        await _use(db, user_id, added_bytes, room)
    if added_bytes:
        await _user(db, user_id)
        used = UserRow.used_bytes + added_bytes
        await db.execute(sql_update(UserRow).where(UserRow.user_id == user_id).values(used_bytes=used))


async def require_room(db: AsyncSession, user_id: str, needed_bytes: int, room: Room) -> None:
    """Raise QuotaExceededError unless the bytes fit; until this transaction ends they still do."""
    used, own = await _user(db, user_id)
    quota = own if own is not None else room.default_bytes
    if quota is None:
        return
    used += await _held(db, user_id, room.now_us)
    if used + needed_bytes > quota:
        raise QuotaExceededError("User quota exceeded", quotaBytes=quota, usedBytes=used, neededBytes=needed_bytes)


async def _use(db: AsyncSession, user_id: str, added_bytes: int, room: Room) -> None:
    """End the room's reservation; what it does not cover must be free."""
    await _user(db, user_id)
    this = (ReservationRow.reservation_id == room.reservation_id, ReservationRow.user_id == user_id)
    in_time = ReservationRow.until_us > room.now_us
    ended = await db.execute(delete(ReservationRow).where(*this, in_time).returning(ReservationRow.size_bytes))
    if added_bytes > (ended.scalar_one_or_none() or 0):
        await require_room(db, user_id, added_bytes, room)


async def _user(db: AsyncSession, user_id: str) -> tuple[int, int | None]:
    """Hold the user's row until the transaction ends, and return used bytes and own quota."""
    held = (
        sql_update(UserRow)
        .where(UserRow.user_id == user_id)
        .values(used_bytes=UserRow.used_bytes)
        .returning(UserRow.used_bytes, UserRow.quota_bytes)
        .execution_options(synchronize_session=False)
    )
    row = (await db.execute(held)).one_or_none()
    if row is None:  # a clip that was found on disk, of somebody whom this database has never seen
        await put_row(db, UserRow, {"user_id": user_id}, {}, once=new_user(user_id, 0))
        row = (await db.execute(held)).one()
    return row.used_bytes, row.quota_bytes


async def _held(db: AsyncSession, user_id: str, now_us: int) -> int:
    """What is reserved for the user; reservations that are too old count no more."""
    sizes = select(func.coalesce(func.sum(ReservationRow.size_bytes), 0))
    held = sizes.where(ReservationRow.user_id == user_id, ReservationRow.until_us > now_us)
    return int((await db.execute(held)).scalar_one())
