"""An MP4 of a WebM clip, made by a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.support.clip_studio import ALICE, BOB, SECOND, Studio, a_studio, finished, forever, running
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import START_US, decoded
from tests.support.pictures import beeps, codecs, duration
from tests.support.waiting import eventually

from lookback.access.principal import Link, Principal
from lookback.clips.model import Visibility
from lookback.errors import NotFoundError, PermissionDeniedError, QuotaExceededError, ValidationError

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.clips.model import Clip, Rendition

VP8 = ClipShape(codec="vp8")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return a_studio(tmp_path / "buffer", tmp_path / "storage", wait=forever)


async def state(studio: Studio, clip: Clip, *wanted: str) -> Rendition:
    async def look() -> Rendition | None:
        (rendition,) = (await studio.row(clip)).renditions
        return rendition if rendition.status in wanted else None

    return await eventually(look, within=30, what=f"a rendition that is {wanted}")


async def test_a_rendition_shows_and_sounds_like_its_clip(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture(last_us=2_500_000)
    async with running(studio.clips.background):
        asked = await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
        assert asked.status == "queued"
        ready = await state(studio, clip, "ready", "failed")
    assert (ready.status, ready.progress, ready.reason) == ("ready", 1.0, None)
    _, media = await studio.clips.playback.rendition(ALICE, clip.clip_id, ready.rendition_id)
    made = b"".join([chunk async for chunk in media.chunks(0, media.size)])
    media.close()
    assert len(made) == ready.size_bytes
    assert codecs(made) == ["h264", "aac"]
    original = studio.content(clip)
    assert [n for _, n in decoded(made)] == [n for _, n in decoded(original)]
    differences = [a - b for (a, _), (b, _) in zip(decoded(made), decoded(original), strict=True)]
    assert np.abs(differences).max() < 0.002
    assert duration(made) == pytest.approx(2.5, abs=0.05)
    heard, wanted = beeps(made), beeps(original)
    assert [b.second for b in heard] == [b.second for b in wanted]
    assert all(abs(a.at - b.at) < 0.03 for a, b in zip(heard, wanted, strict=True))


async def test_sizes_that_change_are_fitted_to_the_first(studio: Studio) -> None:
    studio.record(encoded_clip(VP8), run_id=b"run-0001", frames=45)
    studio.record(
        encoded_clip(ClipShape(codec="vp8", width=482, height=270)),
        run_id=b"run-0002",
        start_us=START_US + 3 * SECOND // 2 + 5 * SECOND,
        frames=45,
    )
    clip = await studio.capture(last_us=7 * SECOND, allow_gaps=True)
    async with running(studio.clips.background):
        await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
        ready = await state(studio, clip, "ready", "failed")
    path = studio.clips.store.rendition(clip, ready.rendition_id)
    assert [n for _, n in decoded(path)] == [n for _, n in decoded(studio.content(clip))]
    assert duration(path) == pytest.approx(7.0, abs=0.05)


async def test_asking_twice_makes_one(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture()
    first = await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
    assert await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4") == first
    assert await studio.clips.renditions.get(ALICE, clip.clip_id, first.rendition_id) == first


async def test_an_mp4_needs_none(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    with pytest.raises(ValidationError):
        await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")


async def test_a_cancelled_rendition_leaves_nothing(studio: Studio) -> None:
    studio.record(encoded_clip(ClipShape(codec="vp8", width=640, height=360)), frames=1800)
    clip = await studio.capture(last_us=60 * SECOND)
    async with running(studio.clips.background):
        await finished(studio, clip)
        asked = await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
        await state(studio, clip, "running")
        await studio.clips.renditions.cancel(ALICE, clip.clip_id, asked.rendition_id)
        directory = studio.clips.store.directory(clip)
        await eventually(
            lambda: {p.name for p in directory.iterdir()} == {"clip.json", "video.webm", "poster.webp"},
            what="an end of the child",
        )
        with pytest.raises(NotFoundError):
            await studio.clips.renditions.get(ALICE, clip.clip_id, asked.rendition_id)
        again = await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
        assert again.rendition_id != asked.rendition_id
        await state(studio, clip, "running")
    assert [p.name for p in directory.iterdir() if p.name.endswith(".new")] == []


async def test_a_clip_that_cannot_be_read_fails_with_a_reason(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture()
    async with running(studio.clips.background):
        await finished(studio, clip)
        studio.clips.store.video(clip).write_bytes(b"no video at all" * 100)
        await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
        failed = await state(studio, clip, "failed", "ready")
    assert failed.reason is not None
    assert failed.reason.startswith("The video could not be converted")
    assert "/" not in failed.reason


async def test_a_rendition_that_was_interrupted_is_made_again(tmp_path: Path) -> None:
    first = a_studio(tmp_path / "buffer", tmp_path / "storage", wait=forever)
    first.record(encoded_clip(ClipShape(codec="vp8", width=640, height=360)), frames=600)
    clip = await first.capture(last_us=20 * SECOND)
    async with running(first.clips.background):
        await finished(first, clip)
        await first.clips.renditions.request(ALICE, clip.clip_id, "mp4")
        await state(first, clip, "running")
    second = a_studio(tmp_path / "buffer", tmp_path / "storage", wait=forever, repository=first.repository)
    async with running(second.clips.background):
        await state(second, clip, "ready")


async def test_other_peoples_renditions_look_absent(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture()
    asked = await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
    for call in (
        studio.clips.renditions.request(BOB, clip.clip_id, "mp4"),
        studio.clips.renditions.get(BOB, clip.clip_id, asked.rendition_id),
        studio.clips.renditions.cancel(BOB, clip.clip_id, asked.rendition_id),
        studio.clips.renditions.cancel(ALICE, clip.clip_id, "other"),
    ):
        with pytest.raises(NotFoundError):
            await call


async def test_a_rendition_needs_room_before_it_is_begun(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture(last_us=SECOND)
    await studio.ledger.set_quota("alice", 2 * clip.size_bytes - 1, 0)
    with pytest.raises(QuotaExceededError) as caught:
        await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
    assert caught.value.facts["neededBytes"] == clip.size_bytes
    assert (await studio.row(clip)).renditions == ()


async def test_a_rendition_whose_room_went_meanwhile_fails_and_says_so(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture(last_us=SECOND)
    asked = await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
    await studio.ledger.set_quota("alice", clip.size_bytes, 0)
    async with running(studio.clips.background):
        failed = await state(studio, clip, "ready", "failed")
    assert (failed.status, failed.reason) == ("failed", "User quota exceeded")
    assert not studio.clips.store.rendition(clip, asked.rendition_id).exists()
    balance = await studio.ledger.balance("alice", studio.clock())
    assert balance is not None
    assert (balance.used_bytes, balance.reserved_bytes) == (clip.size_bytes, 0)


async def test_a_finished_rendition_counts(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture(last_us=SECOND)
    async with running(studio.clips.background):
        await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
        ready = await state(studio, clip, "ready", "failed")
    balance = await studio.ledger.balance("alice", studio.clock())
    assert balance is not None
    assert balance.used_bytes == clip.size_bytes + (ready.size_bytes or 0)


async def test_nobody_else_orders_a_rendition(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture(last_us=SECOND)
    await studio.repository.update(clip.clip_id, visibility=Visibility.LINK, share_key="key")
    visitor = Principal("", link=Link("link", "key"))
    assert await studio.clips.library.get(visitor, clip.clip_id)
    with pytest.raises(PermissionDeniedError):
        await studio.clips.renditions.request(visitor, clip.clip_id, "mp4")


async def test_a_rendition_comes_back_with_a_row_that_was_lost(studio: Studio) -> None:
    studio.record(encoded_clip(VP8))
    clip = await studio.capture(last_us=SECOND)
    async with running(studio.clips.background):
        await studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
        ready = await state(studio, clip, "ready", "failed")
        row = await finished(studio, clip)
        store = studio.clips.store
        await eventually(lambda: store.read(store.directory(clip)).clip == row, what="the row in clip.json")
    await studio.repository.remove(clip.clip_id)
    await studio.clips.recovery.check(repair=True)
    assert await studio.row(clip) == row
    assert row.renditions == (ready,)
    await studio.clips.renditions.cancel(ALICE, clip.clip_id, ready.rendition_id)
    await studio.repository.remove(clip.clip_id)
    await studio.clips.recovery.check(repair=True)
    assert (await studio.row(clip)).renditions == ()
    assert await studio.clips.recovery.check(repair=False) == []
