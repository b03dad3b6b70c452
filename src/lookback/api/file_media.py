"""Open media that is one file of the buffer."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from lookback.clips.durable import storage_errors
from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.buffer.threads import DiskThreads
    from lookback.sessions.views import MediaPart

_CHUNK_BYTES = 256 * 1024


class FileMedia:
    """The first `size` bytes of an open file, read in `threads`."""

    def __init__(self, descriptor: int, size: int, threads: DiskThreads) -> None:
        self._descriptor, self._size, self._threads = descriptor, size, threads

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes of `[start, stop)`, read off the event loop."""
        while start < stop:
            chunk = await self._threads.ask(os.pread, self._descriptor, min(_CHUNK_BYTES, stop - start), start)
            if not chunk:
                return
            yield chunk
            start += len(chunk)

    def close(self) -> None:
        """Let go of the file, off the event loop: a network file system may be asked about it."""
        self._threads.later(partial(os.close, self._descriptor))


async def open_part(part: MediaPart) -> FileMedia:
    """Hold the file open, so that eviction cannot take it away.

    Raises NotFoundError when it is gone already, StorageUnavailableError when the disk is.
    """
    with storage_errors():
        try:
            descriptor = await part.threads.ask(os.open, part.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise NotFoundError("It is no longer in the buffer") from error
    return FileMedia(descriptor, part.size_bytes, part.threads)
