"""Things that happen at the same time, and what is left after a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support.installation import an_installation
from tests.support.people import Refused, microseconds
from tests.support.pictures import duration
from tests.support.publishers import sharing
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation
    from tests.support.people import Json, Person


async def test_two_clicks_at_once_make_one_clip(server: Installation) -> None:
    async with server.person("nervous") as person:
        async with sharing(person, "twice") as share:
            seen = await person.sees_buffered(share.session, 4)
        start = microseconds(seen["bufferedFrom"]) // 1000 + 1
        clips = await asyncio.gather(
            *(person.captures(share.session, start=start, end=start + 2000, title="Once") for _ in range(5))
        )
        assert len({clip["clipId"] for clip in clips}) == 1
        assert len(await person.clips()) == 1


async def test_the_same_key_means_the_same_clip(server: Installation) -> None:
    async with server.person("retrier") as person, sharing(person, "retry") as share:
        await person.sees_buffered(share.session, 2)
        first = await person.captures(share.session, durationSeconds=1, key="click-1")
        await person.sees_buffered(share.session, 3)
        again = await person.captures(share.session, durationSeconds=1, key="click-1")
        other = await person.captures(share.session, durationSeconds=1, key="click-2")
    assert again["clipId"] == first["clipId"]
    assert other["clipId"] != first["clipId"]


async def test_forty_captures_at_once_all_succeed(server: Installation) -> None:
    async with server.person("crowd") as person, sharing(person, "crowd") as share:
        await person.sees_buffered(share.session, 4)
        clips = await asyncio.gather(
            *(person.captures(share.session, durationSeconds=1 + n / 50, title=f"Clip {n}") for n in range(40))
        )
        assert len({clip["clipId"] for clip in clips}) == 40
        for clip in clips[::13]:
            assert duration(await person.downloads(clip)) == pytest.approx(clip["durationSeconds"], abs=0.001)


async def test_a_second_share_of_the_same_person_is_refused(server: Installation) -> None:
    async with server.person("octopus") as person, sharing(person, "one") as share:
        with pytest.raises(Refused) as refusal:
            await person.starts_the_demo("two")
    assert refusal.value.problem["detail"] == "User already has an active replay buffer"
    assert refusal.value.problem["sessionId"] == share.session["sessionId"]


async def test_what_belongs_to_others_looks_absent(server: Installation) -> None:
    async with server.person("owner") as owner, server.person("stranger") as stranger:
        async with sharing(owner, "private") as share:
            await owner.sees_buffered(share.session, 2)
            clip = await owner.captures(share.session, durationSeconds=1)
        for forbidden in (stranger.clip(clip), stranger.deletes(clip), stranger.stops(share.session)):
            with pytest.raises(Refused) as refusal:
                await forbidden
            assert refusal.value.status == 404
        assert await stranger.clips() == []


async def test_deleting_while_somebody_downloads_does_not_break_the_download(server: Installation) -> None:
    async with server.person("deleter") as person, sharing(person, "delete") as share:
        await person.sees_buffered(share.session, 4)
        clip = await person.captures(share.session, durationSeconds=3)
        whole = await person.downloads(clip)
        async with person.stranger() as http, http.stream("GET", clip["videoUrl"]) as answer:
            parts = answer.aiter_bytes(4096)
            begun = await anext(parts)
            await person.deletes(clip)
            rest = b"".join([part async for part in parts])
        assert begun + rest == whole
        with pytest.raises(Refused) as refusal:
            await person.clip(clip)
        assert refusal.value.status == 404


async def test_eviction_breaks_no_clip_and_no_download(tmp_path: Path) -> None:
    short = {
        "REPLAY_BUFFER_DURATION_MINUTES": "0.1",
        "REPLAY_CLEANUP_BUFFER_MINUTES": "0.1",
        "REPLAY_SEGMENT_DURATION_SECONDS": "2",
    }
    async with (
        an_installation(tmp_path / "home", **short) as server,
        server.person("slow") as person,
        sharing(person, "evict") as share,
    ):
        seen = await person.sees_buffered(share.session, 5)
        clip = await person.captures(share.session, durationSeconds=4)
        whole = await person.downloads(clip)
        async with person.stranger() as http, http.stream("GET", clip["videoUrl"]) as answer:
            parts = answer.aiter_bytes(4096)
            begun = await anext(parts)
            await _everything_of_it_is_evicted(person, share.session, microseconds(seen["bufferedUntil"]))
            rest = b"".join([part async for part in parts])
        assert begun + rest == whole
        assert await person.downloads(clip) == whole


async def test_after_a_restart_the_library_is_what_it_was(tmp_path: Path) -> None:
    async with an_installation(tmp_path / "home") as server, server.person("keeper") as person:
        async with sharing(person, "restart") as share:
            await person.sees_buffered(share.session, 4)
            clips = [await person.captures(share.session, durationSeconds=n, title=f"{n} s") for n in (1, 2, 3)]
            media = [await person.downloads(clip) for clip in clips]
        await person.deletes(clips[0])
        await server.restart()
        assert [clip["title"] for clip in await person.clips()] == ["3 s", "2 s"]
        for clip, before in zip(clips[1:], media[1:], strict=True):
            stored = await person.sees_stored(clip)
            assert stored["sha256"] == person.digest(before)
            assert await person.downloads(stored) == before
        assert await person.captures(share.session, durationSeconds=1)
        status, printed = await server.check()
        assert status == 0, printed


async def test_ranges_and_tags_are_those_of_an_ordinary_file(server: Installation) -> None:
    async with server.person("seeker") as person, sharing(person, "ranges") as share:
        await person.sees_buffered(share.session, 3)
        clip = await person.captures(share.session, durationSeconds=2)
        whole = await person.downloads(clip)
        async with person.stranger() as http:
            await _ranges_are_right(http, clip["videoUrl"], whole)


async def _ranges_are_right(http: httpx.AsyncClient, url: str, whole: bytes) -> None:
    size = len(whole)
    for wanted, start, stop in (("0-0", 0, 1), ("100-299", 100, 300), ("-500", size - 500, size), ("7-", 7, size)):
        answer = await http.get(url, headers={"Range": f"bytes={wanted}"})
        assert answer.status_code == httpx.codes.PARTIAL_CONTENT
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert answer.content == whole[start:stop]
    beyond = await http.get(url, headers={"Range": f"bytes={size}-"})
    assert beyond.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
    head = await http.head(url)
    assert (head.headers["accept-ranges"], int(head.headers["content-length"])) == ("bytes", size)
    unchanged = await http.get(url, headers={"If-None-Match": head.headers["etag"]})
    assert unchanged.status_code == httpx.codes.NOT_MODIFIED


async def _everything_of_it_is_evicted(person: Person, session: Json, until_us: int) -> None:
    async def evicted() -> bool:
        return microseconds((await person.sees(session))["bufferedFrom"]) > until_us

    await eventually(evicted, within=40, what="eviction")
