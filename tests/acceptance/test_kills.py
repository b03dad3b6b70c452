"""`kill -9` of the recorder, of the API, of both: what it costs, and what it must not."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.support.installation import an_installation
from tests.support.publishers import sharing
from tests.support.waiting import now_us

from lookback.buffer.reader import summary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json, Person

MOST_LOST_US = 600_000
ROOM = "crash"


@pytest.fixture
def chance() -> random.Random:
    return random.Random()  # instants are random on purpose; a failure says what was lost


async def test_killing_the_recorder_costs_a_fragment(tmp_path: Path, chance: random.Random) -> None:
    async with an_installation(tmp_path / "home") as server, server.person("alice") as alice:
        async with sharing(alice, ROOM) as share:
            await alice.sees_buffered(share.session, 2 + chance.random())
            clip, media = await _a_clip(alice, share.session)
            killed_us = now_us()
            await server.kill_recorder()
            kept = summary(server.session_dir(share.session))
        assert kept.until_us is not None
        assert killed_us - kept.until_us <= MOST_LOST_US
        await alice.sees_status(share.session, "interrupted")
        async with sharing(alice, ROOM) as again:
            assert again.session["sessionId"] == share.session["sessionId"]
            seen = await alice.sees_gap(share.session, "reconnect")
            assert len(seen["gaps"]) == 1
        await _nothing_else_is_lost(server, alice, clip, media)


async def test_killing_the_api_costs_nothing(tmp_path: Path, chance: random.Random) -> None:
    async with an_installation(tmp_path / "home") as server, server.person("alice") as alice:
        async with sharing(alice, ROOM) as share:
            await alice.sees_buffered(share.session, 2 + chance.random())
            clip, media = await _a_clip(alice, share.session)
            await server.kill_api()
            await server.start()
            killed_until = await alice.sees(share.session)
            await alice.sees_buffered(share.session, killed_until["bufferedSeconds"] + 1)
            seen = await alice.sees(share.session)
            assert seen["status"] == "recording"
            assert seen["gaps"] == []
        await _nothing_else_is_lost(server, alice, clip, media)


async def test_killing_both_costs_a_fragment(tmp_path: Path, chance: random.Random) -> None:
    async with an_installation(tmp_path / "home") as server, server.person("alice") as alice:
        async with sharing(alice, ROOM) as share:
            await alice.sees_buffered(share.session, 2 + chance.random())
            clip, media = await _a_clip(alice, share.session)
            recorder = await server.recorder_pid()
            killed_us = now_us()
            await server.kill_api()
            await server.kill_recorder(recorder)
            kept = summary(server.session_dir(share.session))
        assert kept.until_us is not None
        assert killed_us - kept.until_us <= MOST_LOST_US
        await server.start()
        await alice.sees_status(share.session, "interrupted")
        await _nothing_else_is_lost(server, alice, clip, media)


async def test_what_killing_both_leaves_can_be_repaired_before_the_next_start(
    tmp_path: Path, chance: random.Random
) -> None:
    async with an_installation(tmp_path / "home") as server, server.person("alice") as alice:
        async with sharing(alice, ROOM) as share:
            await alice.sees_buffered(share.session, 2 + chance.random())
            clip, media = await _a_clip(alice, share.session)
            assert (await server.command("check", "--repair"))[0] == 2, "a server runs"
            recorder = await server.recorder_pid()
            await server.kill_api()
            await server.kill_recorder(recorder)
        code, said = await server.command("check", "--repair")
        assert (code, said.splitlines()[-1]) == (0, "Everything is consistent now.")
        await server.start()
        await _nothing_else_is_lost(server, alice, clip, media)


async def _a_clip(person: Person, session: Json) -> tuple[Json, bytes]:
    """Made a moment before the accident, so that its own file may not exist yet."""
    clip = await person.captures(session, durationSeconds=1)
    return clip, await person.downloads(clip)


async def _nothing_else_is_lost(server: Installation, person: Person, clip: Json, media: bytes) -> None:
    """The clip made before is the same, what is buffered can still be saved, and buffer and library fit together."""
    assert await person.downloads(clip) == media
    stored = await person.sees_stored(clip)
    assert stored["sha256"] == person.digest(media)
    session = await person.sees(clip)
    assert await person.captures(session, durationSeconds=1, allowGaps=True)
    status, printed = await server.check()
    assert status == 0, printed
