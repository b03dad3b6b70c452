"""Stop after every step of making, storing and removing a clip; then recovery must bring files and rows together."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.audit import a_trail
from tests.support.clip_studio import ADMIN, ALICE, SECOND, Studio, a_studio
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.memory_clips import MemoryClipRepository

from lookback.clips.changes import ClipWish
from lookback.clips.model import CaptureWish, Clip, Storage, Visibility
from lookback.clips.recovery import Recovery
from lookback.clips.rows import ClipRows
from lookback.clips.store import ClipStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.buffer.findings import Finding

CODECS = ["h264", "vp8"]
WRITING = ["pinned", "directory", "header", "synced", "record"]
STORING = ["filled", "renamed", "unpinned"]
REMOVING = ["record removed", "directory removed"]


class Crash(BaseException):
    """The process is gone: nothing after this runs, not even cleaning up."""


def stop_after(step: str) -> Callable[[str], None]:
    def checkpoint(done: str) -> None:
        if done == step:
            raise Crash

    return checkpoint


def crashing(studio: Studio, step: str) -> ClipStore:
    return ClipStore(studio.clips.store.root, studio.layout, checkpoint=stop_after(step))


async def capture_and_crash(studio: Studio, step: str, **wish: Any) -> None:
    """Save the last second, and stop after that step."""
    with pytest.raises(Crash):
        await replace(studio.clips.captures, store=crashing(studio, step)).capture(
            ALICE, CaptureWish(session_id="s1", last_us=SECOND, **wish)
        )


async def consistent(studio: Studio) -> list[Finding]:
    """Repair; what is left afterwards must be nothing, and every row must play."""
    found = await studio.clips.recovery.check(repair=True)
    assert await studio.clips.recovery.check(repair=False) == []
    for clip in await studio.repository.all_clips():
        if clip.deleted_at_us is None:
            assert len(studio.content(clip)) == clip.size_bytes
    return found


def everything(studio: Studio) -> list[Path]:
    roots = (studio.clips.store.root, studio.layout.root / ".pins")
    return [path for root in roots for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("step", WRITING)
async def test_a_crash_while_capturing(studio: Studio, step: str, codec: str) -> None:
    studio.record(encoded_clip(ClipShape(codec=codec)))  # type: ignore[arg-type]
    await capture_and_crash(studio, step)
    studio.evict()
    found = await consistent(studio)
    clips = await studio.repository.all_clips()
    if step == "record":  # everything was durable: the moment is not lost
        assert [f.kind for f in found] == ["missing-row"]
        assert [c.delivered.duration_us for c in clips] == [SECOND]
    else:
        assert clips == []
        assert everything(studio) == []


@pytest.mark.parametrize("step", STORING)
async def test_a_crash_while_storing(studio: Studio, step: str) -> None:
    studio.record()
    clip = await studio.capture()
    content = studio.content(clip)
    store = crashing(studio, step)
    rows = ClipRows(studio.repository, store, a_trail())

    async def store_it(with_store: ClipStore) -> None:
        digest = with_store.materialise(clip)
        changed = await rows.change(clip.clip_id, storage=Storage.FILE, sha256=digest)
        assert changed is not None
        with_store.unpin(changed)

    with pytest.raises(Crash):
        await store_it(store)
    studio.evict()
    await consistent(studio)
    assert studio.content(clip) == content
    await store_it(studio.clips.store)
    assert await consistent(studio) == []
    assert studio.content(clip) == content
    assert (await studio.row(clip)).sha256 == hashlib.sha256(content).hexdigest()
    assert {p.name for p in everything(studio)} == {"clip.json", "video.mp4"}


@pytest.mark.parametrize("step", REMOVING)
async def test_a_crash_while_removing(studio: Studio, step: str) -> None:
    studio.record()
    clip = await studio.capture()
    await studio.clips.library.delete(ALICE, clip.clip_id)
    with pytest.raises(Crash):
        crashing(studio, step).remove(clip)
    await consistent(studio)
    studio.clock.now_us += 700 * SECOND
    await studio.clips.background.sweep()
    assert everything(studio) == []
    assert await studio.repository.all_clips() == []
    assert await consistent(studio) == []


async def test_a_lost_database_is_rebuilt_from_the_files(tmp_path: Path) -> None:
    before = a_studio(tmp_path / "buffer", tmp_path / "storage")
    before.record()
    virtual = await before.capture(title="Virtual")
    stored = await before.capture(title="Stored", idempotency_key="k")
    await finish_files(before, stored)
    after = a_studio(tmp_path / "buffer", tmp_path / "storage", repository=MemoryClipRepository())
    assert {f.kind for f in await consistent(after)} == {"missing-row"}
    assert await after.row(virtual) == virtual
    assert await after.row(stored) == await before.row(stored)


async def test_rows_whose_files_are_gone_have_failed(studio: Studio) -> None:
    studio.record()
    lost, pinless, kept = [await studio.capture(title=t) for t in ("lost", "pinless", "kept")]
    shutil.rmtree(studio.clips.store.directory(lost))
    shutil.rmtree(studio.clips.store.pins(pinless.clip_id))
    found = await studio.clips.recovery.check(repair=True)
    assert ("missing-files", lost.clip_id) in [(f.kind, f.subject) for f in found]
    assert [(await studio.row(c)).status for c in (lost, pinless, kept)] == ["failed", "failed", "ready"]


async def test_a_header_that_is_damaged_is_noticed(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    header = studio.clips.store.directory(clip) / "header"
    header.write_bytes(header.read_bytes()[:-1] + b"x")
    assert [f.kind for f in await studio.clips.recovery.check(repair=False)] == ["missing-files"]


async def test_a_record_that_fell_behind_is_written_again(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    await studio.repository.update(clip.clip_id, title="Renamed")
    assert [f.kind for f in await consistent(studio)] == ["stale-record"]
    record = studio.clips.store.read(studio.clips.store.directory(clip))
    assert record.clip.title == "Renamed"


async def test_a_record_that_cannot_be_read_is_reported_and_left_alone(studio: Studio) -> None:
    studio.record()
    clip = await studio.capture()
    await studio.repository.remove(clip.clip_id)
    path = studio.clips.store.directory(clip) / "clip.json"
    path.write_bytes(b"{")
    found = await studio.clips.recovery.check(repair=True)
    assert [f.kind for f in found] == ["damaged-record"]
    assert path.exists()
    assert studio.clips.store.pins(clip.clip_id).exists()


async def test_what_may_still_be_in_the_making_is_left_alone(studio: Studio) -> None:
    studio.record()
    for step in WRITING:
        await capture_and_crash(studio, step, title=step)
    before = everything(studio)
    recovery = Recovery(studio.repository, studio.ledger, studio.clips.store, studio.layout, settled=lambda _: False)
    assert await recovery.check(repair=True) == []
    assert everything(studio) == before


@pytest.mark.parametrize("again_us", [SECOND, 2 * SECOND])
async def test_a_capture_that_was_repeated_after_a_crash_loses_no_bytes(studio: Studio, again_us: int) -> None:
    studio.record()
    await capture_and_crash(studio, "record", idempotency_key="k")
    answered = await studio.capture(last_us=again_us, idempotency_key="k")
    await consistent(studio)
    clips = await studio.repository.all_clips()
    assert await studio.row(answered) == answered
    other = [clip for clip in clips if clip.clip_id != answered.clip_id]
    assert [(clip.delivered.duration_us, clip.idempotency_key) for clip in other] == (
        [] if again_us == SECOND else [(SECOND, None)]
    )


async def finish_files(studio: Studio, clip: Clip) -> None:
    rows = ClipRows(studio.repository, studio.clips.store, a_trail())
    digest = studio.clips.store.materialise(clip)
    changed = await rows.change(clip.clip_id, storage=Storage.FILE, sha256=digest)
    assert changed is not None
    studio.clips.store.unpin(changed)


async def test_a_row_that_is_lost_comes_back_with_who_may_see_the_clip(tmp_path: Path) -> None:
    studio = a_studio(tmp_path / "buffer", tmp_path / "storage")
    studio.record()
    clip = await studio.capture(who=ADMIN)
    wish = ClipWish(title="Ü", visibility=Visibility.LINK, tags=("a", "b"))
    row = await studio.clips.library.change(ADMIN, clip.clip_id, wish)
    assert (row.sharer_id, row.sharer_name, row.share_key is not None) == ("alice", "Alice", True)
    await studio.repository.remove(clip.clip_id)
    await studio.clips.recovery.check(repair=True)
    assert await studio.repository.get(clip.clip_id) == row
