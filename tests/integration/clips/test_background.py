"""Clips are brought to their final state, whatever happens in between."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from tests.support.audit import a_trail
from tests.support.clip_studio import ALICE, SECOND, Studio, a_studio, finished, forever, running
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.saved import barcode_of_picture
from tests.support.waiting import eventually

from lookback.clips.background import Background
from lookback.clips.file_calls import FileCalls
from lookback.clips.model import Storage
from lookback.clips.renditions import Converter
from lookback.clips.rows import ClipRows
from lookback.clips.store import ClipStore

if TYPE_CHECKING:
    from pathlib import Path

CODECS = ["h264", "vp8"]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return a_studio(tmp_path / "buffer", tmp_path / "storage", wait=forever)


def working_with(studio: Studio, store: ClipStore) -> Background:
    rows = ClipRows(studio.repository, store, a_trail())
    converter = Converter(rows, store, studio.clips.quota)
    return Background(studio.repository, rows, store, converter=converter, clock=studio.clock, wait=forever)


@pytest.mark.parametrize("codec", CODECS)
async def test_a_clip_becomes_one_file_with_hash_and_poster(studio: Studio, codec: str) -> None:
    studio.record(encoded_clip(ClipShape(codec=codec)))  # type: ignore[arg-type]
    clip = await studio.capture(last_us=1_234_567)
    whole = studio.content(clip)
    async with running(studio.clips.background):
        done = await finished(studio, clip)
    assert studio.clips.store.video(clip).read_bytes() == whole
    assert done.sha256 == hashlib.sha256(whole).hexdigest()
    assert done.etag == clip.etag
    names = {path.name for path in studio.clips.store.directory(clip).iterdir()}
    assert names == {"clip.json", "poster.webp", clip.container.join(("video.", ""))}
    assert await studio.clips.recovery.check(repair=False) == []


@pytest.mark.parametrize("codec", CODECS)
async def test_the_poster_is_the_first_picture_shown(studio: Studio, codec: str) -> None:
    studio.record(encoded_clip(ClipShape(codec=codec, width=800, height=450)))  # type: ignore[arg-type]
    clip = await studio.capture(start_us=studio.clock.now_us - 1_490_000, end_us=studio.clock.now_us)
    async with running(studio.clips.background):
        await finished(studio, clip)
    _, media = await studio.clips.playback.poster(ALICE, clip.clip_id)
    picture = Image.open(BytesIO(b"".join([chunk async for chunk in media.chunks(0, media.size)])))
    media.close()
    assert (picture.format, picture.size) == ("WEBP", (640, 360))
    assert barcode_of_picture(picture) == 75


async def test_a_new_clip_wakes_the_workers(studio: Studio) -> None:
    async with running(studio.clips.background):
        studio.record()
        await finished(studio, await studio.capture())


async def test_work_that_was_interrupted_is_found_again(tmp_path: Path) -> None:
    first = a_studio(tmp_path / "buffer", tmp_path / "storage", wait=forever)
    first.record()
    clips = [await first.capture(title=str(n)) for n in range(5)]
    second = a_studio(tmp_path / "buffer", tmp_path / "storage", wait=forever, repository=first.repository)
    async with running(second.clips.background):
        for clip in clips:
            await finished(second, clip)


async def test_a_disk_that_is_full_is_tried_again(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    whole = studio.content(clip)
    full = [True]

    def fsync(descriptor: int) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "full")
        os.fsync(descriptor)

    store = ClipStore(studio.clips.store.root, studio.layout, FileCalls(fsync=fsync))
    background = working_with(studio, store)
    async with running(background):
        new = store.video(clip).with_name("video.mp4.new")
        await eventually(new.exists, what="a first attempt")
        assert (await studio.row(clip)).storage is Storage.VIRTUAL
        assert studio.content(clip) == whole
        full[0] = False
        studio.clock.now_us += 60 * SECOND

        async def swept() -> bool:
            await background.sweep()
            return (await studio.row(clip)).storage is Storage.FILE

        await eventually(swept, what="the second attempt")
    assert studio.content(clip) == whole


async def test_pins_that_the_disk_did_not_let_go_go_when_it_does(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    read_only = [True]

    def checkpoint(step: str) -> None:
        if step == "unpinned" and read_only[0]:
            raise OSError(errno.EROFS, "read-only")

    background = working_with(studio, ClipStore(studio.clips.store.root, studio.layout, checkpoint=checkpoint))

    async def stored() -> bool:
        return (await studio.row(clip)).storage is Storage.FILE

    async def consistent() -> bool:
        await background.sweep()
        return await studio.clips.recovery.check(repair=False) == []

    async with running(background):
        await eventually(stored, what="the clip's own file")
        await background.sweep()
        assert [finding.kind for finding in await studio.clips.recovery.check(repair=False)] == ["leftover-pins"]
        read_only[0] = False
        await eventually(consistent, what="that the pins are gone")


async def test_a_clip_whose_bytes_are_gone_has_failed(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    shutil.rmtree(studio.clips.store.pins(clip.clip_id))

    async def failed() -> bool:
        return (await studio.row(clip)).status == "failed"

    async with running(studio.clips.background):
        await eventually(failed, what="the failure")


async def test_deleted_clips_are_left_alone_and_purged_when_they_cannot_come_back(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    await studio.clips.library.delete(ALICE, clip.clip_id)
    studio.clock.now_us += 599 * SECOND
    await studio.clips.background.sweep()
    restored = await studio.clips.library.restore(ALICE, clip.clip_id)
    assert restored == clip
    assert len(studio.content(clip)) == clip.size_bytes
    await studio.clips.library.delete(ALICE, clip.clip_id)
    studio.clock.now_us += 601 * SECOND
    await studio.clips.background.sweep()
    assert await studio.repository.get(clip.clip_id) is None
    assert not studio.clips.store.directory(clip).exists()
    assert not studio.clips.store.pins(clip.clip_id).exists()


async def test_many_clips_are_finished_by_few_workers(studio: Studio) -> None:
    studio.record()
    clips = [await studio.capture(title=str(n)) for n in range(12)]
    async with running(studio.clips.background):
        for clip in clips:
            await finished(studio, clip)
    assert await studio.repository.unfinished() == []


async def test_no_two_workers_have_the_same_clip(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    at_work: list[int] = [0]
    most: list[int] = [0]

    def fsync(descriptor: int) -> None:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        os.fsync(descriptor)
        at_work[0] -= 1

    store = ClipStore(studio.clips.store.root, studio.layout, FileCalls(fsync=fsync))
    background = working_with(studio, store)
    async with running(background):
        for _ in range(20):
            background.wake(clip.clip_id)
            await asyncio.sleep(0)
        await finished(studio, clip)
    assert most == [1]
