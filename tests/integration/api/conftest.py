"""One real server for all tests of its API, and one share and clip of alice that they leave as they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.installation import Installation, one_installation
from tests.support.publishers import sharing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx
    from tests.support.people import Json, Person


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    settings = {"REPLAY_SEGMENT_DURATION_SECONDS": "2", "LOOKBACK_ICE_SERVERS": "stun:stun.example.org"}
    with one_installation(tmp_path_factory.mktemp("home"), **settings) as installation:
        yield installation


@pytest.fixture(scope="session")
def saved(server: Installation) -> Json:
    """A clip of alice with its file and poster."""

    async def save() -> Json:
        async with server.person("alice") as alice:
            async with sharing(alice, "office") as share:
                await alice.sees_buffered(share.session, 2.5)
                clip = await alice.captures(share.session, durationSeconds=2, title="Deploy über alles")
            await alice.stops(share.session)
            return await alice.sees_stored(clip)

    return asyncio.run(save())


@pytest.fixture
async def alice(server: Installation) -> AsyncIterator[Person]:
    async with server.person("alice") as person:
        yield person


@pytest.fixture
async def bob(server: Installation) -> AsyncIterator[Person]:
    async with server.person("bob") as person:
        yield person


@pytest.fixture
async def stranger(alice: Person) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a token."""
    async with alice.stranger() as client:
        yield client
