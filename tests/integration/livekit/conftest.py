"""One real LiveKit server for all tests that leave it as it was; each uses a room of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.livekit_server import LivekitServer, one_livekit_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekitServer]:
    with one_livekit_server(tmp_path_factory.mktemp("livekit")) as server:
        yield server
