"""One real LiveKit server for the tests that leave it as it was; each uses a room of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.livekit_recorder import RoomRecorder, a_room_recorder
from tests.support.livekit_server import LivekitServer, one_livekit_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="package")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekitServer]:
    with one_livekit_server(tmp_path_factory.mktemp("livekit")) as server:
        yield server


@pytest.fixture
async def recorder(tmp_path: Path, livekit: LivekitServer) -> AsyncIterator[RoomRecorder]:
    async with a_room_recorder(tmp_path, livekit) as running:
        yield running
