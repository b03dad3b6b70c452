"""One real server with its studio, and what there is to see: a share and a clip of alice that has a link."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.installation import Installation, one_installation
from tests.support.publishers import sharing
from tests.support.studio import STUDIO, a_looker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.people import Json
    from tests.support.studio import Looker

ROOM = "#general/a?b"  # all that an address would mean something else by


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with one_installation(tmp_path_factory.mktemp("home"), **STUDIO) as installation:
        yield installation


@pytest.fixture(scope="session")
def saved(server: Installation) -> Json:
    """A clip of alice with its file, which whoever has its link may see."""

    async def save() -> Json:
        async with server.person("alice") as alice:
            async with sharing(alice, ROOM) as share:
                await alice.sees_buffered(share.session, 2.5)
                clip = await alice.captures(
                    share.session, key="once-and-only", durationSeconds=1, title="<b>Deploy</b>"
                )
            await alice.stops(share.session)
            await alice.sees_stored(clip)
            answer = await alice.answer("PATCH", f"clips/{clip['clipId']}", json={"visibility": "link"})
            shared: Json = answer.json()
            return shared

    return asyncio.run(save())


@pytest.fixture
async def looker(server: Installation) -> AsyncIterator[Looker]:
    """An administrator who is inside."""
    async with a_looker(server, server.token("ada", admin=True)) as inside:
        yield inside
