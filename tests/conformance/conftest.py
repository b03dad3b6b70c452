"""What is promised holds on every kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.databases import DATABASES, a_database_of_kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine


@pytest.fixture(params=DATABASES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    async with a_database_of_kind(request.param, request) as engine:
        yield engine
