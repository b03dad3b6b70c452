"""Bring clips' files and rows into agreement after a crash, in both directions; also what `lookback check` does."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
import xxhash

from lookback.clips.durable import NEW, storage_errors
from lookback.clips.model import Storage
from lookback.clips.store import HEADER
from lookback.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.buffer.layout import BufferLayout
    from lookback.clips.model import Clip, Rendition
    from lookback.clips.ports import ClipRepository, QuotaLedger
    from lookback.clips.record import ClipRecord
    from lookback.clips.store import ClipStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree. `subject` is a clip id, or the name of a directory that belongs to none.

    Kinds: unfinished-file, incomplete-clip, damaged-record, missing-row, half-deleted, missing-files, not-a-file,
    leftover-pins, stale-record, missing-poster, missing-rendition, orphan-rendition, orphan-pins; and miscounted, whose
    subject is a user.
    """

    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Files:
    """What there is of a clip on disk. `virtual`: it can be played from its pins."""

    directory: bool
    record: ClipRecord | None
    video: bool
    virtual: bool
    pinned: bool
    poster: bool
    renditions: frozenset[Path]

    @property
    def playable(self) -> bool:
        return self.video or self.virtual


class Recovery:
    """Looks at everything, and mends it when told to.

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
        self._repair = False
        self._found: list[Finding] = []
        self._unreadable: set[str] = set()

    async def check(self, *, repair: bool) -> list[Finding]:
        """Return what does not agree; with `repair`, it does afterwards, as far as that is possible.

        Raises StorageUnavailableError when the directories cannot be read.
        """
        self._repair, self._found, self._unreadable = repair, [], set()
        with storage_errors():
            await self._check_directories()
            for clip in await self._repository.all_clips():
                await self._check_row(clip)
            await self._check_pins()
        await self._check_counts()
        return self._found

    async def recount(self) -> None:
        """Set what users have used to what their clips take up; right also beside a running service."""
        for user_id in await self._ledger.miscounted():
            await self._ledger.recount(user_id)

    def _report(self, kind: str, subject: str) -> bool:
        """Note a finding; return whether to mend it."""
        self._found.append(Finding(kind, subject))
        log.warning("clips.disagree", kind=kind, subject=subject, repair=self._repair)
        return self._repair

    # ---- directories without rows

    async def _check_directories(self) -> None:
        known = {self._store.directory(clip) for clip in await self._repository.all_clips()}
        for directory in await asyncio.to_thread(lambda: list(self._store.directories())):
            record = await asyncio.to_thread(self._look_into, directory, known=directory in known)
            if record is not None and directory not in known and self._report("missing-row", record.clip.clip_id):
                await self._insert(record.clip)

    def _look_into(self, directory: Path, *, known: bool) -> ClipRecord | None:
        for leftover in directory.glob(f"*{NEW}"):
            if self._settled(leftover) and self._report("unfinished-file", directory.name):
                leftover.unlink(missing_ok=True)
        try:
            record = self._store.read(directory)
        except FileNotFoundError:
            if not known and self._settled(directory) and self._report("incomplete-clip", directory.name):
                shutil.rmtree(directory)
            return None
        except MalformedError:
            self._report("damaged-record", directory.name)
            self._unreadable.add(directory.name)  # somebody may still want to rescue it by hand
            return None
        return record if self._settled(directory) and self._store.directory(record.clip) == directory else None

    async def _insert(self, clip: Clip) -> None:
        stored = clip.storage is Storage.FILE and clip.sha256 is not None
        renditions = await asyncio.to_thread(self._finished, clip)
        row = replace(clip, renditions=renditions, storage=clip.storage if stored else Storage.VIRTUAL)
        kept = await self._repository.add(row)
        if kept.clip_id != clip.clip_id:  # a capture with the same key that was repeated after the crash
            await asyncio.to_thread(self._store.remove, clip)

    def _finished(self, clip: Clip) -> tuple[Rendition, ...]:
        """The renditions whose files are there, whole."""
        return tuple(
            made
            for made in clip.renditions
            if made.status == "ready" and _has(self._store.rendition(clip, made.rendition_id), made.size_bytes or 0)
        )

    # ---- rows and their files

    async def _check_row(self, clip: Clip) -> None:
        files = await asyncio.to_thread(self._look_at, clip)
        if clip.deleted_at_us is not None:
            if not files.directory and self._report("half-deleted", clip.clip_id):
                await asyncio.to_thread(self._store.remove, clip)
                await self._repository.remove(clip.clip_id)
            return
        if clip.status == "failed":
            return
        if not files.playable:
            if self._report("missing-files", clip.clip_id):
                await self._repository.update(clip.clip_id, status="failed")
            return
        await self._check_storage(clip, files)
        await self._check_derived(clip, files)

    async def _check_storage(self, clip: Clip, files: _Files) -> None:
        if clip.storage is Storage.FILE:
            if not files.video and self._report("not-a-file", clip.clip_id):
                await self._repository.update(clip.clip_id, storage=Storage.VIRTUAL, sha256=None)
            elif files.video and files.pinned and self._report("leftover-pins", clip.clip_id):
                await asyncio.to_thread(self._store.unpin, clip)
        if (
            files.record is not None
            and _differs(files.record.clip, clip)
            and self._report("stale-record", clip.clip_id)
        ):
            await asyncio.to_thread(self._store.save, clip)

    async def _check_derived(self, clip: Clip, files: _Files) -> None:
        if clip.has_poster and not files.poster and self._report("missing-poster", clip.clip_id):
            await self._repository.update(clip.clip_id, has_poster=False)
        wanted = {self._store.rendition(clip, r.rendition_id): r for r in clip.renditions}
        for path, rendition in wanted.items():
            lost = rendition.status == "ready" and path not in files.renditions
            if lost and self._report("missing-rendition", clip.clip_id):
                gone = replace(rendition, status="failed", reason="Its file is gone", size_bytes=None)
                await self._repository.put_rendition(clip.clip_id, gone)
        for path in files.renditions - wanted.keys():
            if self._settled(path) and self._report("orphan-rendition", clip.clip_id):
                await asyncio.to_thread(path.unlink, missing_ok=True)

    def _look_at(self, clip: Clip) -> _Files:
        directory, pins = self._store.directory(clip), self._store.pins(clip.clip_id)
        record: ClipRecord | None = None
        with suppress(FileNotFoundError, MalformedError):
            record = self._store.read(directory)
        return _Files(
            directory=directory.exists(),
            record=record,
            video=_has(self._store.video(clip), clip.size_bytes),
            virtual=record is not None and _playable(record, directory, pins),
            pinned=pins.exists() or (directory / HEADER).exists(),
            poster=self._store.poster(clip).exists(),
            renditions=frozenset(directory.glob("rendition-*.mp4")),
        )

    # ---- pins without clips

    async def _check_pins(self) -> None:
        wanted = {self._store.pins(clip.clip_id) for clip in await self._repository.all_clips()}
        for pins in await asyncio.to_thread(lambda: list(self._layout.all_pins())):
            orphan = pins not in wanted and pins.name not in self._unreadable and self._settled(pins)
            if orphan and self._report("orphan-pins", pins.name):
                await asyncio.to_thread(shutil.rmtree, pins)

    # ---- what users have used

    async def _check_counts(self) -> None:
        for user_id in await self._ledger.miscounted():
            if self._report("miscounted", user_id):
                await self._ledger.recount(user_id)


def _has(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size >= size
    except FileNotFoundError:
        return False


def _playable(record: ClipRecord, directory: Path, pins: Path) -> bool:
    plan = record.plan
    try:
        digest = xxhash.xxh3_128_hexdigest((directory / HEADER).read_bytes())
    except FileNotFoundError:
        return False
    needed = zip(plan.pins, plan.spans(), strict=True)
    return digest == plan.header_digest and all(_has(pins / name, end) for name, (_, end) in needed)


def _differs(written: Clip, row: Clip) -> bool:
    names = ("title", "visibility", "tags", "share_key", "status", "storage", "sha256", "has_poster", "deleted_at_us")
    return _ready(written) != _ready(row) or any(getattr(written, name) != getattr(row, name) for name in names)


def _ready(clip: Clip) -> set[Rendition]:
    return {made for made in clip.renditions if made.status == "ready"}
