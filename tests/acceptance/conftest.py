"""The real server, started once for the tests that leave it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.installation import Installation, one_installation

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = {"REPLAY_SEGMENT_DURATION_SECONDS": "2"}  # many segments in little time


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with one_installation(tmp_path_factory.mktemp("home"), **SETTINGS) as installation:
        yield installation
