"""Writing so that it is still there after a power cut, and what it means when writing fails."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lookback.buffer.durable import sync_directory, sync_file
from lookback.errors import DiskFullError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SENTENCES = {
    errno.EROFS: "The disk is read-only",
    errno.EACCES: "The server may not use the folder",
    errno.EPERM: "The server may not use the folder",
}
_RETRY_AFTER_SECONDS = 10
NEW = ".new"
"""Ends the names of files that are not complete yet: nobody reads them, recovery removes them."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn errors of the operating system into what a caller can understand."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError("Not enough disk space") from error
        sentence = _SENTENCES.get(error.errno or 0, "The storage does not answer")
        raise StorageUnavailableError(sentence, retryAfter=_RETRY_AFTER_SECONDS) from error


def write(path: Path, data: bytes) -> None:
    """Write a whole file; it is durable after `sync_file` and its directory's `sync_directory`."""
    with path.open("wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) or 0 :]


def replace(path: Path, data: bytes, fsync: Callable[[int], None] = os.fsync) -> None:
    """Put `data` under a name at once or not at all, durably."""
    new = path.with_name(path.name + NEW)
    write(new, data)
    sync_file(new, fsync)
    new.rename(path)
    sync_directory(path.parent, fsync)
