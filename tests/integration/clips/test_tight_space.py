"""Clips while a disk gets full: what is refused says so, and what was saved waits for its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.clip_studio import ALICE, SECOND, Studio, a_studio, finished, running
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import START_US
from tests.support.waiting import eventually

from lookback.buffer.leases import Leases
from lookback.clips.model import Storage
from lookback.errors import DiskFullError
from lookback.operations.disk_space import DiskSpace
from lookback.operations.space import Disk

FLOOR = 1_000_000_000


@dataclass(slots=True)
class TightStudio:
    """A studio on one disk, whose free space is as the test says."""

    studio: Studio
    space: DiskSpace
    leases: Leases
    free: list[int] = field(default_factory=list)

    def has(self, free_bytes: int) -> None:
        """So much is free from now on, and has been for long."""
        self.free.append(free_bytes)
        for now_us in (0, 10**12):
            self.space.look(now_us + 10**13 * len(self.free), exhausted=False)


@pytest.fixture
def tight(tmp_path: Path) -> TightStudio:
    free = [100 * FLOOR]
    space = DiskSpace(Path("buffer"), Path("clips"), lambda _path: (Disk(free[-1], 1000 * FLOOR, FLOOR), 1))
    leases = Leases()
    studio = a_studio(tmp_path / "buffer", tmp_path / "storage", space=space, leases=leases)
    return TightStudio(studio, space, leases, free)


async def test_only_small_clips_are_saved_while_space_is_tight(tight: TightStudio) -> None:
    tight.studio.record()
    size = (await tight.studio.capture(title="Before")).size_bytes
    tight.has(8 * size - 8)
    with pytest.raises(DiskFullError, match="only small clips") as refusal:
        await tight.studio.capture(title="Too large")
    assert refusal.value.facts["neededBytes"] == size
    assert list(tight.studio.layout.all_pins()) != [], "the first clip's"
    assert len(list(tight.studio.clips.store.directories())) == 1, "nothing was written for the second"
    tight.has(8 * size)
    assert (await tight.studio.capture(title="Small enough")).status == "ready"


async def test_a_refused_clip_costs_its_user_nothing(tight: TightStudio) -> None:
    tight.studio.record()
    tight.has(0)
    with pytest.raises(DiskFullError):
        await tight.studio.capture()
    balance = await tight.studio.ledger.balance("alice", tight.studio.clock())
    assert balance is None or (balance.used_bytes, balance.reserved_bytes) == (0, 0)


async def test_a_saved_clip_plays_until_there_is_room_for_its_file(tight: TightStudio) -> None:
    tight.studio.record()
    clip = await tight.studio.capture()
    content = tight.studio.content(clip)
    tight.has(0)
    await tight.studio.clips.background._finish_files(clip)
    waiting = await tight.studio.row(clip)
    assert (waiting.storage, waiting.has_poster) == (Storage.VIRTUAL, True)
    tight.studio.evict()
    assert tight.studio.content(clip) == content
    tight.has(100 * FLOOR)
    async with running(tight.studio.clips.background):
        await tight.studio.clips.background.sweep()
        stored = await finished(tight.studio, clip)
    assert (stored.storage, tight.studio.content(stored)) == (Storage.FILE, content)


async def test_nothing_is_converted_while_space_is_tight(tight: TightStudio) -> None:
    tight.studio.record(encoded_clip(ClipShape("vp8")))
    clip = await tight.studio.capture()
    tight.has(2 * FLOOR - 1)
    with pytest.raises(DiskFullError, match="nothing is converted"):
        await tight.studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
    assert (await tight.studio.row(clip)).renditions == ()


async def test_a_rendition_that_was_ordered_before_waits(tight: TightStudio) -> None:
    tight.studio.record(encoded_clip(ClipShape("vp8")))
    clip = await tight.studio.capture()
    ordered = await tight.studio.clips.renditions.request(ALICE, clip.clip_id, "mp4")
    tight.has(FLOOR)
    background = tight.studio.clips.background
    async with running(background):
        await eventually(lambda: _stored(tight.studio, clip.clip_id))
        await background._finish_renditions(await tight.studio.row(clip))
        assert (await tight.studio.clips.renditions.get(ALICE, clip.clip_id, ordered.rendition_id)).status == "queued"


async def test_a_capture_that_waits_holds_its_range(tight: TightStudio) -> None:
    tight.studio.record()
    tight.studio.still_recording()
    session = tight.studio.session
    before_us = tight.studio.clock()
    held = []
    tight.studio.clock.on_wait = lambda now_us: held.append(tight.leases.of(session.directory, now_us))
    await tight.studio.capture(last_us=2 * SECOND, post_roll_us=SECOND)
    assert held
    assert all(leases for leases in held)
    (lease,) = held[0]
    assert START_US <= lease.start_us < lease.end_us
    assert lease.until_us >= before_us + SECOND
    assert tight.leases.of(session.directory, before_us + 60 * SECOND) == (), "and not for ever"


async def _stored(studio: Studio, clip_id: str) -> bool:
    clip = await studio.repository.get(clip_id)
    return clip is not None and clip.storage is Storage.FILE
