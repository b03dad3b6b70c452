"""What people have said about being buffered, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import exists, select

from lookback.access.consent import Statement
from lookback.access.revocations import digest
from lookback.db.models import ConsentRow, ErasureRow, RevocationRow, UserRow
from lookback.db.transactions import Transactions
from lookback.db.upsert import put_row

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.consent import Buffering


class SqlConsentRepository:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def said(self, user_id: str) -> list[Statement]:
        """See ConsentRepository."""
        async with self._sessions() as db:
            rows = await db.execute(
                select(ConsentRow).where(ConsentRow.user_id == user_id).order_by(ConsentRow.room_name)
            )
            return [
                Statement(row.room_name, cast("Buffering | None", row.buffering), row.auto_start)
                for row in rows.scalars()
            ]

    async def say(self, user_id: str, statement: Statement, now_us: int) -> None:
        """See ConsentRepository."""
        words = {"buffering": statement.buffering, "auto_start": statement.auto_start}
        said = {name: word for name, word in words.items() if word is not None} | {"changed_at_us": now_us}
        async with self._sessions.begin() as db:
            await put_row(db, ConsentRow, {"user_id": user_id, "room_name": statement.room_name}, said)

    async def left(self, user_id: str) -> bool:
        """See ConsentRepository."""
        erased = exists().where(RevocationRow.user_digest == digest(user_id))
        here = exists().where(UserRow.user_id == user_id)
        leaving = exists().where(ErasureRow.user_id == user_id)  # the id is forgotten when it is done
        async with self._sessions() as db:
            return bool((await db.execute(select(erased & (leaving | ~here)))).scalar_one())
