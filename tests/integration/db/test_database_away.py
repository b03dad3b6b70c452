"""A database that goes away is told from a statement that is wrong, and is found again when it comes back."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from tests.support.postgres import PostgresServer, a_postgres_database, a_postgres_server
from tests.support.session_rows import a_database, a_row

from lookback.db.engine import connect, open_database
from lookback.db.sessions import SqlSessionRepository
from lookback.db.transactions import Transactions
from lookback.errors import SettingsError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One that may be stopped."""
    with a_postgres_server() as server:
        yield server


async def test_a_server_that_is_stopped_is_away_and_is_found_again(server: PostgresServer) -> None:
    async with a_postgres_database(server) as engine:
        sessions = SqlSessionRepository(engine)
        await sessions.add(a_row())
        server.stop()
        try:
            for _ in range(2):  # on the connection that died, and on a new one
                with pytest.raises(StorageUnavailableError, match="The database does not answer") as raised:
                    await sessions.get("s1")
                assert raised.value.facts["retryAfter"] > 0
            with pytest.raises(StorageUnavailableError):
                await sessions.add(a_row("s2"))
        finally:
            server.start()
        assert await sessions.get("s1") == a_row()


async def test_a_transaction_whose_server_is_stopped_leaves_nothing(server: PostgresServer) -> None:
    async with a_postgres_database(server) as engine:
        sessions, transactions = SqlSessionRepository(engine), Transactions(engine)

        async def both() -> None:
            async with transactions.together():
                await sessions.add(a_row("s1"))
                server.stop()
                server.start()
                await sessions.add(a_row("s2", user_id="bob"))

        with pytest.raises(StorageUnavailableError):
            await both()
        assert await sessions.get("s1") is None


async def test_a_connection_that_is_ended_in_the_middle_is_away(server: PostgresServer) -> None:
    async with a_postgres_database(server) as engine:
        transactions = Transactions(engine)
        with pytest.raises(StorageUnavailableError):
            async with transactions() as db:
                await db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


async def test_a_database_that_nobody_made_is_away_when_it_is_used(server: PostgresServer) -> None:
    engine = connect(server.url("nothing"))
    with pytest.raises(StorageUnavailableError):
        await SqlSessionRepository(engine).get("s1")
    await engine.dispose()


async def test_a_database_that_nobody_made_stops_the_start_with_a_sentence(server: PostgresServer) -> None:
    with pytest.raises(SettingsError, match=r'cannot be used \(database "nothing" does not exist\)'):
        await open_database(server.url("nothing"))


@pytest.mark.parametrize("statement", ["SELECT nonsense", "INSERT INTO users (name) VALUES ('x')"])
async def test_a_wrong_statement_is_our_own_mistake(server: PostgresServer, statement: str) -> None:
    async with a_postgres_database(server) as engine:
        with pytest.raises(DBAPIError):
            async with Transactions(engine).begin() as db:
                await db.execute(text(statement))


async def test_a_wrong_statement_for_sqlite_is_our_own_mistake(tmp_path: Path) -> None:
    async with a_database(tmp_path) as engine:
        with pytest.raises(DBAPIError):
            async with Transactions(engine)() as db:
                await db.execute(text("SELECT nonsense"))
        with pytest.raises(IntegrityError):
            async with Transactions(engine).begin() as db:
                await db.execute(text("INSERT INTO users (name) VALUES ('x')"))


async def test_a_file_that_is_no_database_any_more_is_away(tmp_path: Path) -> None:
    async with a_database(tmp_path) as engine:
        await engine.dispose()
        (tmp_path / "lookback.db").write_bytes(b"garbage" * 1000)
        with pytest.raises(StorageUnavailableError):
            await SqlSessionRepository(engine).get("s1")


async def test_a_file_that_is_locked_for_too_long_is_away(tmp_path: Path) -> None:
    async with a_database(tmp_path) as engine:
        sessions = SqlSessionRepository(engine)
        async with engine.connect() as connection:  # the pool gives this one out again
            await connection.exec_driver_sql("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(tmp_path / "lookback.db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailableError):
                await sessions.add(a_row())
        finally:
            other.close()
        assert await sessions.add(a_row()) == a_row()
