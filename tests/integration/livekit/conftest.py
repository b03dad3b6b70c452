"""One real LiveKit server, and an installation beside it, for all tests that leave them as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.installation import Installation, one_installation
from tests.support.livekit_server import LivekitServer, one_livekit_server
from tests.support.livekit_settings import livekit_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.people import Person


@pytest.fixture(scope="session")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekitServer]:
    with one_livekit_server(tmp_path_factory.mktemp("livekit")) as server:
        yield server


@pytest.fixture(scope="session")
def installation(livekit: LivekitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """It looks at all rooms every second; a room a:b is of the community a."""
    settings = livekit_settings(
        livekit,
        LOOKBACK_RECONCILE_SECONDS="1",
        LOOKBACK_GRACE_SECONDS="4",
        LOOKBACK_LIVEKIT_JOIN="true",
        LOOKBACK_ROOM_PATTERN="(?P<community>[^:]+):.*",
    )
    with one_installation(tmp_path_factory.mktemp("home"), **settings) as running:
        yield running


@pytest.fixture
async def alice(installation: Installation) -> AsyncIterator[Person]:
    async with installation.person("alice") as person:
        yield person


@pytest.fixture
async def root(installation: Installation) -> AsyncIterator[Person]:
    async with installation.person("root", admin=True) as person:
        yield person
