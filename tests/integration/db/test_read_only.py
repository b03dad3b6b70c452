"""An engine through which the database lets nobody write, whoever tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from tests.support.databases import DATABASES, a_database_of_kind

from lookback.db.engine import connect
from lookback.db.models import RoomRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

ROOM = {"room_name": "office", "community_id": "c1", "registered_at_us": 1}
WRITES = (
    "DELETE FROM rooms",
    "UPDATE rooms SET community_id = 'c2'",
    "INSERT INTO rooms VALUES ('hall', 'c1', 1)",
    "CREATE TABLE more (x INTEGER)",
    "DROP TABLE rooms",
)


@pytest.fixture(params=DATABASES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    async with a_database_of_kind(request.param, request) as engine:
        async with engine.begin() as connection:
            await connection.execute(insert(RoomRow).values(ROOM))
        yield engine


@pytest.fixture
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    reading = connect(engine.url.render_as_string(hide_password=False), read_only=True)
    yield reading
    await reading.dispose()


async def test_everything_can_be_read(reading: AsyncEngine) -> None:
    async with AsyncSession(reading) as session:
        assert (await session.execute(select(RoomRow.room_name))).scalars().all() == ["office"]


@pytest.mark.parametrize("write", WRITES)
async def test_nothing_can_be_written(engine: AsyncEngine, reading: AsyncEngine, write: str) -> None:
    for _ in range(2):  # also through a connection that was used before
        async with reading.connect() as connection:
            with pytest.raises(DBAPIError, match=r"read-?only"):
                await connection.execute(text(write))
    async with engine.connect() as connection:
        assert (await connection.execute(select(RoomRow.room_name, RoomRow.community_id))).all() == [("office", "c1")]


async def test_what_a_session_would_flush_is_refused(engine: AsyncEngine, reading: AsyncEngine) -> None:
    async with AsyncSession(reading) as session:
        session.add(RoomRow(**ROOM | {"room_name": "hall"}))
        with pytest.raises(DBAPIError, match=r"read-?only"):
            await session.commit()
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(RoomRow))).scalar_one() == 1
