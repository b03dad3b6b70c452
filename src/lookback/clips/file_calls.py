"""The calls to the operating system that fail in interesting ways, so that a test can make them fail."""

from __future__ import annotations

import fcntl
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FICLONERANGE = 0x4020940D  # linux/fs.h: _IOW(0x94, 13, struct file_clone_range)
_CLONE = struct.Struct("=qQQQ")  # source descriptor, offset, length, position


def clone_range(source: int, target: int, length: int, offset: int, position: int) -> None:
    """Share `length` bytes of `source` with `target` (both open files); all three numbers are whole blocks.

    Raises OSError where the file system cannot: EOPNOTSUPP, EXDEV, EINVAL or ENOTTY.
    """
    fcntl.ioctl(target, _FICLONERANGE, _CLONE.pack(source, offset, length, position))


@dataclass(frozen=True, slots=True)
class FileCalls:
    """What the clip store asks of the kernel. The ranges take source, target, length, offset, position."""

    link: Callable[[Path, Path], None] = os.link
    fsync: Callable[[int], None] = os.fsync
    clone_range: Callable[[int, int, int, int, int], None] = clone_range
    copy_range: Callable[[int, int, int, int, int], int] = os.copy_file_range


FILE_CALLS = FileCalls()
