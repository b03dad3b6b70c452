"""What is written together is there together, on every kind of database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from tests.support.session_rows import a_row

from lookback.db.sessions import SqlSessionRepository
from lookback.db.transactions import Transactions
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


async def ids(engine: AsyncEngine) -> set[str]:
    """What is there for everybody."""
    rows = await SqlSessionRepository(engine).in_states(list(SessionState))
    return {row.session_id for row in rows}


async def as_somebody_else(engine: AsyncEngine) -> set[str]:
    """The same in another task, which has no part in the transaction."""
    return await asyncio.create_task(ids(engine))


async def test_nobody_else_sees_half_of_what_is_written_together(engine: AsyncEngine) -> None:
    sessions = SqlSessionRepository(engine)
    async with Transactions(engine).together():
        await sessions.add(a_row("s1"))
        await sessions.add(a_row("s2", user_id="bob"))
        assert await ids(engine) == {"s1", "s2"}
        assert await as_somebody_else(engine) == set()
    assert await as_somebody_else(engine) == {"s1", "s2"}


async def test_nothing_is_left_of_what_was_written_together_and_failed(engine: AsyncEngine) -> None:
    sessions = SqlSessionRepository(engine)

    async def all_of_it() -> None:
        async with Transactions(engine).together():
            await sessions.add(a_row("s1"))
            await sessions.add(a_row("s2", user_id="bob"))
            raise KeyError

    with pytest.raises(KeyError):
        await all_of_it()
    assert await ids(engine) == set()


async def test_a_write_that_fails_leaves_those_before_and_after_it(engine: AsyncEngine) -> None:
    sessions = SqlSessionRepository(engine)
    async with Transactions(engine).together():
        await sessions.add(a_row("s1"))
        assert (await sessions.add(a_row("s2"))).session_id == "s1", "alice has one already"
        await sessions.add(a_row("s3", user_id="bob"))
    assert await ids(engine) == {"s1", "s3"}


async def test_a_first_write_that_fails_leaves_those_after_it(engine: AsyncEngine) -> None:
    sessions = SqlSessionRepository(engine)
    await sessions.add(a_row("s1"))
    async with Transactions(engine).together():
        assert (await sessions.add(a_row("s2"))).session_id == "s1", "alice has one already"
        await sessions.add(a_row("s3", user_id="bob"))
        await sessions.add(a_row("s4", user_id="carol"))
        assert await as_somebody_else(engine) == {"s1"}
    assert await ids(engine) == {"s1", "s3", "s4"}


async def test_one_that_is_inside_another_is_a_part_of_it(engine: AsyncEngine) -> None:
    sessions, transactions = SqlSessionRepository(engine), Transactions(engine)
    async with transactions.together():
        async with transactions.together():
            await sessions.add(a_row("s1"))
        assert await as_somebody_else(engine) == set()
    assert await ids(engine) == {"s1"}


async def test_a_write_without_a_savepoint_takes_all_back_also_when_its_failure_is_overlooked(
    engine: AsyncEngine,
) -> None:
    sessions, transactions = SqlSessionRepository(engine), Transactions(engine)

    async def overlooking() -> None:
        async with transactions.together():
            await sessions.add(a_row("s1"))
            with suppress(KeyError):
                async with transactions.begin(savepoint=False):
                    raise KeyError

    with pytest.raises(RuntimeError, match="was overlooked"):
        await overlooking()
    assert await ids(engine) == set()


async def test_a_write_without_a_savepoint_is_committed_with_the_others(engine: AsyncEngine) -> None:
    sessions, transactions = SqlSessionRepository(engine), Transactions(engine)
    async with transactions.together():
        async with transactions.begin(savepoint=False) as db:
            await db.execute(text("SELECT 1"))
        await sessions.add(a_row("s1"))
        assert await as_somebody_else(engine) == set()
    assert await ids(engine) == {"s1"}
