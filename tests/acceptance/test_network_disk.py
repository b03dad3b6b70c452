"""A network mount hangs or goes stale while somebody shares: the rest goes on, and all of it when that is over."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.installation import an_installation
from tests.support.network_disk import a_network_disk
from tests.support.people import Refused, microseconds, seconds_of
from tests.support.pictures import pictures
from tests.support.publishers import sharing
from tests.support.waiting import eventually, now_us

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.network_disk import NetworkDisk
    from tests.support.people import Json, Person

pytestmark = pytest.mark.timeout(240)

PATHS = {"buffer": "REPLAY_BUFFER_PATH", "storage": "REPLAY_STORAGE_PATH"}
NAMES = {"buffer": "The buffer directory", "storage": "The clip directory"}
MORE_THAN_THREADS = 24
WANTED = {"durationSeconds": 2, "title": "While it is away"}  # by its title no clip that is there already
KILLED_AFTER_SECONDS = 15
"""So long a recorder may leave the server without an answer, when its disk is not the reason."""


@asynccontextmanager
async def a_server_on(folder: Path, root: str) -> AsyncIterator[tuple[NetworkDisk, Installation]]:
    """A server with one of its roots on a network disk, which answers again before the server is stopped."""
    with a_network_disk(folder / "disk") as disk:
        settings = {PATHS[root]: str(disk.folder), "REPLAY_SEGMENT_DURATION_SECONDS": "2"}
        async with an_installation(folder / "home", ground=disk.ground, **settings) as server:
            try:
                yield disk, server
            finally:
                disk.answers()


async def test_clips_on_a_disk_that_hangs_hold_up_nothing_else(tmp_path: Path) -> None:
    async with (
        a_server_on(tmp_path, "storage") as (disk, server),
        server.person("root", admin=True) as person,
        sharing(person, "room") as share,
    ):
        await person.sees_buffered(share.session, 3)
        before = await person.sees_stored(await person.captures(share.session, durationSeconds=2))
        digest = person.digest(await person.downloads(before))
        disk.hangs()
        hung_us = now_us()
        keys = [f"key-{number}" for number in range(MORE_THAN_THREADS)]
        asked = [asyncio.create_task(_captured(person, share.session, key)) for key in keys]
        where = f"clips/{before['clipId']}"
        played = [asyncio.create_task(_outcome(person.answer("GET", f"{where}/video"))) for _ in keys]
        await _answers_about_the_buffer(person, share.session)
        assert {await one for one in played} == {"storage-unavailable"}
        assert {await one for one in asked} == {"storage-unavailable"}, "nobody waits for ever"

        await _says(person, "storage", "disk does not answer")
        found = (await person.answer("GET", "admin/health")).json()["findings"]
        assert "The clip folder's disk does not answer" in [finding["sentence"] for finding in found]
        assert await _start(person) == (503, "The clip directory's disk does not answer")
        await person.answer("PATCH", where, json={"title": "A new name"})
        assert (await person.clip(before))["title"] == "A new name", "the row is the truth"
        await _answers_about_the_buffer(person, share.session)
        await person.sees_buffered_until(share.session, hung_us + 10_000_000)

        disk.answers()
        await _is_ready(person)
        assert person.digest(await person.downloads(before)) == digest
        after = await person.captures(share.session, durationSeconds=2)
        assert len(pictures(await person.downloads(after))) == pytest.approx(60, abs=3)
        for key in keys:
            clip = await person.captures(share.session, key=key, **WANTED)
            assert len(pictures(await person.downloads(clip))) == pytest.approx(60, abs=3), "no clip is half a clip"
        for clip in await person.clips():
            await person.sees_stored(clip)
        assert (await person.sees(share.session))["gaps"] == []
        await _agrees(server)


async def test_a_buffer_on_a_disk_that_hangs_costs_only_what_could_not_be_kept(tmp_path: Path) -> None:
    async with (
        a_server_on(tmp_path, "buffer") as (disk, server),
        server.person("root", admin=True) as person,
        sharing(person, "room") as share,
    ):
        await person.sees_buffered(share.session, 4)
        saved = await person.sees_stored(await person.captures(share.session, durationSeconds=2))
        digest = person.digest(await person.downloads(saved))
        recorder = await server.recorder_pid()
        disk.hangs()
        hung_us = now_us()
        asked = [asyncio.create_task(_outcome(person.sees(share.session))) for _ in range(MORE_THAN_THREADS)]
        assert {await one for one in asked} == {"storage-unavailable"}
        assert person.digest(await person.downloads(saved)) == digest, "clips are on another disk"
        await _says(person, "buffer", "disk does not answer")
        assert await _start(person) == (503, "The buffer directory's disk does not answer")
        assert await _captured(person, share.session) == "storage-unavailable"
        assert (await person.clip(saved))["status"] == "ready"
        over_us = hung_us + (KILLED_AFTER_SECONDS + 5) * 1_000_000
        await eventually(lambda: now_us() > over_us, within=60, what="the time it hangs")
        disk.answers()
        back_us = now_us()
        await _is_ready(person)
        seen = await person.sees_buffered_until(share.session, back_us + 2_000_000)
        assert await server.recorder_pid() == recorder, "another one would have waited, too"
        assert microseconds(seen["bufferedUntil"]) < now_us() + 500_000, "nothing is from the future"
        missing_s = sum(seconds_of(gap) for gap in seen["gaps"])
        assert missing_s < (back_us - hung_us) / 1e6 + 3, "no more is said to be missing than the disk was away"
        await _shows_the_true_time(person, share.session, seen)
        assert person.digest(await person.downloads(saved)) == digest
        await _agrees(server)


@pytest.mark.parametrize("root", ["storage", "buffer"])
async def test_a_stale_mount_is_named_and_is_over_when_it_is_over(tmp_path: Path, root: str) -> None:
    sentence = f"{NAMES[root]}'s network mount is stale"
    async with (
        a_server_on(tmp_path, root) as (disk, server),
        server.person("root", admin=True) as person,
        sharing(person, "room") as share,
    ):
        await person.sees_buffered(share.session, 3)
        saved = await person.sees_stored(await person.captures(share.session, durationSeconds=2))
        disk.is_stale()
        stale_us = now_us()
        await _says(person, root, "network mount is stale")
        assert await _start(person) == (503, sentence)
        assert await _captured(person, share.session) == "storage-unavailable"
        if root == "buffer":
            assert await _outcome(person.sees(share.session)) == "storage-unavailable"
            await eventually(lambda: "The buffer's network mount is stale" in server.log, what="a word in the log")
        else:
            await person.sees_buffered_until(share.session, stale_us + 2_000_000)
        disk.answers()
        await _is_ready(person)
        seen = await person.sees_buffered_until(share.session, now_us() + 1_000_000)
        assert sum(seconds_of(gap) for gap in seen["gaps"]) < (now_us() - stale_us) / 1e6
        clip = await person.captures(share.session, durationSeconds=1)
        assert len(pictures(await person.downloads(clip))) == pytest.approx(30, abs=3)
        await person.sees_stored(clip)
        assert len(pictures(await person.downloads(saved))) == pytest.approx(60, abs=3)
        await _agrees(server)


async def test_a_server_can_be_stopped_while_its_buffer_hangs(tmp_path: Path) -> None:
    with a_network_disk(tmp_path / "disk") as disk:
        settings = {PATHS["buffer"]: str(disk.folder)}
        async with (
            an_installation(tmp_path / "home", ground=disk.ground, **settings) as server,
            server.person("sharer") as person,
            sharing(person, "room") as share,
        ):
            await person.sees_buffered(share.session, 2)
            disk.hangs()
            await _captured(person, share.session)
        # This block has ended with the server's end, while the disk hangs.


async def _answers_about_the_buffer(person: Person, session: Json) -> None:
    where = f"sessions/{session['sessionId']}"
    assert (await person.http.get("/healthz")).is_success
    assert (await person.sees(session))["status"] == "recording"
    segments = (await person.answer("GET", f"{where}/timeline")).json()["segments"]
    media = await person.answer("GET", f"{where}/segments/{segments[0]['number']}/media")
    assert media.content
    assert (await person.clips())[0]["status"] == "ready"


async def _says(person: Person, root: str, reason: str) -> None:
    """Wait until readiness says what is wrong."""

    async def said() -> bool:
        checks = (await person.http.get("/readyz")).json()["checks"]
        found = next(check for check in checks if check["name"] == root)
        return str(found["reason"]) == f"{NAMES[root]}'s {reason}"

    await eventually(said, what=f"readiness to say: {reason}")


async def _agrees(server: Installation) -> None:
    """Wait until buffer, clips and rows agree: what could not be done meanwhile is done within half a minute."""

    async def clean() -> bool:
        return (await server.check())[0] == 0

    await eventually(clean, within=60, what="a clean check")


async def _is_ready(person: Person) -> None:
    async def ready() -> bool:
        return (await person.http.get("/readyz")).is_success

    await eventually(ready, what="readiness")


async def _start(person: Person) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        await person.answer("POST", "start", json={"roomName": "other", "source": "synthetic"})
    return refused.value.status, refused.value.problem["detail"]


async def _captured(person: Person, session: Json, key: str | None = None) -> str:
    return await _outcome(person.captures(session, key=key, **WANTED))


async def _outcome(asked: Awaitable[Any]) -> str:
    try:
        await asked
    except Refused as refused:
        return refused.code
    return "done"


async def _shows_the_true_time(person: Person, session: Json, seen: Json) -> None:
    """What is buffered is as long as it says, apart from what it says is missing."""
    begun_us, until_us = microseconds(seen["bufferedFrom"]), microseconds(seen["bufferedUntil"])
    clip = await person.captures(session, start=-(-begun_us // 1000), end=until_us // 1000, allowGaps=True)
    assert len(pictures(await person.downloads(clip))) == pytest.approx(
        (clip["durationSeconds"] - sum(seconds_of(gap) for gap in clip["gaps"])) * 30, abs=10
    )
