"""Bring bytes of one file into another by the cheapest means that both file systems support."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from lookback.clips.file_calls import FILE_CALLS, FileCalls

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 4096  # what FICLONERANGE counts in on XFS and btrfs with their defaults
_STEP = 8 << 20  # bytes between two looks at the stop signal
_BUFFER = 1 << 20
_CANNOT = frozenset({errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM, errno.EBADF})


class StoppedError(Exception):
    """The work was told to stop; what it has written so far is worthless."""


class Placer:
    """Fills one target file. Remembers which means do not work between these file systems.

    `stop` is asked every few megabytes; when it says so, StoppedError is raised.
    """

    def __init__(self, target: int, calls: FileCalls = FILE_CALLS, stop: Callable[[], bool] = lambda: False) -> None:
        self._target = target
        self._calls = calls
        self._stop = stop
        self._clones = True
        self._copies = True

    def place(self, source: int, offset: int, length: int, position: int) -> None:
        """Make `length` bytes at `position` of the target what they are at `offset` of `source`.

        Whole blocks are shared where the file system can. Raises OSError (EIO) when the source is too short.
        """
        done = self._share(source, offset, length, position)
        while done < length:
            if self._stop():
                raise StoppedError
            step = min(_STEP, length - done)
            done += self._copy(source, offset + done, step, position + done)

    def write(self, data: bytes, position: int) -> None:
        """Put `data` at `position` of the target."""
        while data:
            count = os.pwrite(self._target, data, position)
            data, position = data[count:], position + count

    def _share(self, source: int, offset: int, length: int, position: int) -> int:
        whole = length // BLOCK * BLOCK
        if not self._clones or not whole or offset % BLOCK or position % BLOCK:
            return 0
        try:
            self._calls.clone_range(source, self._target, whole, offset, position)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            self._clones = False
            return 0
        return whole

    def _copy(self, source: int, offset: int, length: int, position: int) -> int:
        if self._copies:
            try:
                return _some(self._calls.copy_range(source, self._target, length, offset, position))
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
                self._copies = False
        data = os.pread(source, min(length, _BUFFER), offset)
        return os.pwrite(self._target, data, position) if _some(len(data)) else 0


def _some(count: int) -> int:
    if not count:
        raise OSError(errno.EIO, "The file is shorter than its plan")
    return count
