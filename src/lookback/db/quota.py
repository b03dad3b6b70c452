"""What users have used and reserved, in SQL.

1. `users.used_bytes` is the sum of what their clips count, after every transaction.
2. Used and held bytes together are never more than the quota, unless the quota was lowered.

Both databases make everybody who changes a user's sum wait for each other, because the first thing that each of them
does is to write the user's row: two that looked at once would both find room for themselves.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy import update as sql_update

from lookback.clips.ports import Balance
from lookback.db.models import ClipRow, ReservationRow, UserRow
from lookback.db.transactions import Transactions
from lookback.db.upsert import put_row
from lookback.db.users import new_user
from lookback.errors import QuotaExceededError

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

    from lookback.clips.ports import Reservation, Room

# A capture passes here twice: statements are made once, and of tables, which costs half as much as of mapped classes.
_USERS, _RESERVATIONS = cast("Table", UserRow.__table__), cast("Table", ReservationRow.__table__)
_THEIRS = (_RESERVATIONS.c.user_id == bindparam("of"), _RESERVATIONS.c.until_us > bindparam("now"))
_ADD = (
    sql_update(_USERS)
    .where(_USERS.c.user_id == bindparam("of"))
    .values(used_bytes=_USERS.c.used_bytes + bindparam("added"))
    .returning(_USERS.c.used_bytes, _USERS.c.quota_bytes)
)
_ENDED = (*_THEIRS, _RESERVATIONS.c.reservation_id == bindparam("this"))
_END = delete(_RESERVATIONS).where(*_ENDED).returning(_RESERVATIONS.c.size_bytes)
_HELD = select(func.coalesce(func.sum(_RESERVATIONS.c.size_bytes), 0)).where(*_THEIRS)
_GIVE_BACK = delete(_RESERVATIONS).where(_RESERVATIONS.c.reservation_id == bindparam("this"))
_COUNTED = select(func.coalesce(func.sum(ClipRow.stored_bytes), 0)).where(ClipRow.deleted_at_us.is_(None))


class SqlQuotaLedger:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def reserve(self, wanted: Reservation, room: Room) -> None:
        """See QuotaLedger."""
        async with self._sessions.begin() as db:
            await require_room(db, wanted.user_id, wanted.size_bytes, room)
            await db.execute(_RESERVATIONS.insert(), asdict(wanted))

    async def give_back(self, reservation_id: str) -> None:
        """See QuotaLedger."""
        async with self._sessions.begin() as db:
            await db.execute(_GIVE_BACK, {"this": reservation_id})

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
    if room is None:
        if added_bytes:
            await _user(db, user_id, added_bytes)
        return
    used, own = await _user(db, user_id, added_bytes)
    wanted = {"of": user_id, "now": room.now_us}
    ended = (await db.execute(_END, {**wanted, "this": room.reservation_id})).scalar_one_or_none()
    if added_bytes > (ended or 0):
        await _require(db, user_id, (used - added_bytes, own), added_bytes, room)


async def require_room(db: AsyncSession, user_id: str, needed_bytes: int, room: Room) -> None:
    """Raise QuotaExceededError unless the bytes fit; until this transaction ends they still do."""
    await _require(db, user_id, await _user(db, user_id), needed_bytes, room)


async def _require(db: AsyncSession, user_id: str, user: tuple[int, int | None], needed_bytes: int, room: Room) -> None:
    used, own = user
    quota = own if own is not None else room.default_bytes
    if quota is None:
        return
    used += await _held(db, user_id, room.now_us)
    if used + needed_bytes > quota:
        raise QuotaExceededError("User quota exceeded", quotaBytes=quota, usedBytes=used, neededBytes=needed_bytes)


async def _user(db: AsyncSession, user_id: str, added_bytes: int = 0) -> tuple[int, int | None]:
    """Hold the user's row until the transaction ends, and return used bytes, with what is added, and own quota."""
    changed = {"of": user_id, "added": added_bytes}
    row = (await db.execute(_ADD, changed)).one_or_none()
    if row is None:  # a clip that was found on disk, of somebody whom this database has never seen
        await put_row(db, UserRow, {"user_id": user_id}, {}, once=new_user(user_id, 0))
        row = (await db.execute(_ADD, changed)).one()
    return row.used_bytes, row.quota_bytes


async def _held(db: AsyncSession, user_id: str, now_us: int) -> int:
    """What is reserved for the user; reservations that are too old count no more."""
    return int((await db.execute(_HELD, {"of": user_id, "now": now_us})).scalar_one())
