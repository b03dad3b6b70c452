"""Make written fragments durable in a few threads, so that a slow disk never holds up a packet."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Done = Callable[[OSError | None], None]


class SyncPool:
    """Runs fdatasync off the event loop.

    1. A file waits at most once: what is written while it waits is covered when its turn comes.
    So the queue never holds more entries than there are open segments, however slow the disk is.
    """

    def __init__(self, threads: int, sync: Callable[[int], None] = os.fdatasync) -> None:
        self._executor = ThreadPoolExecutor(threads, "sync")
        self._sync = sync
        self._waiting: set[tuple[int, int]] = set()
        self.merged = 0

    def submit(self, fds: list[int], done: Done) -> None:
        """Sync these descriptors in this order and close them. `done` is called in a thread of the pool.

        It gets None or the first error; it is not called for descriptors that join an entry already waiting.
        """
        try:
            status = os.fstat(fds[0])
        except OSError:
            _close(fds)
            raise
        file = (status.st_dev, status.st_ino)
        if file in self._waiting:
            self.merged += 1
            _close(fds)
            return
        self._waiting.add(file)
        self._executor.submit(self._work, file, fds, done)

    def close(self) -> None:
        """Finish what waits. Blocks as long as the disk does."""
        self._executor.shutdown()

    def _work(self, file: tuple[int, int], fds: list[int], done: Done) -> None:
        # Left before the sync begins: what is written from here on needs, and gets, an entry of its own.
        self._waiting.discard(file)
        fault = None
        try:
            for fd in fds:
                self._sync(fd)
        except OSError as error:
            fault = error
        finally:
            _close(fds)
        done(fault)


def _close(fds: list[int]) -> None:
    for fd in fds:
        with suppress(OSError):
            os.close(fd)
