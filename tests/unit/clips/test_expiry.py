from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.audit import MemoryAuditRepository, a_trail
from tests.support.clip_builders import a_clip
from tests.support.memory_clips import MemoryClipRepository

from lookback.access.audit import Action, Nobody
from lookback.buffer.layout import BufferLayout
from lookback.clips.expiry import ClipExpiry
from lookback.clips.rows import ClipRows
from lookback.clips.store import ClipStore

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400_000_000
NOW = 1_795_384_800_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """Implements access.ports.Retentions."""

    days: dict[str, int]

    async def clip_retentions(self) -> dict[str, int]:
        return self.days


@dataclass(slots=True)
class Shelf:
    """Clips, and what becomes of them."""

    folder: Path
    clips: MemoryClipRepository = field(default_factory=MemoryClipRepository)
    trail: MemoryAuditRepository = field(default_factory=MemoryAuditRepository)

    async def holds(self, clip_id: str, community_id: str | None, age_us: int) -> None:
        await self.clips.add(a_clip(clip_id, community_id=community_id, created_at_us=NOW - age_us))

    async def expire(self, **days: int) -> int:
        rows = ClipRows(self.clips, ClipStore(self.folder, BufferLayout(self.folder)), a_trail(self.trail))
        return await ClipExpiry(self.clips, rows, Kept(days), lambda: NOW).expire(NOW)

    async def left(self) -> list[str]:
        return sorted(clip.clip_id for clip in await self.clips.all_clips() if clip.deleted_at_us is None)


async def test_clips_are_deleted_when_their_community_keeps_them_no_longer(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    await shelf.holds("old", "c1", 3 * DAY + 1)
    await shelf.holds("exactly", "c1", 3 * DAY)
    await shelf.holds("kept-elsewhere", "c2", 30 * DAY)
    await shelf.holds("of-no-community", None, 300 * DAY)
    assert await shelf.expire(c1=3, c3=1) == 1
    assert await shelf.left() == ["exactly", "kept-elsewhere", "of-no-community"]
    (entry,) = shelf.trail.entries
    assert (entry.action, entry.actor, entry.subject) == (Action.CLIP_DELETED, Nobody.SERVER, "alice")
    assert (entry.target, entry.community_id, entry.facts) == ("old", "c1", {"cause": "retention"})


async def test_what_is_deleted_already_is_left_alone(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    await shelf.holds("old", "c1", 3 * DAY)
    assert [await shelf.expire(c1=2), await shelf.expire(c1=2)] == [1, 0]


async def test_many_old_clips_are_all_deleted(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number in range(450):
        await shelf.holds(f"old-{number}", "c1", 2 * DAY + number)
    assert await shelf.expire(c1=1) == 450
    assert await shelf.left() == []
