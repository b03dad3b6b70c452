"""Bring clips' files and rows into agreement after a crash, in both directions; also what `lookback check` does."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from lookback.buffer.findings import Inspection
from lookback.clips import findings as kinds
from lookback.clips.durable import NEW, storage_errors
from lookback.clips.files import finished, look_at, rendition_lacks, why_not_playable
from lookback.clips.model import Storage
from lookback.clips.store import sha256_of
from lookback.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.buffer.findings import Finding
    from lookback.buffer.layout import BufferLayout
    from lookback.clips.files import ClipFiles
    from lookback.clips.model import Clip, Rendition
    from lookback.clips.ports import ClipRepository, QuotaLedger
    from lookback.clips.record import ClipRecord
    from lookback.clips.store import ClipStore

_VIDEOS = {".mp4", ".webm"}


class Recovery:
    """Looks at everything, and mends it when told to. One look at a time.

    `settled` says of a path whether nobody can be in the middle of writing it: always true before the service
    starts, old enough for a check beside a running one.
    """

    def __init__(
        self,
        repository: ClipRepository,
        ledger: QuotaLedger,
        store: ClipStore,
        layout: BufferLayout,
        *,
        settled: Callable[[Path], bool] = lambda _path: True,
    ) -> None:
        self._repository = repository
        self._ledger = ledger
        self._store = store
        self._layout = layout
        self._settled = settled
        self._at = Inspection()
        self._kept_pins: set[str] = set()
        self._hashes: dict[tuple[int, int, int], str] = {}

    async def check(self, *, repair: bool) -> list[Finding]:
        """Return what does not agree; with `repair`, it does afterwards, as far as that is possible.

        Raises StorageUnavailableError when the directories cannot be read.
        """
        inspection = Inspection(repair=repair)
        await self.inspect(inspection)
        return inspection.found

    async def inspect(self, inspection: Inspection) -> None:
        """Look at everything once, and mend what the inspection says; raises as `check` does."""
        self._at, self._kept_pins = inspection, set()
        with storage_errors():
            await self._check_directories()
            for clip in await self._repository.all_clips():
                await self._check_row(clip)
            await self._check_pins()
        await self._check_counts()

    async def recount(self) -> None:
        """Set what users have used to what their clips take up; right also beside a running service."""
        for user_id in await self._ledger.miscounted():
            await self._ledger.recount(user_id)

    # ---- directories without rows

    async def _check_directories(self) -> None:
        known = {self._store.directory(clip) for clip in await self._repository.all_clips()}
        found = await asyncio.to_thread(lambda: list(self._store.directories()))
        names = {directory.name for directory in known.union(found)}
        names |= {pins.name for pins in await asyncio.to_thread(lambda: list(self._layout.all_pins()))}
        self._at.population["clips"] += len(names)
        for directory in found:
            record = await asyncio.to_thread(self._look_into, directory, known=directory in known)
            if record is None or directory in known:
                continue
            self._kept_pins.add(directory.name)
            if self._at.mends(kinds.MISSING_ROW, record.clip.clip_id):
                await self._insert(record.clip)

    def _look_into(self, directory: Path, *, known: bool) -> ClipRecord | None:
        for leftover in directory.glob(f"*{NEW}"):
            if self._settled(leftover) and self._at.mends(kinds.UNFINISHED_FILE, directory.name, leftover.name):
                leftover.unlink(missing_ok=True)
        try:
            record = self._store.read(directory)
        except FileNotFoundError:
            if not known and self._settled(directory):
                self._without_record(directory)
            return None
        except MalformedError:
            self._at.mends(kinds.DAMAGED_RECORD, directory.name)
            self._kept_pins.add(directory.name)  # somebody may still want to rescue it by hand
            return None
        if not self._settled(directory):
            return None
        if self._store.directory(record.clip) != directory:
            self._kept_pins.add(directory.name)
            self._at.mends(kinds.MISPLACED_CLIP, directory.name, f"of clip {record.clip.clip_id}")
            return None
        return record

    def _without_record(self, directory: Path) -> None:
        """What was never whole has no video yet; where there is one, it may be all that is left of a clip."""
        if any(path.suffix in _VIDEOS for path in directory.glob("video.*")):
            self._kept_pins.add(directory.name)
            self._at.mends(kinds.CLIP_WITHOUT_RECORD, directory.name)
        elif self._at.mends(kinds.INCOMPLETE_CLIP, directory.name):
            shutil.rmtree(directory)

    async def _insert(self, clip: Clip) -> None:
        stored = clip.storage is Storage.FILE and clip.sha256 is not None
        renditions = await asyncio.to_thread(finished, self._store, clip)
        row = replace(clip, renditions=renditions, storage=clip.storage if stored else Storage.VIRTUAL)
        kept = await self._repository.add(row)
        if kept.clip_id == clip.clip_id:
            return
        if kept.etag == clip.etag and kept.status == "ready":  # a capture that was repeated after the crash
            await asyncio.to_thread(self._store.remove, clip)
        else:  # the key got other bytes meanwhile; nobody can tell whether these were asked for, so they stay
            await asyncio.to_thread(self._store.save, await self._repository.add(replace(row, idempotency_key=None)))

    # ---- rows and their files

    async def _check_row(self, clip: Clip) -> None:
        files = await asyncio.to_thread(look_at, self._store, clip)
        if clip.deleted_at_us is not None:
            if not files.directory and self._at.mends(kinds.HALF_DELETED, clip.clip_id):
                await asyncio.to_thread(self._store.remove, clip)
                await self._repository.remove(clip.clip_id)
            return
        playable = files.virtual or files.holds(clip)
        if clip.status == "failed":
            if not playable or not self._at.mends(kinds.FOUND_AGAIN, clip.clip_id):
                return
            await self._repository.update(clip.clip_id, status="ready")
            clip = replace(clip, status="ready")
        elif not playable:
            if self._at.mends(kinds.MISSING_FILES, clip.clip_id, why_not_playable(files, clip)):
                await self._repository.update(clip.clip_id, status="failed")
            return
        if clip.storage is Storage.FILE:
            await self._check_file(clip, files)
        await self._check_record(clip, files)
        await self._check_derived(clip, files)

    async def _check_file(self, clip: Clip, files: ClipFiles) -> None:
        held = files.video_bytes or 0
        if not files.holds(clip):
            said = f"the file has {held} of {clip.size_bytes} bytes" if held else "the file is gone"
            if self._at.mends(kinds.NOT_A_FILE, clip.clip_id, said):
                await self._make_virtual(clip)
        elif held > clip.size_bytes:
            self._at.mends(kinds.WRONG_SIZE, clip.clip_id, f"{held} bytes and not {clip.size_bytes}")
        elif (spoilt := await self._spoilt(clip, files)) is not None:
            if not files.virtual:
                self._at.mends(kinds.WRONG_HASH, clip.clip_id, spoilt)
            elif self._at.mends(kinds.SPOILT_FILE, clip.clip_id, spoilt):
                await self._make_virtual(clip)
        elif files.pinned and self._at.mends(kinds.LEFTOVER_PINS, clip.clip_id):
            await asyncio.to_thread(self._store.unpin, clip)

    async def _spoilt(self, clip: Clip, files: ClipFiles) -> str | None:
        """What is wrong with a file's bytes. Without its pins it is all there is, so they go only after this look."""
        if not (self._at.deep or files.pinned) or clip.sha256 is None:
            return None
        found = await asyncio.to_thread(self._hash, self._store.video(clip))
        return f"SHA-256 {found[:12]}… and not {clip.sha256[:12]}…" if found != clip.sha256 else None

    def _hash(self, video: Path) -> str:
        """The SHA-256 of a file; none is read again while it stays as it is."""
        status = video.stat()
        stamp = status.st_ino, status.st_size, status.st_mtime_ns
        if stamp not in self._hashes:
            self._hashes[stamp] = sha256_of(video)
        return self._hashes[stamp]

    async def _make_virtual(self, clip: Clip) -> None:
        """Let go of a file that is none of the clip's: first the file, or it would be taken for the clip's again."""
        await asyncio.to_thread(self._store.video(clip).unlink, missing_ok=True)
        await self._repository.update(clip.clip_id, storage=Storage.VIRTUAL, sha256=None)

    async def _check_record(self, clip: Clip, files: ClipFiles) -> None:
        row = await self._now(clip)
        if not files.has_record:
            self._at.mends(kinds.MISSING_RECORD, clip.clip_id)
        elif (
            files.record is not None
            and _differs(files.record.clip, row)
            and self._at.mends(kinds.STALE_RECORD, clip.clip_id)
        ):
            await asyncio.to_thread(self._store.save, row)

    async def _now(self, clip: Clip) -> Clip:
        """The clip as its row says after what was mended."""
        return await self._repository.get(clip.clip_id) or clip if self._at.repair else clip

    async def _check_derived(self, clip: Clip, files: ClipFiles) -> None:
        if clip.has_poster and not files.poster and self._at.mends(kinds.MISSING_POSTER, clip.clip_id):
            await self._repository.update(clip.clip_id, has_poster=False)
        wanted = {self._store.rendition(clip, made.rendition_id) for made in clip.renditions}
        for made in clip.renditions:
            lacks = rendition_lacks(self._store, clip, made) if made.status == "ready" else None
            if lacks is not None and self._at.mends(kinds.MISSING_RENDITION, clip.clip_id, lacks):
                gone = replace(made, status="failed", reason="Its file is gone", size_bytes=None)
                await self._repository.put_rendition(clip.clip_id, gone)
        for path in files.renditions - wanted:
            if self._settled(path) and self._at.mends(kinds.ORPHAN_RENDITION, clip.clip_id, path.name):
                await asyncio.to_thread(path.unlink, missing_ok=True)

    # ---- pins without clips

    async def _check_pins(self) -> None:
        wanted = {self._store.pins(clip.clip_id).name for clip in await self._repository.all_clips()}
        for pins in await asyncio.to_thread(lambda: list(self._layout.all_pins())):
            orphan = pins.name not in wanted | self._kept_pins and self._settled(pins)
            if orphan and self._at.mends(kinds.ORPHAN_PINS, pins.name):
                await asyncio.to_thread(shutil.rmtree, pins)

    # ---- what users have used

    async def _check_counts(self) -> None:
        for user_id in await self._ledger.miscounted():
            if self._at.mends(kinds.MISCOUNTED, user_id):
                await self._ledger.recount(user_id)


def _differs(written: Clip, row: Clip) -> bool:
    names = ("title", "visibility", "tags", "share_key", "status", "storage", "sha256", "has_poster", "deleted_at_us")
    return _ready(written) != _ready(row) or any(getattr(written, name) != getattr(row, name) for name in names)


def _ready(clip: Clip) -> set[Rendition]:
    return {made for made in clip.renditions if made.status == "ready"}
