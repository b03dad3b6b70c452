"""What every ClipRepository promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.clip_builders import a_clip, a_gap, a_rendition
from tests.support.databases import DATABASES, a_database_of_kind
from tests.support.memory_clips import MemoryClipRepository

from lookback.clips.model import Interval, Storage, Visibility
from lookback.clips.ports import ClipRepository, Position, Selection, Sort
from lookback.db.clips import SqlClipRepository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(params=["memory", *DATABASES])
async def clips(request: pytest.FixtureRequest) -> AsyncIterator[ClipRepository]:
    if request.param == "memory":
        yield MemoryClipRepository()
        return
    async with a_database_of_kind(request.param, request) as engine:
        yield SqlClipRepository(engine)


async def ids(clips: ClipRepository, user: str = "alice", sort: Sort = Sort.NEWEST, **narrow: Any) -> list[str]:
    wanted = Selection(user_id=user, **narrow)
    return [c.clip_id for c in await clips.page(wanted, sort=sort, limit=100, after=None)]


async def test_what_is_added_is_found_again_with_all_of_it(clips: ClipRepository) -> None:
    clip = a_clip(
        community_id="c1",
        gaps=(a_gap(), a_gap(5, 6)),
        renditions=(a_rendition(status="ready", size_bytes=7, progress=1.0),),
        idempotency_key="k",
        visibility=Visibility.LINK,
        tags=("a", "Ü"),
        share_key="key",
        user_name="Alice",
        sharer_id="bob",
        sharer_name="Bob",
        sha256="ab",
        has_poster=True,
        deleted_at_us=9,
        audio_codec=None,
        storage=Storage.FILE,
    )
    assert await clips.add(clip) == clip
    assert await clips.get("clip-1") == clip


async def test_a_clip_that_is_not_there_is_none(clips: ClipRepository) -> None:
    assert await clips.get("nothing") is None
    assert await clips.by_idempotency_key("alice", "k") is None
    assert await clips.update("nothing", title="x") is None
    assert await clips.put_rendition("nothing", a_rendition()) is None
    await clips.remove_rendition("nothing", "r")
    await clips.remove("nothing")


async def test_a_key_makes_one_clip_only(clips: ClipRepository) -> None:
    first = await clips.add(a_clip("a", idempotency_key="k"))
    assert await clips.add(a_clip("b", idempotency_key="k")) == first
    assert await clips.get("b") is None
    assert await clips.by_idempotency_key("alice", "k") == first


async def test_keys_of_different_users_do_not_meet(clips: ClipRepository) -> None:
    await clips.add(a_clip("a", idempotency_key="k"))
    other = await clips.add(a_clip("b", user_id="bob", idempotency_key="k"))
    assert other.clip_id == "b"


async def test_clips_without_key_do_not_meet(clips: ClipRepository) -> None:
    await clips.add(a_clip("a"))
    assert (await clips.add(a_clip("b"))).clip_id == "b"


async def test_the_same_id_is_inserted_once(clips: ClipRepository) -> None:
    first = await clips.add(a_clip("a"))
    assert await clips.add(a_clip("a", title="other")) == first


async def test_two_adds_at_once_agree_on_one_clip(clips: ClipRepository) -> None:
    made = await asyncio.gather(*(clips.add(a_clip(f"c{n}", idempotency_key="k")) for n in range(4)))
    assert len({clip.clip_id for clip in made}) == 1
    assert len(await clips.all_clips()) == 1


async def test_pages_are_newest_first_and_then_by_id(clips: ClipRepository) -> None:
    for clip_id, at in (("a", 1), ("c", 2), ("b", 2), ("d", 3)):
        await clips.add(a_clip(clip_id, created_at_us=at))
    assert await ids(clips) == ["d", "c", "b", "a"]


@pytest.mark.parametrize("sort", Sort)
async def test_pages_join_without_hole_and_repetition_in_every_order(clips: ClipRepository, sort: Sort) -> None:
    for number in range(7):
        at = number // 3
        await clips.add(a_clip(f"c{number}", created_at_us=at, size_bytes=at % 2, delivered=Interval(0, 5 - at)))
    seen: list[str] = []
    after: Position | None = None
    while page := await clips.page(Selection(user_id="alice"), sort=sort, limit=2, after=after):
        seen += [clip.clip_id for clip in page]
        after = sort.key(page[-1])
    assert seen == await ids(clips, sort=sort)
    assert len(seen) == 7


@pytest.mark.parametrize(("query", "sort"), [("demo", Sort.LONGEST), ("demo", Sort.LARGEST), ("c", Sort.OLDEST)])
async def test_pages_of_a_search_join_as_well(clips: ClipRepository, query: str, sort: Sort) -> None:
    for number in range(5):
        await clips.add(a_clip(f"c{number}", title=f"c{number}", size_bytes=number % 3, created_at_us=number))
    wanted, seen = Selection(user_id="alice", query=query), []
    after: Position | None = None
    while page := await clips.page(wanted, sort=sort, limit=2, after=after):
        seen += [clip.clip_id for clip in page]
        after = sort.key(page[-1])
    assert seen == await ids(clips, query=query, sort=sort)
    assert len(seen) == 5


async def test_what_is_saved_renamed_or_deleted_meanwhile_moves_no_page(clips: ClipRepository) -> None:
    for number in range(4):
        await clips.add(a_clip(f"c{number}", created_at_us=number))
    wanted = Selection(user_id="alice")
    first = await clips.page(wanted, sort=Sort.NEWEST, limit=2, after=None)
    await clips.add(a_clip("new", created_at_us=9))
    await clips.update("c3", title="Another")
    await clips.update("c2", deleted_at_us=1)
    second = await clips.page(wanted, sort=Sort.NEWEST, limit=2, after=Sort.NEWEST.key(first[-1]))
    assert [c.clip_id for c in first] == ["c3", "c2"]
    assert [c.clip_id for c in second] == ["c1", "c0"]


async def test_orders_go_by_time_length_and_size(clips: ClipRepository) -> None:
    await clips.add(a_clip("a", created_at_us=1, delivered=Interval(0, 30), size_bytes=200))
    await clips.add(a_clip("b", created_at_us=2, delivered=Interval(0, 10), size_bytes=300))
    await clips.add(a_clip("c", created_at_us=3, delivered=Interval(0, 20), size_bytes=100))
    assert [await ids(clips, sort=sort) for sort in Sort] == [
        ["c", "b", "a"],
        ["a", "b", "c"],
        ["a", "c", "b"],
        ["b", "a", "c"],
    ]


async def test_a_communitys_list_holds_its_clips_of_everybody(clips: ClipRepository) -> None:
    await clips.add(a_clip("a", community_id="c1", visibility=Visibility.COMMUNITY, created_at_us=2))
    await clips.add(a_clip("b", community_id="c1", user_id="bob", created_at_us=1))
    await clips.add(a_clip("c", community_id="c2", visibility=Visibility.COMMUNITY))
    await clips.add(a_clip("d"))
    newest: dict[str, Any] = {"sort": Sort.NEWEST, "limit": 9, "after": None}
    assert [c.clip_id for c in await clips.page(Selection(community_id="c1"), **newest)] == ["a", "b"]
    seen = Selection(community_id="c1", visibility=Visibility.COMMUNITY)
    assert [c.clip_id for c in await clips.page(seen, **newest)] == ["a"]
    await clips.update("b", visibility=Visibility.COMMUNITY)
    assert [c.clip_id for c in await clips.page(seen, **newest)] == ["a", "b"]


async def test_lists_are_narrowed_by_room_community_tag_visibility_and_time(clips: ClipRepository) -> None:
    tagged = {"tags": ("Incident", "x"), "visibility": Visibility.LINK, "share_key": "k"}
    await clips.add(a_clip("a", room_name="Demo", community_id="c1", created_at_us=10, **tagged))
    await clips.add(a_clip("b", room_name="demo", tags=("incident-2",), created_at_us=20))
    assert await ids(clips, room_name="demo") == ["b"]
    assert await ids(clips, community_id="c1") == ["a"]
    assert await ids(clips, tag="incident") == ["a"]
    assert await ids(clips, tag="cident") == []
    assert await ids(clips, visibility=Visibility.LINK) == ["a"]
    assert await ids(clips, from_us=10, until_us=20) == ["a"]
    assert await ids(clips, from_us=20) == ["b"]
    assert await ids(clips, tag="x", room_name="demo") == []


async def test_a_clip_is_found_by_its_link(clips: ClipRepository) -> None:
    assert await clips.by_share_key("k") is None
    shared = await clips.add(a_clip("a", visibility=Visibility.LINK, share_key="k"))
    await clips.add(a_clip("b"))
    assert await clips.by_share_key("k") == shared
    await clips.update("a", visibility=Visibility.PRIVATE, share_key=None)
    assert await clips.by_share_key("k") is None


async def test_the_largest_are_those_that_take_up_most(clips: ClipRepository) -> None:
    await clips.add(a_clip("small", size_bytes=10))
    await clips.add(a_clip("large", size_bytes=30))
    await clips.add(a_clip("gone", size_bytes=90, deleted_at_us=1))
    ready = a_rendition("r", "ready", size_bytes=15)
    await clips.add(a_clip("derived", size_bytes=20, container="webm", renditions=(ready,)))
    assert [c.clip_id for c in await clips.largest("alice", 2)] == ["derived", "large"]


async def test_a_page_shows_the_users_own_undeleted_clips(clips: ClipRepository) -> None:
    await clips.add(a_clip("mine"))
    await clips.add(a_clip("theirs", user_id="bob"))
    await clips.add(a_clip("gone", deleted_at_us=1))
    await clips.add(a_clip("broken", status="failed", created_at_us=0))
    assert await ids(clips) == ["mine", "broken"]


@pytest.mark.parametrize(
    "query",
    ["ÜBER", "u\u0308ber", "ber d", "standup", "STAND", "deploy STANDUP", "会", "Strasse", "\uff22ob", "incid", "bob"],
)
async def test_a_search_finds_every_word_anywhere_whatever_its_case(clips: ClipRepository, query: str) -> None:
    shown = {"sharer_id": "u-7", "sharer_name": "Bob", "tags": ("Incident", "会議")}
    await clips.add(a_clip("found", title="Über den Deploy der Straße", room_name="Standup", **shown))
    await clips.add(a_clip("other", title="Retro", room_name="demo"))
    assert await ids(clips, query=query) == ["found"]


async def test_a_search_wants_all_words(clips: ClipRepository) -> None:
    await clips.add(a_clip("found", title="Über den Deploy"))
    assert await ids(clips, query="deploy nothing") == []
    assert await ids(clips, query=" \t ") == ["found"]


@pytest.mark.parametrize("query", ["%", "_", "\\", "'"])
async def test_a_search_takes_every_character_as_it_is(clips: ClipRepository, query: str) -> None:
    await clips.add(a_clip("found", title=f"a{query}b"))
    await clips.add(a_clip("other", title="axb"))
    assert await ids(clips, query=query) == ["found"]


async def test_an_update_changes_what_it_names(clips: ClipRepository) -> None:
    clip = await clips.add(a_clip(has_poster=True))
    changed = await clips.update("clip-1", title="New", storage=Storage.FILE, sha256="ab")
    assert changed is not None
    assert (changed.title, changed.storage, changed.sha256, changed.has_poster) == ("New", Storage.FILE, "ab", True)
    assert changed == await clips.get("clip-1")
    assert changed.delivered == clip.delivered
    assert await ids(clips, query="new") == ["clip-1"]
    assert await ids(clips, query="moment") == []


async def test_a_delete_can_be_undone(clips: ClipRepository) -> None:
    await clips.add(a_clip())
    await clips.update("clip-1", deleted_at_us=5)
    assert await ids(clips) == []
    await clips.update("clip-1", deleted_at_us=None)
    assert await ids(clips) == ["clip-1"]


async def test_updates_of_different_columns_do_not_undo_each_other(clips: ClipRepository) -> None:
    await clips.add(a_clip())
    await asyncio.gather(
        clips.update("clip-1", title="New"),
        clips.update("clip-1", has_poster=True),
        clips.put_rendition("clip-1", a_rendition()),
        clips.update("clip-1", sha256="ab"),
    )
    clip = await clips.get("clip-1")
    assert clip is not None
    assert (clip.title, clip.has_poster, clip.sha256, len(clip.renditions)) == ("New", True, "ab", 1)


async def test_renditions_are_put_replaced_and_removed(clips: ClipRepository) -> None:
    await clips.add(a_clip(container="webm"))
    await clips.put_rendition("clip-1", a_rendition("a"))
    await clips.put_rendition("clip-1", a_rendition("b"))
    clip = await clips.put_rendition("clip-1", a_rendition("a", status="running", progress=0.5))
    assert clip is not None
    assert {r.rendition_id: r.progress for r in clip.renditions} == {"a": 0.5, "b": 0.0}
    await clips.remove_rendition("clip-1", "b")
    left = await clips.get("clip-1")
    assert left is not None
    assert [r.rendition_id for r in left.renditions] == ["a"]


async def test_a_removed_clip_is_gone(clips: ClipRepository) -> None:
    await clips.add(a_clip(renditions=(a_rendition(),), idempotency_key="k"))
    await clips.remove("clip-1")
    assert await clips.get("clip-1") is None
    assert (await clips.add(a_clip("again", idempotency_key="k"))).clip_id == "again"


async def test_unfinished_clips_are_those_with_something_to_do_oldest_first(clips: ClipRepository) -> None:
    done = {"storage": Storage.FILE, "has_poster": True, "container": "webm"}
    await clips.add(a_clip("done", **done))
    await clips.add(a_clip("made", renditions=(a_rendition(status="ready"),), **done))
    await clips.add(a_clip("virtual", created_at_us=3, has_poster=True))
    await clips.add(a_clip("posterless", created_at_us=2, storage=Storage.FILE))
    await clips.add(a_clip("running", created_at_us=1, renditions=(a_rendition(status="running"),), **done))
    await clips.add(a_clip("failed", status="failed"))
    await clips.add(a_clip("deleted", deleted_at_us=1))
    assert [c.clip_id for c in await clips.unfinished()] == ["running", "posterless", "virtual"]


async def test_deleted_clips_are_found_by_when(clips: ClipRepository) -> None:
    await clips.add(a_clip("alive"))
    for clip_id, at in (("old", 10), ("new", 20)):
        await clips.add(a_clip(clip_id, deleted_at_us=at))
    assert [c.clip_id for c in await clips.deleted_before(20)] == ["old"]
