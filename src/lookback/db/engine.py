"""Connect to the database, and bring it to the schema this code knows."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from lookback.db.sqlite_driver import SqliteDriver
from lookback.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # a row lost by a power cut is rebuilt from clip.json and session.json
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA cache_size = -24000",  # kB: a search reads a whole list, and one of 100,000 clips takes up some 20 MB
    "PRAGMA secure_delete = ON",  # what was deleted cannot be read in the file: people have themselves erased
)

_PATIENCE_S = 10
_PATIENT = {"timeout": _PATIENCE_S}  # for a connection; the driver's own is a minute
_READ_ONLY = {"server_settings": {"default_transaction_read_only": "on"}}


def async_url(url: str) -> str:
    """Give a plain `sqlite:///` or `postgresql://` address the driver that is used here."""
    parsed = make_url(url)
    return parsed.set(drivername=_ASYNC_DRIVERS.get(parsed.drivername, parsed.drivername)).render_as_string(
        hide_password=False
    )


def connect(url: str, *, read_only: bool = False) -> AsyncEngine:
    """Make an engine; nothing is opened until the first query. `read_only`: the database refuses whatever writes."""
    if url.startswith("sqlite"):
        engine = create_async_engine(async_url(url), hide_parameters=True, module=SqliteDriver())
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        if read_only:
            event.listen(engine.sync_engine, "connect", _refuse_writing)
        return engine
    arguments = {**_PATIENT, **(_READ_ONLY if read_only else {})}
    # A pool's connection may have died with the server's last start. Whoever waits longer is told to come back.
    return create_async_engine(
        async_url(url), hide_parameters=True, pool_pre_ping=True, pool_timeout=_PATIENCE_S, connect_args=arguments
    )


async def open_database(url: str) -> AsyncEngine:
    """Connect and migrate; raises SettingsError with the reason when that cannot be done."""
    try:
        engine = connect(url)
    except (SQLAlchemyError, ValueError) as error:
        raise SettingsError("DATABASE_URL is wrong: it is not the address of a database.") from error
    try:
        _probe(engine.url)
        await migrate(engine)
    except (SQLAlchemyError, sqlite3.Error, CommandError, OSError) as error:
        await engine.dispose()
        raise SettingsError(f"DATABASE_URL is wrong: the database cannot be used ({_reason(error)}).") from error
    return engine


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that are missing, in one transaction."""
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")


def _probe(url: URL) -> None:
    """Open a file as SQLite once by ourselves: where that fails, aiosqlite leaves a thread that fails, too."""
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        sqlite3.connect(str(url.database)).close()


def _reason(error: Exception) -> str:
    if isinstance(error, CommandError):
        return "it was made by another version of the program"
    cause = getattr(error, "orig", None) or error
    reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(reason).splitlines()[0].rstrip(".")


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _refuse_writing(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()
