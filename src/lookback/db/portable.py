"""A whole database in one file, as it was at one instant, and back: into SQLite, or into PostgreSQL.

The file is a SQLite database with our tables. From SQLite it comes by the backup API; from PostgreSQL row by row within
one transaction that sees one instant. So a backup of either can be brought back into either.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, select, text, update

from lookback.db.engine import alembic_config, connect, open_database
from lookback.db.models import AuditHorizonRow, AuditRow, Base, ClipRow, SessionRow, UserRow
from lookback.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_BATCH = 500
_HORIZON = AuditHorizonRow.__table__  # its one row is there from the start, and cannot be removed
_OLD = (
    "The database was made by another version of the program: start the server once, so that it is brought up to date."
)


async def save_database(source: AsyncEngine, file: Path) -> None:
    """Write everything into a new file with today's tables, while others use the database.

    Raises SettingsError when the database is of another version.
    """
    if source.dialect.name == "sqlite":
        await asyncio.to_thread(_copy_file, str(source.url.database), str(file))
        await bring_up(file)
        return
    target = await open_database(_url(file))
    try:
        async with source.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            await _require_version(connection)
            async with target.begin() as into:
                await _copy_rows(connection, into)
    finally:
        await target.dispose()


async def load_database(file: Path, url: str) -> None:
    """Bring back what is in the file into a database with nothing in it; the file may be of an older version.

    Raises SettingsError when there is something in it, or it cannot be used.
    """
    source = await open_database(_url(file))
    target = await open_database(url)
    try:
        await _require_empty(target)
        if target.dialect.name == "sqlite":
            await target.dispose()
            await asyncio.to_thread(_copy_file, str(file), str(target.url.database))
            return
        async with source.connect() as connection, target.begin() as into:
            await _copy_rows(connection, into)
            await into.execute(
                text("SELECT setval(pg_get_serial_sequence('audit_entries', 'entry_id'), :last)"),
                {"last": (await into.execute(select(func.coalesce(func.max(AuditRow.entry_id), 1)))).scalar_one()},
            )
    finally:
        await source.dispose()
        await target.dispose()


async def bring_up(file: Path) -> None:
    """Bring a saved database of an older version up to date; raises SettingsError when it cannot be used."""
    await (await open_database(_url(file))).dispose()


def settle(file: Path) -> None:
    """Leave a database file that nobody has open complete in itself, with no other file beside it."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()


def open_saved(file: Path) -> AsyncEngine:
    """Connect to such a file."""
    return connect(_url(file))


def _url(file: Path) -> str:
    return f"sqlite:///{file}"


def _copy_file(source: str, target: str) -> None:
    """As it is at one instant: in one step, under the lock of a reader, which keeps nobody from writing."""
    with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(target)) as into:
        opened.backup(into)


async def _copy_rows(source: AsyncConnection, target: AsyncConnection) -> None:
    for table in Base.metadata.sorted_tables:
        if table is _HORIZON:
            before_us = (await source.execute(select(AuditHorizonRow.before_us))).scalar_one()
            await target.execute(update(AuditHorizonRow).values(before_us=before_us))
        else:
            await _copy_table(table, source, target)


async def _copy_table(table: Table, source: AsyncConnection, target: AsyncConnection) -> None:
    rows = await source.stream(select(table).order_by(*table.primary_key.columns))
    async for batch in rows.mappings().partitions(_BATCH):
        await target.execute(insert(table), [dict(row) for row in batch])


async def _require_version(connection: AsyncConnection) -> None:
    found = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    if found != ScriptDirectory.from_config(alembic_config()).get_current_head():
        raise SettingsError(_OLD)


async def _require_empty(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for row in (UserRow, ClipRow, SessionRow, AuditRow):
            if (await connection.execute(select(func.count()).select_from(row))).scalar_one():
                raise SettingsError(
                    "DATABASE_URL is wrong: there is something in the database, and nothing is replaced."
                )
