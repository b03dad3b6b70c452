"""Every kind of database that the program runs on, for tests that hold on each of them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.postgres import PostgresServer, a_postgres_database
from tests.support.session_rows import a_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest
    from sqlalchemy.ext.asyncio import AsyncEngine

DATABASES = ("sqlite", "postgresql")


@asynccontextmanager
async def a_database_of_kind(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    """A database of its own with all tables, connected: `kind` is one of DATABASES, `request` the asking fixture's."""
    if kind == "sqlite":
        async with a_database(request.getfixturevalue("tmp_path")) as engine:
            yield engine
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    async with a_postgres_database(server) as engine:
        yield engine
