"""An open segment: its media file and its index, appended to in whole fragments and never rewritten.

1. An index record exists only for bytes that are already in the media file; the commit record comes last.
So the fragment is written before its records. A crash between the two leaves bytes nobody refers to, which repair cuts
off; never a record that points at nothing.
2. A fragment that could not be written whole is cut off again, so that the next one does not stand behind a tear.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from lookback.media.index import SegmentHeader, fragment_records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lookback.buffer.layout import SegmentPaths
    from lookback.media.index import Sample

_MODE = 0o640
_LARGEST_MEDIA = 0xFFFF_FFFF  # offsets have 32 bits
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND


class SegmentFile:
    """Methods that write raise OSError; the files then end at the last whole commit, if the disk lets us."""

    def __init__(
        self,
        paths: SegmentPaths,
        init: bytes,
        header: SegmentHeader,
        write: Callable[[int, memoryview], int] = os.write,
    ) -> None:
        self._paths = paths
        self._commits = 0
        self.first_dts_us = header.first_dts_us
        self._write = write
        self._media = self._index = -1
        try:
            self._media = os.open(paths.media, _FLAGS, _MODE)
            self._index = os.open(paths.index, _FLAGS, _MODE)
            self._write_all(self._media, init)
            self._write_all(self._index, header.pack())
        except OSError:
            self.close()
            raise
        self._inodes = [os.fstat(fd).st_ino for fd in (self._media, self._index)]
        self.media_size = len(init)
        self.index_size = len(header.pack())

    def append(self, number: int, data: bytes, samples: Sequence[Sample]) -> int:
        """Write one fragment and commit it; return how many bytes both files grew by."""
        try:
            self._refuse_what_cannot_last(len(data))
            records = fragment_records(number, self.media_size, data, samples)
            self._write_all(self._media, data)
            self._write_all(self._index, records)
        except OSError:
            self._cut_back()
            raise
        self._commits += 1
        self.media_size += len(data)
        self.index_size += len(records)
        return len(data) + len(records)

    def handles(self) -> list[int]:
        """Duplicates of both descriptors for whoever syncs them; the receiver closes them."""
        return [os.dup(self._media), os.dup(self._index)]

    def close(self) -> None:
        """Close both files; remove them again when nothing was ever committed."""
        for fd, path in ((self._index, self._paths.index), (self._media, self._paths.media)):
            if fd < 0:
                continue  # a file that was there before is not ours
            # A network file system may say here that it could not write; syncing has said so already.
            with contextlib.suppress(OSError):
                os.close(fd)
            if not self._commits:
                with contextlib.suppress(OSError):
                    path.unlink()

    def is_as_left(self) -> bool:
        """Whether the disk has what was written, after the end: both files whole, or neither when nothing was."""
        left = (self.media_size, self.index_size) if self._commits else (None, None)
        return left == (_size(self._paths.media), _size(self._paths.index))

    def _write_all(self, fd: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._write(fd, view) :]

    def _refuse_what_cannot_last(self, size: int) -> None:
        # Writing to a file that lost its name succeeds and saves nothing: the directory was removed or moved away.
        if [path.stat().st_ino for path in (self._paths.media, self._paths.index)] != self._inodes:
            raise FileNotFoundError(errno.ENOENT, "The open segment was replaced")
        if self.media_size + size > _LARGEST_MEDIA:
            raise OSError(errno.EFBIG, "The open segment is as large as an index can describe")

    def _cut_back(self) -> None:
        # Index first: a record must never name bytes that are being cut off.
        for fd, size in ((self._index, self.index_size), (self._media, self.media_size)):
            with contextlib.suppress(OSError):
                os.ftruncate(fd, size)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
