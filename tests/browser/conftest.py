"""A server for all browser tests, and people in front of a real Chromium."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.chromium import chromium
from tests.support.installation import Installation, one_installation
from tests.support.people import Refused
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.visitor import Visit

SETTINGS = {"REPLAY_SEGMENT_DURATION_SECONDS": "2"}  # many segments in little time
# A headless shell has no screen to choose: it gives a generated one. A full Chromium shares its own tab.
FAKE_SCREEN = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
ARTIFACTS = Path(__file__).resolve().parents[2] / "test-artifacts"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with one_installation(tmp_path_factory.mktemp("home"), **SETTINGS) as installation:
        yield installation


@pytest.fixture
def artifacts() -> Path:
    """Where screenshots are kept."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture
async def visit(server: Installation) -> AsyncIterator[Visit]:
    """Open the page as somebody: `async with visit("alice") as page`. What they share ends with the test."""
    visitors: set[str] = set()

    @asynccontextmanager
    async def visiting(
        user_id: str, *, admin: bool = False, width: int = 1440, height: int = 900, dark: bool = True
    ) -> AsyncIterator[Visitor]:
        visitors.add(user_id)
        async with chromium(*FAKE_SCREEN) as browser:
            context = await browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
            )
            visitor = Visitor(await context.new_page(), server.url)
            await visitor.opens(f"/?token={server.token(user_id, admin=admin)}")
            yield visitor
            assert visitor.mishaps == []

    yield visiting
    for user_id in visitors:
        await _stop_sharing(server, user_id)


async def _stop_sharing(server: Installation, user_id: str) -> None:
    """Else a generated screen of every test would be encoded until the last one is over.

    Whoever has been erased has nothing left to stop, and a token that holds no more.
    """
    async with server.person(user_id) as person:
        try:
            await person.answer("GET", "me")
        except Refused as refused:
            assert refused.code == "unauthenticated"  # noqa: PT017 - it is an answer
            return
        for session in (await person.answer("GET", "sessions")).json()["items"]:
            if session["status"] in {"starting", "recording", "interrupted"}:
                await person.stops(session)
