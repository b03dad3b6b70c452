"""Who is being erased, whose tokens were revoked, and the rows about a person that belong to no other service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select
from sqlalchemy import update as sql_update

from lookback.access.revocations import digest
from lookback.db.audit import person_key
from lookback.db.models import (
    AuditAddressRow,
    AuditPersonRow,
    ClipRow,
    ConsentRow,
    ErasureRow,
    MemberRow,
    ReservationRow,
    RevocationRow,
    UserRow,
)
from lookback.db.transactions import Transactions
from lookback.db.upsert import put_row
from lookback.operations.personal_data import Profile

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


class SqlErasureRepository:
    """Every method is one transaction, or part of the one that `Audit.together` opened."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = Transactions(engine)

    async def begin(self, user_id: str, now_us: int, not_before_us: int) -> None:
        """See ErasureRepository."""
        async with self._sessions.begin() as db:
            key = await person_key(db, user_id)
            begun = {"user_id": user_id, "begun_at_us": now_us}
            await put_row(db, ErasureRow, {"person_key": key}, {}, once=begun)
            await put_row(db, RevocationRow, {"user_digest": digest(user_id)}, {"not_before_us": not_before_us})

    async def pending(self) -> list[str]:
        """See ErasureRepository."""
        query = select(ErasureRow.user_id).where(ErasureRow.done_at_us.is_(None)).order_by(ErasureRow.begun_at_us)
        async with self._sessions() as db:
            return [user_id for user_id in (await db.execute(query)).scalars() if user_id is not None]

    async def clips_about(self, user_id: str) -> list[str]:
        """See ErasureRepository."""
        theirs = or_(ClipRow.user_id == user_id, ClipRow.sharer_id == user_id)
        async with self._sessions() as db:
            return list((await db.execute(select(ClipRow.clip_id).where(theirs))).scalars())

    async def profile(self, user_id: str) -> Profile | None:
        """See PersonRepository."""
        async with self._sessions() as db:
            row = await db.get(UserRow, user_id)
            return Profile(row.user_id, row.name, row.quota_bytes, row.created_at_us) if row is not None else None

    async def erased_since(self, user_id: str, at_us: int) -> bool:
        """See clips.ports.Erased. Nobody has a token between the wish and the revocation's instant: both will do."""
        not_before_us = await self.not_before_us(user_id)
        return not_before_us is not None and at_us <= not_before_us

    async def remove_rows(self, user_id: str) -> None:
        """See ErasureRepository."""
        async with self._sessions.begin() as db:
            for table in (ConsentRow, MemberRow, ReservationRow, UserRow):
                await db.execute(delete(table).where(table.user_id == user_id))

    async def finish(self, user_id: str, now_us: int) -> None:
        """See ErasureRepository."""
        async with self._sessions.begin() as db:
            key = await person_key(db, user_id)
            # In this order: the trail lets go of a person only while they are being erased.
            await db.execute(delete(AuditAddressRow).where(AuditAddressRow.person_key == key))
            await db.execute(delete(AuditPersonRow).where(AuditPersonRow.person_key == key))
            done = sql_update(ErasureRow).where(ErasureRow.person_key == key)
            await db.execute(done.values(user_id=None, done_at_us=now_us))

    async def settle(self) -> None:
        """See ErasureRepository."""
        if self._engine.dialect.name == "sqlite":
            async with self._engine.connect() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def not_before_us(self, user_id: str) -> int | None:
        """See RevocationRepository."""
        query = select(RevocationRow.not_before_us).where(RevocationRow.user_digest == digest(user_id))
        async with self._sessions() as db:
            return (await db.execute(query)).scalar_one_or_none()
