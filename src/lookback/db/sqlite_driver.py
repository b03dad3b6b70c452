"""SQLite through aiosqlite, with one visit to the connection's thread per statement instead of four or five.

SQLAlchemy's adapter makes a cursor, executes, fetches and closes, and goes to the thread and back for each of them: 0.1
ms a time, which is more than most of our statements take, and a capture has a dozen of those. Measured with all that a
session adds: reading a row by its key 0.36 ms instead of 0.90 ms, writing one 0.51 instead of 0.85 ms. What belongs to
aiosqlite and SQLAlchemy alone (`_execute`, `_conn`, `_execute_mutex`) is named nowhere but here.
"""
# ruff: noqa: SLF001  this is the one module that may

from __future__ import annotations

import sqlite3
from collections import deque
from typing import TYPE_CHECKING, Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util import EMPTY_DICT

if TYPE_CHECKING:
    from collections.abc import Callable


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """All rows are here after `execute`; nothing is open in the thread any more, so that closing is free."""

    __slots__ = ()

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._soft_closed_memoized = EMPTY_DICT
        self._rows = deque()

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._visit(_executed, operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._visit(_executed_many, operation, seq_of_parameters)

    async def _visit(self, work: Callable[..., tuple[sqlite3.Cursor, list[Any]]], *given: Any) -> None:
        async with self._adapt_connection._execute_mutex:
            connection = self._connection
            self._cursor, rows = await connection._execute(work, connection._conn, *given)
            self._rows = deque(rows)

    async def _async_soft_close(self) -> None:
        """Nothing to do: description, rowcount and lastrowid of a closed cursor can be read."""

    def close(self) -> None:
        self._rows.clear()


def _executed(connection: sqlite3.Connection, operation: str, parameters: Any) -> tuple[sqlite3.Cursor, list[Any]]:
    cursor = connection.execute(operation, parameters)
    rows = cursor.fetchall()
    cursor.close()
    return cursor, rows


def _executed_many(connection: sqlite3.Connection, operation: str, sets: Any) -> tuple[sqlite3.Cursor, list[Any]]:
    cursor = connection.executemany(operation, sets)
    cursor.close()
    return cursor, []


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls: type[AsyncAdapt_aiosqlite_cursor] = _Cursor

    def rollback(self) -> None:
        """What only reads has not begun anything that could be taken back."""
        if self._connection._connection and self._connection.in_transaction:
            super().rollback()


class SqliteDriver(AsyncAdapt_aiosqlite_dbapi):
    """What an engine takes as its `module`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        """Connect as aiosqlite does; raises sqlite3.Error."""
        return _Connection(self, super().connect(*arg, **kw)._connection)
