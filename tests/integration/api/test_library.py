"""The library at the HTTP edge: found again, named, shared with a community or by link, deleted and brought back."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support.people import BASE, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.installation import Installation
    from tests.support.people import Json, Person

COMMUNITY = "library"
ROOM = "library:Retro ÜBER alles"
TITLES = ("Cursor jumps", "Why the CACHE missed", "Cursor again")


@pytest.fixture(scope="module")
def clips(server: Installation) -> list[Json]:
    """Three clips of carol in a room of the community, oldest first, each longer than the one before."""

    async def save() -> list[Json]:
        async with server.person("root", admin=True) as root:
            await root.answer("PUT", "rooms/" + ROOM.replace(" ", "%20"), json={"communityId": COMMUNITY})
        async with server.person("carol") as carol:
            share = await carol.starts_the_demo(ROOM)
            await carol.sees_buffered(share, 4)
            made = [
                await carol.captures(share, durationSeconds=1 + number, title=title)
                for number, title in enumerate(TITLES)
            ]
            await carol.stops(share)
            return [await carol.sees_stored(clip) for clip in made]

    return asyncio.run(save())


@pytest.fixture
async def carol(server: Installation) -> AsyncIterator[Person]:
    async with server.person("carol") as person:
        yield person


@pytest.fixture
async def member(server: Installation) -> AsyncIterator[Person]:
    async with server.person("mia", communities={COMMUNITY: ["member"]}) as person:
        yield person


@pytest.fixture
async def moderator(server: Installation) -> AsyncIterator[Person]:
    async with server.person("mo", communities={COMMUNITY: ["moderator"]}) as person:
        yield person


@pytest.fixture
async def root(server: Installation) -> AsyncIterator[Person]:
    async with server.person("root", admin=True) as person:
        yield person


async def titles(person: Person, path: str = "my-clips", **asked: object) -> list[str]:
    page = (await person.answer("GET", path, params={"sort": "oldest", **asked})).json()
    return [clip["title"] for clip in page["items"]]


async def changed(person: Person, clip: Json, **wish: object) -> Json:
    answer: Json = (await person.answer("PATCH", f"clips/{clip['clipId']}", json=wish)).json()
    return answer


@asynccontextmanager
async def visible(carol: Person, clip: Json, visibility: str) -> AsyncIterator[Json]:
    """The clip is shown for the time of the block."""
    try:
        yield await changed(carol, clip, visibility=visibility)
    finally:
        await changed(carol, clip, visibility="private")


async def refused(person: Person, method: str, path: str, **more: object) -> tuple[int, str]:
    with pytest.raises(Refused) as refusal:
        await person.answer(method, path, **more)
    return refusal.value.status, refusal.value.code


async def test_clips_say_whose_they_are_and_who_sees_them(carol: Person, clips: list[Json]) -> None:
    clip = await carol.clip(clips[0])
    assert (clip["userId"], clip["userName"], clip["mine"]) == ("carol", "Carol", True)
    assert clip["sharer"] == {"userId": "carol", "name": "Carol"}
    assert (clip["visibility"], clip["shareUrl"], clip["tags"]) == ("private", None, [])
    assert clip["communityId"] == COMMUNITY


async def test_a_viewers_clip_says_whose_share_it_shows(root: Person, clips: list[Json]) -> None:
    clip = await root.captures(clips[0], durationSeconds=1, title="Seen by root")
    assert (clip["userId"], clip["mine"]) == ("root", True)
    assert clip["sharer"] == {"userId": "carol", "name": "Carol"}
    assert await titles(root, q="CAROL seen") == ["Seen by root"]
    await root.deletes(clip)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, TITLES),
        ({"q": "cursor"}, (TITLES[0], TITLES[2])),
        ({"q": "über cache"}, (TITLES[1],)),
        ({"q": "nothing"}, ()),
        ({"room": ROOM}, TITLES),
        ({"room": ROOM.lower()}, ()),
        ({"community": COMMUNITY}, TITLES),
        ({"community": "other"}, ()),
        ({"from": "2020-01-01T00:00:00Z", "to": "9000-01-01T00:00:00Z"}, TITLES),
        ({"to": "2020-01-01T00:00:00Z"}, ()),
        ({"sort": "longest"}, TITLES[::-1]),
        ({"sort": "newest"}, TITLES[::-1]),
        ({"visibility": "link"}, ()),
    ],
)
async def test_clips_are_found_by_words_filters_and_order(
    carol: Person, clips: list[Json], asked: dict[str, str], found: tuple[str, ...]
) -> None:
    assert len(clips) == len(TITLES)
    assert tuple(await titles(carol, **asked)) == found


@pytest.mark.parametrize("sort", ["newest", "oldest", "longest", "largest"])
async def test_pages_join_in_every_order(carol: Person, clips: list[Json], sort: str) -> None:
    seen: list[str] = []
    asked: dict[str, object] = {"limit": 1, "sort": sort}
    while True:
        page = (await carol.answer("GET", "my-clips", params=asked)).json()
        seen += [clip["clipId"] for clip in page["items"]]
        if page["nextCursor"] is None:
            break
        asked["cursor"] = page["nextCursor"]
    assert sorted(seen) == sorted(clip["clipId"] for clip in clips)
    other = "oldest" if sort != "oldest" else "newest"
    assert await refused(carol, "GET", "my-clips", params={**asked, "sort": other}) == (400, "validation")


@pytest.mark.parametrize("asked", [{"sort": "random"}, {"limit": 0}, {"from": "x"}, {"cursor": "x"}, {"tag": ""}])
async def test_what_makes_no_sense_is_said(carol: Person, asked: dict[str, object]) -> None:
    assert await refused(carol, "GET", "my-clips", params=asked) == (400, "validation")


async def test_tags_are_kept_and_searched(carol: Person, clips: list[Json]) -> None:
    assert (await changed(carol, clips[0], tags=["#Incident", "incident", "Müll"]))["tags"] == ["Incident", "Müll"]
    assert await titles(carol, tag="#INCIDENT") == [TITLES[0]]
    assert await titles(carol, q="mül") == [TITLES[0]]
    assert await titles(carol, tag="inci") == []
    assert (await changed(carol, clips[0], tags=[]))["tags"] == []
    assert await titles(carol, tag="incident") == []


@pytest.mark.parametrize(
    "wish", [{"title": ""}, {"visibility": "all"}, {"tags": [""]}, {"tags": "x"}, {"owner": "bob"}]
)
async def test_changes_that_make_no_sense_are_refused(carol: Person, clips: list[Json], wish: Json) -> None:
    assert await refused(carol, "PATCH", f"clips/{clips[0]['clipId']}", json=wish) == (400, "validation")


async def test_a_community_sees_what_is_shown_to_it(
    carol: Person, member: Person, moderator: Person, bob: Person, clips: list[Json]
) -> None:
    clip, where = clips[1], f"clips/{clips[1]['clipId']}"
    assert await refused(member, "GET", where) == (404, "not-found")
    assert await titles(member, "clips", community=COMMUNITY) == []
    async with visible(carol, clip, "community"):
        seen = await member.clip(clip)
        assert (seen["mine"], seen["userId"], seen["shareUrl"]) == (False, "carol", None)
        assert await titles(member, "clips", community=COMMUNITY) == [clip["title"]]
        assert await titles(moderator, "clips", community=COMMUNITY) == list(TITLES)
        assert len(await member.fetches(seen["videoUrl"])) == clip["sizeBytes"]
        assert await refused(member, "PATCH", where, json={"title": "Mine"}) == (403, "permission-denied")
        assert await refused(member, "DELETE", where) == (403, "permission-denied")
        assert await refused(member, "POST", f"{where}/renditions", json={"format": "mp4"}) == (
            403,
            "permission-denied",
        )
        assert await refused(bob, "GET", where) == (404, "not-found")
        assert await refused(bob, "GET", "clips", params={"community": COMMUNITY}) == (404, "not-found")
    async with member.stranger() as stranger:
        assert (await stranger.get(seen["videoUrl"])).status_code == 404
    assert await refused(member, "GET", where) == (404, "not-found")


async def test_who_manages_a_community_changes_its_clips_and_no_others(
    moderator: Person, clips: list[Json], saved: Json
) -> None:
    seen = await changed(moderator, clips[2], title="Renamed")
    assert (seen["title"], seen["mine"]) == ("Renamed", False)
    assert len(await moderator.fetches(seen["downloadUrl"])) == seen["sizeBytes"]
    await changed(moderator, clips[2], title=TITLES[2])
    assert await refused(moderator, "GET", f"clips/{saved['clipId']}") == (404, "not-found")


async def test_a_link_shows_a_clip_to_anybody_until_it_ends(carol: Person, clips: list[Json]) -> None:
    async with carol.stranger() as stranger:
        async with visible(carol, clips[0], "link") as clip:
            key = clip["shareUrl"].rpartition("/shared/")[2]
            shared = (await stranger.get(f"{BASE}/shared/{key}")).json()
            assert (shared["title"], shared["userName"]) == (TITLES[0], "Carol")
            assert "userId" not in shared
            for url in (shared["videoUrl"], shared["downloadUrl"], shared["posterUrl"]):
                assert (await stranger.get(url)).status_code == httpx.codes.OK
            other = shared["videoUrl"].replace(clip["clipId"], clips[1]["clipId"])
            assert (await stranger.get(other)).status_code == httpx.codes.UNAUTHORIZED
            assert (await stranger.get(f"{BASE}/clips/{clip['clipId']}")).status_code == httpx.codes.UNAUTHORIZED
        for url in (f"{BASE}/shared/{key}", shared["videoUrl"], shared["posterUrl"]):
            assert (await stranger.get(url)).status_code == httpx.codes.NOT_FOUND
        async with visible(carol, clips[0], "link") as again:
            assert again["shareUrl"] != clip["shareUrl"]
            assert (await stranger.get(shared["videoUrl"])).status_code == httpx.codes.NOT_FOUND


async def test_the_key_of_a_link_is_in_no_log(carol: Person, server: Installation, clips: list[Json]) -> None:
    async with visible(carol, clips[0], "link") as clip, carol.stranger() as stranger:
        key = clip["shareUrl"].rpartition("/shared/")[2]
        assert (await stranger.get(f"{BASE}/shared/{key}")).status_code == httpx.codes.OK
        assert (await stranger.get(f"{BASE}/shared/{key}x")).status_code == httpx.codes.NOT_FOUND
    assert "/shared/[hidden]" in server.log
    assert key not in server.log


async def trail_of(root: Person, clip: Json) -> Counter[str]:
    trail = (await root.answer("GET", "admin/audit", params={"user": "carol", "limit": 100})).json()["items"]
    return Counter(entry["action"] for entry in trail if entry["target"] == clip["clipId"])


async def test_what_others_watch_and_take_is_in_the_audit_trail(
    carol: Person, member: Person, root: Person, clips: list[Json]
) -> None:
    before = await trail_of(root, clips[1])
    async with visible(carol, clips[1], "community"):
        seen = await member.clip(clips[1])
        await member.fetches(seen["videoUrl"])
        await member.fetches(seen["downloadUrl"])
    async with visible(carol, clips[1], "link") as clip, carol.stranger() as stranger:
        key = clip["shareUrl"].rpartition("/shared/")[2]
        await stranger.get((await stranger.get(f"{BASE}/shared/{key}")).json()["videoUrl"])
    await carol.fetches((await carol.clip(clips[1]))["videoUrl"])
    assert await trail_of(root, clips[1]) - before == {"clip.viewed": 2, "clip.downloaded": 1, "clip.shared": 4}


async def test_several_are_deleted_and_brought_back(carol: Person, bob: Person, clips: list[Json]) -> None:
    ids = [clip["clipId"] for clip in clips]
    nobodys = (await bob.answer("POST", "clips/delete", json={"clipIds": ids})).json()
    assert nobodys == {"deleted": [], "notFound": ids}
    deleted = (await carol.answer("POST", "clips/delete", json={"clipIds": [*ids[:2], "nothing"]})).json()
    assert deleted == {"deleted": ids[:2], "notFound": ["nothing"]}
    assert await titles(carol) == [TITLES[2]]
    restored = (await carol.answer("POST", "clips/restore", json={"clipIds": ids})).json()
    assert restored == {"restored": ids, "notFound": [], "overQuota": []}
    assert await titles(carol) == list(TITLES)
    assert await refused(carol, "POST", "clips/delete", json={"clipIds": []}) == (400, "validation")
