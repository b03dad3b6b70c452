"""Look at the database for the doctor, without changing it: no file is made, no table brought up to date."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from lookback.db.engine import alembic_config, async_url, connect
from lookback.operations.doctor.database import DatabaseFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from lookback.operations.doctor.database import Fault

_PATIENCE_S = 5.0
_LOCK_S = 2.0  # a server that is busy lets go much sooner
# Read-only is a standby, and a database or user that was made so.
_NOW = "SELECT extract(epoch FROM clock_timestamp()), current_setting('transaction_read_only') = 'on'"
_REVISION = "SELECT version_num FROM alembic_version"
_SQLITE_FAULTS: dict[int, Fault] = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}
# SQLSTATE (PostgreSQL manual, appendix A): invalid authorization, no such database, read-only, undefined table.
_REFUSED, _MISSING, _READ_ONLY, _NO_TABLE = "28", "3D", "25006", "42P01"


async def look_at_database(url: str, clock: Callable[[], int]) -> DatabaseFacts:
    """Ask the database what it is. Returns within some seconds, whatever it does."""
    if make_url(url).get_backend_name() == "sqlite":
        return await asyncio.to_thread(_look_at_file, make_url(async_url(url)).database or "")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await _look_at_server(url, clock)
    except (SQLAlchemyError, OSError, TimeoutError, ValueError) as error:
        return DatabaseFacts(_server_fault(error))


def _look_at_file(path: str) -> DatabaseFacts:
    began_ns = time.monotonic_ns()
    try:
        database = sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, timeout=_LOCK_S, isolation_level=None)
    except sqlite3.Error as error:
        return _without_file(path, error)
    try:
        database.execute("BEGIN IMMEDIATE")  # whoever can do that can write
        revision = _revision_in(database)
        database.execute("ROLLBACK")
    except sqlite3.Error as error:
        return _without_file(path, error)
    finally:
        database.close()
    return _facts(revision, (time.monotonic_ns() - began_ns) // 1000)


def _without_file(path: str, error: sqlite3.Error) -> DatabaseFacts:
    """What an error means. A file that is not there yet is made by the first start, if there is a folder for it."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_CANTOPEN and not _exists(path):
        return DatabaseFacts(made=False)
    return DatabaseFacts(_SQLITE_FAULTS.get(code, "unreachable"))


def _exists(path: str) -> bool:
    try:
        sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True).close()
    except sqlite3.Error:
        return False
    return True


def _revision_in(database: sqlite3.Connection) -> str | None:
    tables = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = database.execute(_REVISION).fetchone() if tables else None
    return str(row[0]) if row else None


async def _look_at_server(url: str, clock: Callable[[], int]) -> DatabaseFacts:
    engine = connect(url)
    began_ns = time.monotonic_ns()
    try:
        async with engine.connect() as connection:
            now = await connection.execute(text(_NOW))
            seconds, read_only = now.one()
            answered_us, ahead_us = (time.monotonic_ns() - began_ns) // 1000, round(float(seconds) * 1e6) - clock()
            if read_only:
                return DatabaseFacts("read-only")
            revision = await _revision_of(connection)
    finally:
        await engine.dispose()
    return _facts(revision, answered_us, ahead_us)


async def _revision_of(connection: AsyncConnection) -> str | None:
    if (await connection.execute(text("SELECT to_regclass('alembic_version')"))).scalar() is None:
        return None
    return cast("str | None", (await connection.execute(text(_REVISION))).scalar())


def _facts(revision: str | None, answered_us: int, clock_us: int | None = None) -> DatabaseFacts:
    script = ScriptDirectory.from_config(alembic_config())
    return DatabaseFacts(
        made=revision is not None,
        revision=revision,
        newest=script.get_current_head() or "",
        known=revision in {known.revision for known in script.walk_revisions()},
        answered_us=answered_us,
        clock_us=clock_us,
    )


def _server_fault(error: Exception) -> Fault:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")
    if state.startswith(_REFUSED):
        return "refused"
    if state.startswith(_MISSING):
        return "missing"
    return "read-only" if state == _READ_ONLY else "unreachable"
