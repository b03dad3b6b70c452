"""Communities and registered rooms in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from lookback.access.communities import Community
from lookback.access.ports import Room
from lookback.db.models import CommunityRow, RoomRow
from lookback.db.transactions import Transactions
from lookback.db.upsert import put_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncEngine


class SqlCommunityRepository:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def get(self, community_id: str) -> Community | None:
        """See CommunityRepository."""
        async with self._sessions() as db:
            row = await db.get(CommunityRow, community_id)
            return _community(row) if row is not None else None

    async def change(self, community_id: str, how: Callable[[Community], Community], now_us: int) -> Community:
        """See CommunityRepository."""
        async with self._sessions.begin() as db:
            # The first statement writes, for SQLite's lock: what is read before it may be old when it is changed.
            await put_row(db, CommunityRow, {"community_id": community_id}, {}, once=_new(now_us))
            where = CommunityRow.community_id == community_id
            row = (await db.execute(select(CommunityRow).where(where).with_for_update())).scalar_one()
            changed = how(_community(row))
            row.name, row.settings = changed.name, dict(changed.settings)
            return changed

    async def ensure(self, community_id: str, now_us: int) -> None:
        """See CommunityRepository."""
        async with self._sessions.begin() as db:
            await put_row(db, CommunityRow, {"community_id": community_id}, {}, once=_new(now_us))

    async def all(self) -> list[Community]:
        """See CommunityRepository."""
        async with self._sessions() as db:
            rows = await db.execute(select(CommunityRow).order_by(CommunityRow.community_id))
            return [_community(row) for row in rows.scalars()]

    async def room(self, room_name: str) -> Room | None:
        """See CommunityRepository."""
        async with self._sessions() as db:
            row = await db.get(RoomRow, room_name)
            return _room(row) if row is not None else None

    async def put_room(self, room: Room) -> None:
        """See CommunityRepository."""
        values = {"community_id": room.community_id, "registered_at_us": room.registered_at_us}
        async with self._sessions.begin() as db:
            await put_row(db, RoomRow, {"room_name": room.room_name}, values)

    async def remove_room(self, room_name: str) -> None:
        """See CommunityRepository."""
        async with self._sessions.begin() as db:
            await db.execute(delete(RoomRow).where(RoomRow.room_name == room_name))

    async def rooms_of(self, community_id: str, *, limit: int, after: str | None) -> list[Room]:
        """See CommunityRepository."""
        query = select(RoomRow).where(RoomRow.community_id == community_id)
        if after is not None:
            query = query.where(RoomRow.room_name > after)
        async with self._sessions() as db:
            rows = await db.execute(query.order_by(RoomRow.room_name).limit(limit))
            return [_room(row) for row in rows.scalars()]


def _new(now_us: int) -> dict[str, Any]:
    return {"settings": {}, "created_at_us": now_us}


def _community(row: CommunityRow) -> Community:
    return Community(row.community_id, row.name, dict(row.settings))


def _room(row: RoomRow) -> Room:
    return Room(row.room_name, row.community_id, row.registered_at_us)
