"""Bring clips to their final state: one physical file with a hash, a poster, the renditions that were asked for.

Rows are the truth, the queue is a hint: after a restart, or when something failed, the work is found again from the
rows. Every step may be repeated.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from lookback.clips.durable import replace, storage_errors
from lookback.clips.library import UNDO_US
from lookback.clips.model import Storage
from lookback.clips.poster import make_poster
from lookback.clips.renditions import UNDONE
from lookback.clips.space import AmpleSpace
from lookback.clips.stopwatch import unwatched
from lookback.errors import (
    CaptureFailedError,
    DiskFullError,
    LookbackError,
    NotFoundError,
    StorageUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from lookback.clips.model import Clip
    from lookback.clips.ports import ClipRepository, Clock, Wait
    from lookback.clips.renditions import Converter
    from lookback.clips.rows import ClipRows
    from lookback.clips.space import SpaceGate
    from lookback.clips.stopwatch import Work
    from lookback.clips.store import ClipStore

log = structlog.get_logger(__name__)

_SWEEP_US = 30_000_000
_FIRST_RETRY_US = 5_000_000
_LAST_RETRY_US = 600_000_000
_POSTER_TRIES = 3


@dataclass(slots=True)
class _Lane:
    """One kind of work: ids of clips that wait for it, none twice, and when to try again what failed.

    Two workers never have the same clip: they would write the same file. What is put while it is worked on is worked
    on once more afterwards.
    """

    work: Callable[[Clip], Awaitable[None]]
    queue: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    queued: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    failures: dict[str, int] = field(default_factory=dict)
    not_before_us: dict[str, int] = field(default_factory=dict)

    def put(self, clip_id: str) -> None:
        if clip_id in self.busy:
            self.again.add(clip_id)
        elif clip_id not in self.queued:
            self.queued.add(clip_id)
            self.queue.put_nowait(clip_id)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[str]:
        clip_id = await self.queue.get()
        self.queued.discard(clip_id)
        self.busy.add(clip_id)
        try:
            yield clip_id
        finally:
            self.busy.discard(clip_id)
            if clip_id in self.again:
                self.again.discard(clip_id)
                self.put(clip_id)

    def due(self, clip_id: str, now_us: int) -> bool:
        return self.not_before_us.get(clip_id, 0) <= now_us

    def failed(self, clip_id: str, now_us: int) -> None:
        count = self.failures[clip_id] = self.failures.get(clip_id, 0) + 1
        self.not_before_us[clip_id] = now_us + min(_FIRST_RETRY_US << min(count - 1, 20), _LAST_RETRY_US)

    def done(self, clip_id: str) -> None:
        self.failures.pop(clip_id, None)
        self.not_before_us.pop(clip_id, None)


class Background:
    """Works until cancelled, on a bounded number of clips at once. Renditions wait for each other, not for files."""

    def __init__(
        self,
        repository: ClipRepository,
        rows: ClipRows,
        store: ClipStore,
        *,
        converter: Converter,
        clock: Clock,
        wait: Wait,
        workers: int = 2,
        space: SpaceGate | None = None,
        work: Work = unwatched,
    ) -> None:
        self._repository = repository
        self._rows = rows
        self._store = store
        self._converter = converter
        self._clock = clock
        self._wait = wait
        self._workers = workers
        self._space = space or AmpleSpace()
        self._work_on = work
        self._stop = threading.Event()
        self._files = _Lane(self._finish_files)
        self._renditions = _Lane(self._finish_renditions)
        self._posterless: dict[str, int] = {}
        self._to_unpin: set[str] = set()

    def wake(self, clip_id: str) -> None:
        """Say that there may be something to do for this clip."""
        self._files.put(clip_id)
        self._renditions.put(clip_id)

    async def run(self) -> None:
        """Work until cancelled."""
        self._stop.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._workers):
                    tasks.create_task(self._work(self._files))
                tasks.create_task(self._work(self._renditions))
                tasks.create_task(self._sweep())
        finally:
            self._stop.set()  # threads cannot be cancelled: they look at this every few megabytes

    async def sweep(self) -> None:
        """Find unfinished clips, write down what could not be, and remove those whose time to be restored is over."""
        now_us = self._clock()
        await self._rows.catch_up()
        for clip_id in tuple(self._to_unpin):
            await self._unpin(clip_id)
        for clip in await self._repository.unfinished():
            for lane in (self._files, self._renditions):
                if lane.due(clip.clip_id, now_us):
                    lane.put(clip.clip_id)
        for clip in await self._repository.deleted_before(now_us - UNDO_US):
            if await self._rows.purge(clip.clip_id, now_us - UNDO_US):
                log.info("clip.purged", clip=clip.clip_id)

    async def _sweep(self) -> None:
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("clips.sweep_failed")
            await self._wait(self._clock() + _SWEEP_US)

    async def _work(self, lane: _Lane) -> None:
        while True:
            async with lane.taken() as clip_id:
                await self._try(lane, clip_id)

    async def _try(self, lane: _Lane, clip_id: str) -> None:
        try:
            clip = await self._repository.get(clip_id)
            if clip is not None and clip.status == "ready" and clip.deleted_at_us is None:
                await lane.work(clip)
        except LookbackError as error:
            # Full or absent storage: the clip plays as it is, and is tried again later.
            lane.failed(clip_id, self._clock())
            log.warning("clip.unfinished", clip=clip_id, error=str(error))
        except Exception:
            lane.failed(clip_id, self._clock())
            log.exception("clip.unfinished", clip=clip_id)
        else:
            lane.done(clip_id)

    async def _finish_files(self, clip: Clip) -> None:
        if not clip.has_poster:
            await self._make_poster(clip)
        if clip.storage is Storage.VIRTUAL and self._has_room(lambda: self._space.require_file(clip.size_bytes)):
            await self._materialise(clip)
        if any(r.status in UNDONE for r in clip.renditions):
            self._renditions.put(clip.clip_id)

    @staticmethod
    def _has_room(require: Callable[[], None]) -> bool:
        """Whether this may be written now. If not, that is no failure to wait long after: the next sweep finds it."""
        try:
            require()
        except DiskFullError:
            return False
        return True

    async def _make_poster(self, clip: Clip) -> None:
        tries = self._posterless.get(clip.clip_id, 0)
        if tries >= _POSTER_TRIES:
            return
        try:
            with self._work_on("clip.poster"):
                await self._store.threads.run(self._write_poster, clip)
        except CaptureFailedError as error:
            # What cannot be decoded now will not be later; a few tries in case the machine was the reason.
            self._posterless[clip.clip_id] = tries + 1
            log.warning("poster.failed", clip=clip.clip_id, error=str(error))
        except NotFoundError:
            return  # materialising says what that means
        else:
            await self._rows.change(clip.clip_id, has_poster=True)

    def _write_poster(self, clip: Clip) -> None:
        with self._store.open(clip) as opened:
            picture = make_poster(opened, clip.container)
        with storage_errors():
            replace(self._store.poster(clip), picture)

    async def _materialise(self, clip: Clip) -> None:
        try:
            with self._work_on("clip.store"):
                digest = await self._store.threads.run(self._store.materialise, clip, self._stop.is_set)
        except NotFoundError:
            await self._rows.change(clip.clip_id, status="failed")
            log.error("clip.lost", clip=clip.clip_id)  # noqa: TRY400 - the cause is that files are gone, not a bug
            return
        changed = await self._rows.change(clip.clip_id, storage=Storage.FILE, sha256=digest)
        if changed is not None:
            log.info("clip.stored", clip=clip.clip_id, size=clip.size_bytes)
            await self._unpin(clip.clip_id)

    async def _unpin(self, clip_id: str) -> None:
        """Let go of what the physical file has replaced, or try again at the next sweep."""
        self._to_unpin.discard(clip_id)
        clip = await self._repository.get(clip_id)
        if clip is None or clip.storage is not Storage.FILE:
            return
        try:
            await self._store.threads.run(self._store.unpin, clip)
        except StorageUnavailableError as error:
            # The buffer's disk is away or read-only. The row is right already, so nothing else finds this clip again.
            self._to_unpin.add(clip_id)
            log.warning("clip.still_pinned", clip=clip_id, error=error.detail)

    async def _finish_renditions(self, clip: Clip) -> None:
        if clip.storage is not Storage.FILE or not self._has_room(self._space.require_rendition):
            return  # the file lane calls again, or the sweep
        for rendition in clip.renditions:
            if rendition.status in UNDONE:
                with self._work_on("clip.rendition"):
                    await self._converter.make(clip, rendition)
