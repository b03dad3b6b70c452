"""Serve what can be played or shown: any range of it, without ever losing it half-way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.clips.durable import storage_errors
from lookback.clips.opened import OpenedClip
from lookback.clips.visibility import Sight, sight_of
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lookback.access.principal import Principal
    from lookback.buffer.threads import DiskThreads
    from lookback.clips.library import Library
    from lookback.clips.model import Clip
    from lookback.clips.ports import Deed, Witness
    from lookback.clips.store import ClipStore

_CHUNK = 1 << 18


class OpenMedia:
    """Media held open: eviction, deletion and materialisation cannot break the reading. Close it when done."""

    def __init__(self, opened: OpenedClip, threads: DiskThreads) -> None:
        self._opened, self._threads = opened, threads

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._opened.size

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes `[start, stop)` in order, a quarter of a megabyte at a time, reading off the event loop.

        Raises StorageUnavailableError when the disk does not answer any more.
        """
        stop = min(stop, self.size)
        while start < stop:
            data = await self._threads.ask(self._opened.read_at, start, min(_CHUNK, stop - start))
            yield data
            start += len(data)

    def close(self) -> None:
        """Let go of the files, off the event loop: a network file system may be asked about it."""
        self._threads.later(self._opened.close)


class Playback:
    """Opens clips, posters and renditions. What `who` may not see raises NotFoundError.

    The witness is told when others than its owner begin to watch a clip or take it with them. Raises NotFoundError also
    when the bytes are gone, and StorageUnavailableError when the storage is.
    """

    def __init__(self, library: Library, store: ClipStore, witness: Witness) -> None:
        self._library = library
        self._store = store
        self._witness = witness

    async def video(self, who: Principal, clip_id: str, deed: Deed | None = None) -> tuple[Clip, OpenMedia]:
        """Open a clip's video. `deed`: what begins with this; None when it goes on with what began before."""
        clip = await self._library.get(who, clip_id)
        await self._note(who, clip, deed)
        return clip, await open_video(self._store, clip)

    async def poster(self, who: Principal, clip_id: str) -> tuple[Clip, OpenMedia]:
        """Open a clip's poster, a WebP picture."""
        clip = await self._library.get(who, clip_id)
        return clip, await self._open(self._store.poster(clip), "The clip has no poster yet")

    async def rendition(
        self, who: Principal, clip_id: str, rendition_id: str, deed: Deed | None = None
    ) -> tuple[Clip, OpenMedia]:
        """Open a rendition that is ready; `deed` as for a video."""
        clip = await self._library.get(who, clip_id)
        if not any(r.rendition_id == rendition_id and r.status == "ready" for r in clip.renditions):
            raise NotFoundError("There is no such rendition")
        await self._note(who, clip, deed)
        path = self._store.rendition(clip, rendition_id)
        return clip, await self._open(path, "The rendition's file is gone")

    async def _open(self, path: Path, absent: str) -> OpenMedia:
        threads = self._store.threads
        with storage_errors():
            try:
                return OpenMedia(await threads.ask(OpenedClip.of_file, path), threads)
            except FileNotFoundError as error:
                raise NotFoundError(absent) from error

    async def _note(self, who: Principal, clip: Clip, deed: Deed | None) -> None:
        if deed is not None and sight_of(who, clip) is not Sight.OWNER:
            await self._witness.note(who, clip, deed)


async def open_video(store: ClipStore, clip: Clip) -> OpenMedia:
    """Open a clip's video; raises NotFoundError, StorageUnavailableError."""
    return OpenMedia(await store.threads.ask(store.open, clip), store.threads)
