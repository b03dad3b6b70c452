"""Users in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from lookback.clips.search import fold
from lookback.db.models import UserRow
from lookback.db.transactions import Transactions
from lookback.db.upsert import put_row

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


class SqlUserRepository:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def seen(self, user_id: str, name: str | None, now_us: int) -> None:
        """See UserRepository."""
        now = {"name": name, "search_text": user_text(user_id, name), "last_seen_at_us": now_us}
        async with self._sessions.begin() as db:
            await put_row(db, UserRow, {"user_id": user_id}, now, once={"created_at_us": now_us, "used_bytes": 0})

    async def name_of(self, user_id: str) -> str | None:
        """See UserRepository."""
        async with self._sessions() as db:
            return (await db.execute(select(UserRow.name).where(UserRow.user_id == user_id))).scalar_one_or_none()


def new_user(user_id: str, now_us: int) -> dict[str, Any]:
    """The columns of a user who has a row before they were ever seen."""
    return {"created_at_us": now_us, "used_bytes": 0, "search_text": user_text(user_id, None)}


def user_text(user_id: str, name: str | None) -> str:
    """What a search for users looks at."""
    return f"{fold(user_id)}\n{fold(name or '')}"
