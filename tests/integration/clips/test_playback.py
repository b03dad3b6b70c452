"""Bytes of clips as they are served: any range, whatever happens to their files meanwhile."""

from __future__ import annotations

import asyncio
import random
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.support.audit import a_trail
from tests.support.clip_studio import ADMIN, ALICE, BOB, SECOND, Studio
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.saved import write_clip

from lookback.clips.model import Storage
from lookback.clips.rows import ClipRows
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.clips.model import Clip
    from lookback.clips.playback import OpenMedia

CODECS = ["h264", "vp8"]
NOISY = {"noise": True, "bitrate_bps": 8_000_000, "width": 640, "height": 360}


async def read(media: OpenMedia, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in media.chunks(start, media.size if stop is None else stop)])


async def store(studio: Studio, clip: Clip) -> Clip:
    rows = ClipRows(studio.repository, studio.clips.store, a_trail())
    digest = studio.clips.store.materialise(clip)
    changed = await rows.change(clip.clip_id, storage=Storage.FILE, sha256=digest)
    assert changed is not None
    studio.clips.store.unpin(changed)
    return changed


@pytest.mark.parametrize("codec", CODECS)
async def test_any_range_is_part_of_the_whole(studio: Studio, codec: str, tmp_path: Path) -> None:
    studio.record(encoded_clip(ClipShape(codec=codec)))  # type: ignore[arg-type]
    clip = await studio.capture()
    whole = write_clip(studio.clips.store, clip, tmp_path / "plain").read_bytes()
    dice = random.Random(4)
    served, media = await studio.clips.playback.video(ALICE, clip.clip_id)
    assert (served, media.size) == (clip, clip.size_bytes)
    for _ in range(50):
        start = dice.randrange(clip.size_bytes)
        stop = start + dice.randrange(1, 40_000)
        assert await read(media, start, stop) == whole[start:stop]
    assert await read(media) == whole
    media.close()


@pytest.mark.parametrize("codec", CODECS)
async def test_a_download_survives_whatever_happens_to_the_files(studio: Studio, codec: str) -> None:
    studio.record(encoded_clip(ClipShape(codec=codec, **NOISY)))  # type: ignore[arg-type]
    clip = await studio.capture()
    whole = studio.content(clip)
    _, virtual = await studio.clips.playback.video(ALICE, clip.clip_id)
    begun = virtual.chunks(0, clip.size_bytes)
    got = await anext(begun)
    studio.evict()
    await store(studio, clip)
    _, physical = await studio.clips.playback.video(ALICE, clip.clip_id)
    begun_too = physical.chunks(0, clip.size_bytes)
    got_too = await anext(begun_too)
    studio.clips.store.remove(clip)
    assert not studio.clips.store.directory(clip).exists()
    got += b"".join([chunk async for chunk in begun])
    got_too += b"".join([chunk async for chunk in begun_too])
    assert got == got_too == whole
    virtual.close()
    physical.close()
    with pytest.raises(NotFoundError):
        await studio.clips.playback.video(ALICE, clip.clip_id)


@pytest.mark.parametrize("codec", CODECS)
async def test_storing_changes_neither_bytes_nor_entity_tag(studio: Studio, codec: str) -> None:
    studio.record(encoded_clip(ClipShape(codec=codec)))  # type: ignore[arg-type]
    clip = await studio.capture()
    whole = studio.content(clip)
    stored = await store(studio, clip)
    assert studio.clips.store.video(clip).read_bytes() == whole
    assert (stored.etag, stored.size_bytes) == (clip.etag, clip.size_bytes)


async def test_different_clips_have_different_entity_tags(studio: Studio) -> None:
    studio.record()
    tags = [(await studio.capture(last_us=n * SECOND)).etag for n in (1, 2, 3)]
    assert len(set(tags)) == 3
    assert all(tag[0] == tag[-1] == '"' for tag in tags)


async def test_readers_and_storing_at_once_do_not_meet(studio: Studio) -> None:
    """Opening falls back between pins and file, whichever went away in between."""
    studio.record()
    clip = await studio.capture()
    whole = studio.content(clip)

    async def look() -> bytes:
        _, media = await studio.clips.playback.video(ALICE, clip.clip_id)
        try:
            return await read(media)
        finally:
            media.close()

    results = await asyncio.gather(
        *(look() for _ in range(20)), asyncio.to_thread(studio.clips.store.materialise, clip)
    )
    assert set(results[:-1]) == {whole}


async def test_only_owner_and_administrators_may_watch(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    with pytest.raises(NotFoundError):
        await studio.clips.playback.video(BOB, clip.clip_id)
    _, media = await studio.clips.playback.video(ADMIN, clip.clip_id)
    media.close()


async def test_what_is_not_there_is_not_found(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    with pytest.raises(NotFoundError):
        await studio.clips.playback.poster(ALICE, clip.clip_id)
    with pytest.raises(NotFoundError):
        await studio.clips.playback.rendition(ALICE, clip.clip_id, "none")
    shutil.rmtree(studio.clips.store.pins(clip.clip_id))
    with pytest.raises(NotFoundError):
        await studio.clips.playback.video(ALICE, clip.clip_id)
