"""Our shortcut through aiosqlite behaves as the driver it takes the place of; what it uses of it is there."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from lookback.db.sqlite_driver import SqliteDriver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

INSERT = text("INSERT INTO words (id, word) VALUES (:id, :word)")


@pytest.fixture(params=["theirs", "ours"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A database with a table, through either driver: the same is asked of both."""
    driver = {"module": SqliteDriver()} if request.param == "ours" else {}
    made = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'words.db'}", **driver)
    async with made.begin() as connection:
        await connection.execute(text("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL)"))
        await connection.execute(INSERT, [{"id": number, "word": str(number)} for number in range(1, 4)])
    yield made
    await made.dispose()


async def words(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT word FROM words ORDER BY id"))).scalars())


async def test_rows_come_with_their_names_as_often_as_asked(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        first = await connection.execute(text("SELECT id, word FROM words ORDER BY id"))
        second = await connection.execute(text("SELECT count(*) FROM words"))
        assert second.scalar_one() == 3
        assert list(first.keys()) == ["id", "word"]
        assert [tuple(row) for row in first] == [(1, "1"), (2, "2"), (3, "3")]


async def test_no_rows_have_names_too(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        nothing = await connection.execute(text("SELECT id, word FROM words WHERE id > 3"))
        assert (list(nothing.keys()), nothing.first()) == (["id", "word"], None)


async def test_a_change_says_how_many_rows_and_which(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert (await connection.execute(text("UPDATE words SET word = 'x' WHERE id > 1"))).rowcount == 2
        assert (await connection.execute(INSERT, {"id": 9, "word": "nine"})).lastrowid == 9
        returned = await connection.execute(text("DELETE FROM words WHERE id < 3 RETURNING word"))
        assert list(returned.scalars()) == ["1", "x"]
    assert await words(engine) == ["x", "nine"]


async def test_what_was_written_is_taken_back_on_an_error(engine: AsyncEngine) -> None:
    async def adds(*numbers: int) -> None:
        async with engine.begin() as connection:
            for number in numbers:
                await connection.execute(INSERT, {"id": number, "word": str(number)})

    with pytest.raises(IntegrityError) as refused:
        await adds(4, 1)
    assert isinstance(refused.value.orig, sqlite3.IntegrityError)
    assert await words(engine) == ["1", "2", "3"]


async def test_what_was_read_within_a_change_is_taken_back_with_it(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(INSERT, {"id": 4, "word": "4"})
        assert (await connection.execute(text("SELECT count(*) FROM words"))).scalar_one() == 4
        await connection.rollback()
    assert await words(engine) == ["1", "2", "3"]


async def test_a_statement_that_is_wrong_leaves_a_connection_that_works(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(OperationalError, match="no such table"):
            await connection.execute(text("SELECT * FROM sentences"))
        assert (await connection.execute(text("SELECT count(*) FROM words"))).scalar_one() == 3


async def test_rows_can_be_streamed(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        stream = await connection.stream(text("SELECT word FROM words ORDER BY id"))
        assert [row.word async for row in stream] == ["1", "2", "3"]


async def test_many_readers_and_writers_at_once(engine: AsyncEngine) -> None:
    async def adds(number: int) -> list[str]:
        async with engine.begin() as connection:
            await connection.execute(INSERT, {"id": number, "word": str(number)})
        return await words(engine)

    seen = await asyncio.gather(*(adds(number) for number in range(4, 24)))
    assert all(str(number) in read for number, read in zip(range(4, 24), seen, strict=True))
    assert await words(engine) == [str(number) for number in range(1, 24)]


async def test_what_it_uses_of_aiosqlite_is_there(tmp_path: Path) -> None:
    async with aiosqlite.connect(tmp_path / "words.db") as connection:
        assert isinstance(connection._conn, sqlite3.Connection)
        asked = connection._execute(lambda: "in the thread")  # type: ignore[no-untyped-call]
        assert await asked == "in the thread"
