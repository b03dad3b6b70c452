"""A clip's bytes over HTTP: ranges, conditions, names, links (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx
    from tests.support.people import Json, Person


@pytest.fixture
def size(saved: Json) -> int:
    return int(saved["sizeBytes"])


async def test_the_whole_clip_says_what_it_is(stranger: httpx.AsyncClient, saved: Json, alice: Person) -> None:
    answer = await stranger.get(saved["videoUrl"])
    assert answer.status_code == 200
    assert alice.digest(answer.content) == saved["sha256"]
    headers = answer.headers
    assert (headers["content-type"], headers["etag"]) == ("video/mp4", saved["etag"])
    assert (headers["accept-ranges"], headers["content-length"]) == ("bytes", str(saved["sizeBytes"]))
    assert headers["content-disposition"].startswith("inline; ")
    assert "private" in headers["cache-control"]
    download = await stranger.head(saved["downloadUrl"])
    assert download.headers["content-disposition"] == (
        "attachment; filename=\"Deploy uber alles.mp4\"; filename*=UTF-8''Deploy%20%C3%BCber%20alles.mp4"
    )


async def test_parts_are_the_same_bytes(stranger: httpx.AsyncClient, saved: Json, size: int) -> None:
    whole = (await stranger.get(saved["videoUrl"])).content
    for wanted, start, stop in (
        ("bytes=0-0", 0, 1),
        ("bytes=10-99", 10, 100),
        (f"bytes={size - 5}-", size - 5, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=5-{size * 2}", 5, size),
        (f"bytes=-{size * 2}", 0, size),
    ):
        answer = await stranger.get(saved["videoUrl"], headers={"Range": wanted})
        assert answer.status_code == 206, wanted
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert answer.headers["content-length"] == str(stop - start)
        assert answer.content == whole[start:stop]


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "lines=0-1", "bytes=9-3", "bytes=", "bytes=a-b", "nonsense"])
async def test_what_is_no_single_range_gives_all_of_it(
    stranger: httpx.AsyncClient, saved: Json, size: int, wanted: str
) -> None:
    answer = await stranger.get(saved["videoUrl"], headers={"Range": wanted})
    assert (answer.status_code, len(answer.content)) == (200, size)


async def test_a_range_outside_says_how_long_it_is(stranger: httpx.AsyncClient, saved: Json, size: int) -> None:
    for wanted in (f"bytes={size}-", "bytes=-0"):
        answer = await stranger.get(saved["videoUrl"], headers={"Range": wanted})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_if_range_with_another_version_gives_all_of_it(
    stranger: httpx.AsyncClient, saved: Json, size: int
) -> None:
    for tag, status, length in ((saved["etag"], 206, 10), ('"other"', 200, size), (f"W/{saved['etag']}", 200, size)):
        answer = await stranger.get(saved["videoUrl"], headers={"Range": "bytes=0-9", "If-Range": tag})
        assert (answer.status_code, len(answer.content)) == (status, length)


async def test_conditions_hold(stranger: httpx.AsyncClient, saved: Json) -> None:
    for tag in (saved["etag"], f"W/{saved['etag']}", f'"x", {saved["etag"]}', "*"):
        known = await stranger.get(saved["videoUrl"], headers={"If-None-Match": tag, "Range": "bytes=0-1"})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", saved["etag"])
    changed = await stranger.get(saved["videoUrl"], headers={"If-Match": '"x"'})
    assert (changed.status_code, changed.json()["code"]) == (412, "precondition-failed")
    assert (await stranger.get(saved["videoUrl"], headers={"If-Match": saved["etag"]})).status_code == 200


async def test_head_says_the_same_without_the_bytes(stranger: httpx.AsyncClient, saved: Json, size: int) -> None:
    got = await stranger.get(saved["videoUrl"])
    for headers in ({}, {"Range": "bytes=0-9"}):
        head = await stranger.head(saved["videoUrl"], headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(size)
        assert {n: v for n, v in head.headers.items() if n != "date"} == {
            n: v for n, v in got.headers.items() if n != "date"
        }
    assert (await stranger.head(saved["videoUrl"], headers={"If-None-Match": saved["etag"]})).status_code == 304
    assert (await stranger.head(saved["posterUrl"])).headers["content-type"] == "image/webp"


async def test_a_link_that_was_changed_does_not_hold(stranger: httpx.AsyncClient, saved: Json) -> None:
    link = saved["videoUrl"]
    for forged in (
        link.replace("user=alice", "user=bob"),
        link.replace("for=play", "for=download"),
        link.replace("expires=", "expires=9"),
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.replace("/video?", "/poster?"),
        link.replace("signature=", "sig="),
        f"{link}&user=bob",
    ):
        answer = await stranger.get(forged)
        assert answer.status_code == 401, forged
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_link_opens_media_only(stranger: httpx.AsyncClient, saved: Json) -> None:
    query = saved["videoUrl"].partition("?")[2]
    for method, path in (("GET", f"clips/{saved['clipId']}"), ("DELETE", f"clips/{saved['clipId']}"), ("GET", "me")):
        assert (await stranger.request(method, f"/livekit-replay/{path}?{query}")).status_code == 401


async def test_segments_and_thumbnails_are_served_by_links(
    alice: Person, stranger: httpx.AsyncClient, saved: Json
) -> None:
    timeline = (await alice.answer("GET", f"sessions/{saved['sessionId']}/timeline")).json()
    segment = timeline["segments"][0]
    whole = await stranger.get(segment["mediaUrl"])
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    fragment = segment["fragments"][-1]
    start, stop = fragment["offset"], fragment["offset"] + fragment["size"]
    part = await stranger.get(segment["mediaUrl"], headers={"Range": f"bytes={start}-{stop - 1}"})
    assert (part.status_code, part.content) == (206, whole.content[start:stop])
    after = (await alice.answer("GET", f"sessions/{saved['sessionId']}/timeline?after=1000000")).json()
    assert after["segments"] == []
