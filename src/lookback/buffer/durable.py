"""Make what was written survive a power cut: `fsync` of files, and of directories for the names in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def sync_file(path: Path, fsync: Callable[[int], None] = os.fsync) -> None:
    """Make what was written into a file durable, whoever wrote it."""
    _sync(path, os.O_RDONLY, fsync)


def sync_directory(path: Path, fsync: Callable[[int], None] = os.fsync) -> None:
    """Make the names in a directory durable."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY, fsync)


def _sync(path: Path, flags: int, fsync: Callable[[int], None]) -> None:
    descriptor = os.open(path, flags)
    try:
        fsync(descriptor)
    finally:
        os.close(descriptor)
