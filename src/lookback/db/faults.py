"""What a database that is away raises, told from what is wrong with a query."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc

from lookback.errors import DiskFullError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_RETRY_AFTER_SECONDS = 5
# Classes of SQLSTATE (PostgreSQL manual, appendix A): connection, sign-in, no such database, transaction rollback,
# resources, prerequisite state, operator, system. The same statement may do the next time.
_AWAY = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58"})
_READ_ONLY = "25006"  # what a primary says after it has become a standby
_DISK_FULL = "53100"
# Primary result codes (sqlite.org/rescode.html). Not SQLITE_ERROR, which is a mistake in the statement.
_SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


@contextmanager
def database_faults() -> Iterator[None]:
    """Raise StorageUnavailableError or DiskFullError when the database is away; other errors pass as they are."""
    try:
        yield
    except (exc.SQLAlchemyError, OSError) as error:
        if not is_away(error):
            raise
        if _is_full(error):
            raise DiskFullError("Not enough disk space for the database") from error
        raise StorageUnavailableError("The database does not answer", retryAfter=_RETRY_AFTER_SECONDS) from error


def is_away(error: Exception) -> bool:
    """Whether the database could not do its work, rather than would not do what it was told."""
    if not isinstance(error, exc.SQLAlchemyError):
        return True  # the network's, while connecting
    if not isinstance(error, exc.DBAPIError):
        return isinstance(error, exc.TimeoutError)  # no connection became free
    sqlstate = _sqlstate(error)
    return (
        error.connection_invalidated
        or sqlstate[:2] in _AWAY
        or sqlstate == _READ_ONLY
        or _sqlite_code(error) in _SQLITE_AWAY
    )


def _is_full(error: Exception) -> bool:
    return _sqlstate(error) == _DISK_FULL or _sqlite_code(error) == sqlite3.SQLITE_FULL


def _sqlstate(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


def _sqlite_code(error: Exception) -> int:
    """The primary code, without what extends it: 0 is success, and what other databases have."""
    code: int = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return code & 0xFF
