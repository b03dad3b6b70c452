"""Users in SQL."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy import update as sql_update
from sqlalchemy.exc import IntegrityError

from lookback.db.models import UserRow
from lookback.db.transactions import Transactions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


class SqlUserRepository:
    """Every method is one transaction, or two where a user is new."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def seen(self, user_id: str, name: str | None, now_us: int) -> None:
        """See UserRepository."""
        async with self._sessions.begin() as db:
            there = sql_update(UserRow).where(UserRow.user_id == user_id).values(name=name).returning(UserRow.user_id)
            if (await db.execute(there)).scalar_one_or_none() is not None:
                return
        with suppress(IntegrityError):  # another request of the same user was faster
            async with self._sessions.begin() as db:
                db.add(UserRow(user_id=user_id, name=name, created_at_us=now_us))

    async def name_of(self, user_id: str) -> str | None:
        """See UserRepository."""
        async with self._sessions() as db:
            return (await db.execute(select(UserRow.name).where(UserRow.user_id == user_id))).scalar_one_or_none()
