from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clip_builders import a_clip
from tests.support.clip_studio import ADMIN, ALICE, BOB, SECOND, ManualClock
from tests.support.memory_clips import MemoryClipRepository

from lookback.buffer.layout import BufferLayout
from lookback.clips.library import Library, checked_title
from lookback.clips.rows import ClipRows
from lookback.clips.store import ClipStore
from lookback.errors import NotFoundError, ValidationError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Shelf:
    repository: MemoryClipRepository
    clock: ManualClock
    library: Library


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    repository, clock = MemoryClipRepository(), ManualClock()
    rows = ClipRows(repository, ClipStore(tmp_path, BufferLayout(tmp_path)))
    return Shelf(repository, clock, Library(repository, rows, clock))


async def test_pages_follow_each_other(shelf: Shelf) -> None:
    for number in range(5):
        await shelf.repository.add(a_clip(f"c{number}", created_at_us=number // 2))
    seen: list[str] = []
    cursor = None
    while True:
        page, cursor = await shelf.library.page(ALICE, limit=2, cursor=cursor, query="")
        seen += [clip.clip_id for clip in page]
        if cursor is None:
            break
    assert seen == ["c4", "c3", "c2", "c1", "c0"]


async def test_the_last_page_says_that_it_is(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip())
    assert (await shelf.library.page(ALICE, limit=1, cursor=None, query=""))[1] is None
    assert await shelf.library.page(BOB, limit=1, cursor=None, query="") == ([], None)


@pytest.mark.parametrize("limit", [-5, 0, 1])
async def test_a_page_has_at_least_one_clip(shelf: Shelf, limit: int) -> None:
    await shelf.repository.add(a_clip())
    assert len((await shelf.library.page(ALICE, limit=limit, cursor=None, query=" moment "))[0]) == 1


async def test_a_page_has_a_largest_size(shelf: Shelf) -> None:
    for number in range(250):
        await shelf.repository.add(a_clip(f"c{number}"))
    assert len((await shelf.library.page(ALICE, limit=10_000, cursor=None, query=""))[0]) == 200


@given(st.text(max_size=40))
async def test_a_cursor_is_ours_or_refused(cursor: str) -> None:
    library = Library(MemoryClipRepository(), None, ManualClock())  # type: ignore[arg-type]
    with suppress(ValidationError):
        assert await library.page(ALICE, limit=1, cursor=cursor, query="") == ([], None)


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, "a\nb", "a\0b"])
def test_titles_that_cannot_be_read_are_refused(title: str) -> None:
    with pytest.raises(ValidationError):
        checked_title(title)


@pytest.mark.parametrize("title", ["x" * 200, "Überraschung 🎉", "a/../b", "<b>"])
def test_titles_may_say_anything_else(title: str) -> None:
    assert checked_title(f" {title} ") == title


async def test_a_rename_is_seen_by_its_owner(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip())
    assert (await shelf.library.rename(ALICE, "clip-1", " New ")).title == "New"
    with pytest.raises(NotFoundError):
        await shelf.library.rename(BOB, "clip-1", "Mine")
    assert (await shelf.library.get(ADMIN, "clip-1")).title == "New"


async def test_what_is_deleted_looks_absent_and_can_be_restored_for_ten_minutes(shelf: Shelf) -> None:
    await shelf.repository.add(a_clip())
    await shelf.library.delete(ALICE, "clip-1")
    for call in (
        shelf.library.get(ALICE, "clip-1"),
        shelf.library.rename(ALICE, "clip-1", "x"),
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
