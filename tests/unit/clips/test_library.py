from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.audit import a_trail
from tests.support.clip_builders import a_clip
from tests.support.clip_studio import ADMIN, ALICE, BOB, SECOND, ManualClock
from tests.support.memory_clips import MemoryClipRepository

from lookback.buffer.layout import BufferLayout
from lookback.clips.changes import ClipWish, checked_tags, checked_title
from lookback.clips.cursor import parse_cursor, write_cursor
from lookback.clips.library import Library
from lookback.clips.model import Visibility
from lookback.clips.ports import Selection, Sort
from lookback.clips.quota import UserQuota
from lookback.clips.rows import ClipRows
from lookback.clips.store import ClipStore
from lookback.errors import NotFoundError, PermissionDeniedError, QuotaExceededError, ValidationError

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.access.principal import Principal


@dataclass
class Shelf:
    repository: MemoryClipRepository
    clock: ManualClock
    library: Library


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    repository, clock = MemoryClipRepository(), ManualClock()
    rows = ClipRows(repository, ClipStore(tmp_path, BufferLayout(tmp_path)), a_trail())
    quota = a_quota(repository, clock, 10_000)
    keys = (f"key-{number}" for number in count(1))
    return Shelf(repository, clock, Library(repository, rows, clock, quota=quota, new_key=lambda: next(keys)))


def a_quota(repository: MemoryClipRepository, clock: ManualClock, quota_bytes: int | None) -> UserQuota:
    async def default_of(_community_id: str | None) -> int | None:
        return quota_bytes

    ids = (f"r-{number}" for number in count(1))
    return UserQuota(repository.ledger, repository, default_of, clock=clock, new_id=lambda: next(ids), holder="here")


async def page(shelf: Shelf, who: Principal = ALICE, **more: Any) -> tuple[list[str], str | None]:
    asked = {"sort": Sort.NEWEST, "limit": 100, "cursor": None, **more}
    wanted = asked.pop("wanted", Selection(user_id=who.user_id))
    clips, following = await shelf.library.page(who, wanted, **asked)
    return [clip.clip_id for clip in clips], following


@pytest.mark.parametrize("sort", Sort)
async def test_pages_follow_each_other(shelf: Shelf, sort: Sort) -> None:
    for number in range(5):
        await shelf.repository.add(a_clip(f"c{number}", created_at_us=number // 2))
    seen: list[str] = []
    found, cursor = await page(shelf, limit=2, sort=sort)
    while True:
        seen += found
        if cursor is None:
            break
        found, cursor = await page(shelf, limit=2, sort=sort, cursor=cursor)
    assert seen == (await page(shelf, sort=sort))[0]
    assert sorted(seen) == ["c0", "c1", "c2", "c3", "c4"]


async def test_the_last_page_says_that_it_is(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip())
    assert await page(shelf, limit=1) == (["clip-1"], None)
    assert await page(shelf, BOB, limit=1) == ([], None)


@pytest.mark.parametrize("limit", [-5, 0, 1])
async def test_a_page_has_at_least_one_clip(shelf: Shelf, limit: int) -> None:
    await shelf.repository.add(a_clip())
    assert (await page(shelf, limit=limit))[0] == ["clip-1"]


async def test_a_page_has_a_largest_size(shelf: Shelf) -> None:
    for number in range(250):
        await shelf.repository.add(a_clip(f"c{number}"))
    assert len((await page(shelf, limit=10_000))[0]) == 200


@given(st.text(max_size=40))
async def test_a_cursor_is_ours_or_refused(cursor: str) -> None:
    with suppress(ValidationError):
        value, name = parse_cursor(cursor, "newest")
        assert write_cursor(value, name, "newest").rstrip("=") == cursor.rstrip("=") or value >= 0


async def test_a_cursor_of_another_order_is_refused(shelf: Shelf) -> None:
    for number in range(3):
        await shelf.repository.add(a_clip(f"c{number}"))
    _, cursor = await page(shelf, limit=1)
    with pytest.raises(ValidationError):
        await page(shelf, limit=1, sort=Sort.LARGEST, cursor=cursor)


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, "a\nb", "a\0b"])
def test_titles_that_cannot_be_read_are_refused(title: str) -> None:
    with pytest.raises(ValidationError):
        checked_title(title)


@pytest.mark.parametrize("title", ["x" * 200, "Überraschung 🎉", "a/../b", "<b>"])
def test_titles_may_say_anything_else(title: str) -> None:
    assert checked_title(f" {title} ") == title


async def test_a_rename_is_seen_by_its_owner(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip())
    assert (await shelf.library.change(ALICE, "clip-1", ClipWish(title=" New "))).title == "New"
    with pytest.raises(NotFoundError):
        await shelf.library.change(BOB, "clip-1", ClipWish(title="Mine"))
    assert (await shelf.library.get(ADMIN, "clip-1")).title == "New"


async def test_what_is_deleted_looks_absent_and_can_be_restored_for_ten_minutes(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip())
    await shelf.library.delete(ALICE, "clip-1")
    for call in (
        shelf.library.get(ALICE, "clip-1"),
        shelf.library.change(ALICE, "clip-1", ClipWish(title="x")),
        shelf.library.delete(ALICE, "clip-1"),
        shelf.library.restore(BOB, "clip-1"),
    ):
        with pytest.raises(NotFoundError):
            await call
    shelf.clock.now_us += 599 * SECOND
    restored = await shelf.library.restore(ALICE, "clip-1")
    assert restored == await shelf.library.get(ALICE, "clip-1")
    assert await shelf.library.restore(ALICE, "clip-1") == restored
    await shelf.library.delete(ALICE, "clip-1")
    shelf.clock.now_us += 600 * SECOND
    with pytest.raises(NotFoundError):
        await shelf.library.restore(ALICE, "clip-1")


async def test_what_is_deleted_gives_its_room_back_at_once_and_needs_it_to_come_back(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip("a", size_bytes=6000))
    await shelf.library.delete(ALICE, "a")
    assert shelf.repository.used_bytes("alice") == 0
    await shelf.repository.add(a_clip("b", size_bytes=4001))
    with pytest.raises(QuotaExceededError) as caught:
        await shelf.library.restore(ALICE, "a")
    assert caught.value.facts == {
        "quotaBytes": 10_000,
        "usedBytes": 4001,
        "neededBytes": 6000,
        "largestClips": [{"clipId": "b", "title": "The moment", "sizeBytes": 4001}],
    }
    await shelf.library.delete(ALICE, "b")
    assert (await shelf.library.restore(ALICE, "a")).deleted_at_us is None
    assert shelf.repository.used_bytes("alice") == 6000


async def test_several_are_deleted_and_restored_as_far_as_that_goes(shelf: Shelf) -> None:
    for clip_id in ("a", "b"):
        await shelf.repository.add(a_clip(clip_id, size_bytes=6000))
    await shelf.repository.add(a_clip("theirs", user_id="bob"))
    deleted = await shelf.library.delete_all(ALICE, ["a", "theirs", "b", "a", "nothing"])
    assert (deleted.done, deleted.not_found) == (("a", "b"), ("theirs", "nothing"))
    restored = await shelf.library.restore_all(ALICE, ["a", "b", "theirs"])
    assert (restored.done, restored.not_found, restored.over_quota) == (("a",), ("theirs",), ("b",))


async def test_a_link_is_new_each_time_and_dead_when_it_ends(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip())
    shared = await shelf.library.change(ALICE, "clip-1", ClipWish(visibility=Visibility.LINK))
    assert shared.share_key == "key-1"
    assert await shelf.library.shared("key-1") == shared
    again = await shelf.library.change(ALICE, "clip-1", ClipWish(title="New", visibility=Visibility.LINK))
    assert again.share_key == "key-1"
    await shelf.library.change(ALICE, "clip-1", ClipWish(visibility=Visibility.PRIVATE))
    with pytest.raises(NotFoundError):
        await shelf.library.shared("key-1")
    await shelf.library.change(ALICE, "clip-1", ClipWish(visibility=Visibility.LINK))
    with pytest.raises(NotFoundError):
        await shelf.library.shared("key-1")
    await shelf.library.shared("key-2")
    await shelf.library.delete(ALICE, "clip-1")
    with pytest.raises(NotFoundError):
        await shelf.library.shared("key-2")


async def test_a_clip_without_community_is_not_shown_to_one(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip())
    with pytest.raises(ValidationError):
        await shelf.library.change(ALICE, "clip-1", ClipWish(visibility=Visibility.COMMUNITY))


async def test_members_see_what_is_meant_for_them_and_change_nothing(shelf: Shelf) -> None:
    member = replace(BOB, communities={"c1": ()})
    await shelf.repository.add(a_clip("open", community_id="c1", visibility=Visibility.COMMUNITY))
    await shelf.repository.add(a_clip("closed", community_id="c1"))
    in_community = {"wanted": Selection(community_id="c1")}
    assert (await page(shelf, member, **in_community))[0] == ["open"]
    assert (await page(shelf, ADMIN, **in_community))[0] == ["open", "closed"]
    with pytest.raises(NotFoundError):
        await page(shelf, BOB, **in_community)
    with pytest.raises(ValidationError):
        await page(shelf, member, wanted=Selection(community_id="c1", visibility=Visibility.PRIVATE))
    with pytest.raises(PermissionDeniedError):
        await shelf.library.delete(member, "open")
    with pytest.raises(NotFoundError):
        await shelf.library.delete(member, "closed")


def test_tags_are_each_there_once_without_their_sign() -> None:
    assert checked_tags((" #Incident", "incident", "Über", "ÜBER", "a b")) == ("Incident", "Über", "a b")


@pytest.mark.parametrize("tags", [("",), ("#",), ("x" * 41,), ("a\nb",), tuple(f"t{n}" for n in range(21))])
def test_tags_that_make_no_sense_are_refused(tags: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        checked_tags(tags)
