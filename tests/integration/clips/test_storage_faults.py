"""Disks that are full, away, different, or cannot do what was hoped for."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.audit import a_trail
from tests.support.clip_studio import ALICE, SECOND, Studio, a_studio
from tests.support.media import START_US, decoded

from lookback.buffer.reader import read_segments
from lookback.clips import planning
from lookback.clips.file_calls import FileCalls
from lookback.clips.model import CaptureWish, Clip
from lookback.clips.pins import SegmentVanishedError
from lookback.clips.rows import ClipRows
from lookback.clips.store import ClipStore, sha256_of
from lookback.errors import (
    CaptureFailedError,
    DiskFullError,
    GapsError,
    NoSegmentsError,
    QuotaExceededError,
    StorageUnavailableError,
)
from lookback.media.cutting import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lookback.clips.ports import Room

NO_LINKS = [errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP]


def failing(number: int) -> Callable[..., Any]:
    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def failing_at(which: int, number: int) -> Callable[[int], None]:
    """An fsync that fails the `which`-th time."""
    calls = iter(range(1000))

    def fsync(descriptor: int) -> None:
        if next(calls) == which:
            raise OSError(number, os.strerror(number))
        os.fsync(descriptor)

    return fsync


async def capture(studio: Studio, calls: FileCalls, **more: Any) -> Clip:
    store = ClipStore(studio.clips.store.root, studio.layout, calls)
    wish: dict[str, Any] = {"session_id": "s1", **(more or {"last_us": 2 * SECOND})}
    return (await replace(studio.clips.captures, store=store).capture(ALICE, CaptureWish(**wish)))[0]


def left_behind(studio: Studio) -> list[Path]:
    roots = (studio.clips.store.root, studio.layout.root / ".pins")
    return [path for root in roots for path in root.rglob("*") if path.is_file() or path.parent == root]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A directory on another file system than the test's own."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    directory = Path(tempfile.mkdtemp(dir=memory))
    yield directory
    shutil.rmtree(directory)


@pytest.mark.parametrize("buffer_is_elsewhere", [True, False])
async def test_buffer_and_storage_may_be_different_file_systems(
    tmp_path: Path, elsewhere: Path, *, buffer_is_elsewhere: bool
) -> None:
    buffer, storage = (elsewhere, tmp_path) if buffer_is_elsewhere else (tmp_path, elsewhere)
    studio = a_studio(buffer / "buffer", storage / "storage")
    studio.record()
    clip = await studio.capture()
    pins = list(studio.clips.store.pins(clip.clip_id).iterdir())
    assert pins
    assert all(pin.stat().st_nlink == 2 for pin in pins)
    studio.evict()
    whole = studio.content(clip)
    assert studio.clips.store.materialise(clip) == sha256_of(studio.clips.store.video(clip))
    assert studio.clips.store.video(clip).read_bytes() == whole
    assert [n for _, n in decoded(whole)] == [*range(60, 120)]


@pytest.mark.parametrize("seconds", [10, 15])
async def test_segments_of_any_length_in_memory_are_captured_exactly(
    tmp_path: Path, elsewhere: Path, seconds: int
) -> None:
    studio = a_studio(elsewhere / "buffer", tmp_path / "storage")
    shown = studio.record(frames=45 * 30, segment_us=seconds * SECOND)
    starts_us = [segment.index.samples["dts_us"].min() for segment in read_segments(studio.session.directory)]
    assert [round((start_us - START_US) / SECOND) for start_us in starts_us] == list(range(0, 45, seconds))
    clip = await studio.capture(start_us=START_US + 9 * SECOND, end_us=START_US + 31 * SECOND)
    assert [number for _, number in decoded(studio.content(clip))] == [s.number for s in shown[9 * 30 : 31 * 30]]
    studio.evict()
    assert studio.clips.store.materialise(clip) == sha256_of(studio.clips.store.video(clip))


@pytest.mark.parametrize("number", NO_LINKS)
async def test_without_hard_links_the_needed_bytes_are_copied(studio: Studio, number: int) -> None:
    studio.record()
    clip = await capture(
        studio, FileCalls(link=failing(number)), start_us=START_US + SECOND, end_us=START_US + 3 * SECOND
    )
    linked = await studio.capture(start_us=START_US + SECOND, end_us=START_US + 3 * SECOND, title="linked")
    studio.evict()
    assert studio.content(clip) == studio.content(linked)
    assert all(pin.stat().st_nlink == 1 for pin in studio.clips.store.pins(clip.clip_id).iterdir())
    assert await studio.clips.recovery.check(repair=False) == []


async def test_from_a_buffer_that_can_only_be_read_a_clip_is_copied_at_once(studio: Studio) -> None:
    studio.record()
    wish: dict[str, Any] = {"start_us": START_US + SECOND, "end_us": START_US + 3 * SECOND}
    linked = await studio.capture(**wish, title="linked")
    clip = await capture(studio, FileCalls(link=failing(errno.EROFS)), **wish, title="copied")
    assert list(studio.clips.store.pins(clip.clip_id).iterdir()) == []
    studio.evict()
    assert studio.content(clip) == studio.content(linked)
    assert studio.clips.store.materialise(clip) == sha256_of(studio.clips.store.video(clip))
    assert await studio.clips.recovery.check(repair=False) == []


@pytest.mark.parametrize("which", range(7))
async def test_a_full_disk_leaves_nothing_behind(studio: Studio, which: int) -> None:
    studio.record()
    with pytest.raises(DiskFullError):
        await capture(studio, FileCalls(fsync=failing_at(which, errno.ENOSPC)))
    users = set(studio.clips.store.root.iterdir())
    assert set(left_behind(studio)) <= users
    assert await studio.repository.all_clips() == []


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ESTALE])
async def test_a_storage_that_fails_says_so(studio: Studio, number: int) -> None:
    studio.record()
    with pytest.raises(StorageUnavailableError) as caught:
        await capture(studio, FileCalls(fsync=failing_at(3, number)))
    assert caught.value.facts == {"retryAfter": 10}
    assert await studio.repository.all_clips() == []


async def test_a_storage_that_vanished_is_not_made_anew(studio: Studio) -> None:
    studio.record()
    shutil.rmtree(studio.clips.store.root)
    with pytest.raises(StorageUnavailableError):
        await studio.capture()
    assert not studio.clips.store.root.exists()
    assert list((studio.layout.root / ".pins").glob("*")) == []


async def test_a_segment_that_vanishes_while_it_is_pinned_is_a_gap(studio: Studio) -> None:
    studio.record()
    oldest = read_segments(studio.session.directory)[0]

    def evict_and_link(source: Path, name: Path) -> None:
        if source == oldest.media_path:
            for path in (oldest.index_path, oldest.media_path):
                path.unlink(missing_ok=True)
        os.link(source, name)

    clip = await capture(studio, FileCalls(link=evict_and_link), last_us=4 * SECOND)
    assert clip.delivered.start_us == START_US + 2 * SECOND
    assert [n for _, n in decoded(studio.content(clip))] == [*range(60, 120)]


def test_a_segment_that_vanishes_before_its_key_frame_is_read_is_planned_again(studio: Studio) -> None:
    studio.record()
    segments = read_segments(studio.session.directory)
    chosen = cut([s.index for s in segments], START_US, START_US + SECOND)
    assert chosen is not None
    studio.evict()
    with pytest.raises(SegmentVanishedError):
        planning._built(chosen, segments, "mp4")


async def test_a_buffer_that_cannot_be_listed_says_so(studio: Studio) -> None:
    shutil.rmtree(studio.session.directory)
    studio.session.directory.write_bytes(b"not a directory")
    with pytest.raises(StorageUnavailableError):
        await studio.capture()


async def test_a_buffer_that_is_emptied_meanwhile_is_an_honest_error(studio: Studio) -> None:
    studio.record()

    def evict_and_link(source: Path, name: Path) -> None:
        source.unlink(missing_ok=True)
        source.with_suffix(".idx").unlink(missing_ok=True)
        os.link(source, name)

    with pytest.raises((CaptureFailedError, NoSegmentsError, GapsError)):
        await capture(studio, FileCalls(link=evict_and_link), last_us=4 * SECOND)
    assert left_behind(studio) == []


async def test_a_database_that_fails_leaves_nothing_behind(studio: Studio) -> None:
    studio.record()

    class Broken:
        async def add(self, _clip: Clip, _room: Room | None = None) -> Clip:
            raise ConnectionError("the database is away")

        def __getattr__(self, name: str) -> Any:
            return getattr(studio.repository, name)

    service = replace(studio.clips.captures, repository=Broken())
    with pytest.raises(ConnectionError):
        await service.capture(ALICE, CaptureWish(session_id="s1", last_us=SECOND))
    assert [path for path in left_behind(studio) if path.is_file()] == []


async def test_a_quota_refuses_before_anything_is_written(tmp_path: Path) -> None:
    studio = a_studio(tmp_path / "buffer", tmp_path / "storage", quota_bytes=100_000)
    studio.record()
    first = await studio.capture(last_us=SECOND)
    with pytest.raises(QuotaExceededError) as caught:
        await studio.capture(last_us=4 * SECOND)
    facts = caught.value.facts
    assert (facts["quotaBytes"], facts["usedBytes"]) == (100_000, first.size_bytes)
    assert facts["neededBytes"] > 100_000 - first.size_bytes
    assert await studio.repository.all_clips() == [first]
    assert [p.name for p in (studio.layout.root / ".pins").iterdir()] == [studio.clips.store.pins(first.clip_id).name]


async def test_a_change_that_the_disk_did_not_take_is_written_down_when_it_does(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture(title="Old")
    full_once = FileCalls(fsync=failing_at(0, errno.ENOSPC))
    rows = ClipRows(studio.repository, ClipStore(studio.clips.store.root, studio.layout, full_once), a_trail())

    def written() -> str:
        return studio.clips.store.read(studio.clips.store.directory(clip)).clip.title

    changed = await rows.change(clip.clip_id, title="New")
    assert changed is not None
    assert (changed.title, written()) == ("New", "Old")
    await rows.catch_up()
    assert written() == "New"
