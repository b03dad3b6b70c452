"""Open media that is one file of the buffer."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from lookback.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.sessions.views import MediaPart

_CHUNK_BYTES = 256 * 1024


class FileMedia:
    """The first `size` bytes of an open file."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes of `[start, stop)`, read off the event loop."""
        while start < stop:
            chunk = await asyncio.to_thread(os.pread, self._descriptor, min(_CHUNK_BYTES, stop - start), start)
            if not chunk:
                return
            yield chunk
            start += len(chunk)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def open_part(part: MediaPart) -> FileMedia:
    """Hold the file open, so that eviction cannot take it away; raises NotFoundError when it is gone already."""
    try:
        return FileMedia(os.open(part.path, os.O_RDONLY | os.O_CLOEXEC), part.size_bytes)
    except FileNotFoundError as error:
        raise NotFoundError("It is no longer in the buffer") from error
