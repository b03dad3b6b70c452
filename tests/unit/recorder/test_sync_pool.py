from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from tests.support.waiting import eventually

from lookback.recorder.sync_pool import SyncPool


def opened(*paths: Path) -> list[int]:
    return [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for path in paths]


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


class Disk:
    """A disk that syncs when it is told to."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.synced: list[int] = []

    def sync(self, fd: int) -> None:
        assert self.may_go_on.wait(10)
        self.synced.append(os.fstat(fd).st_ino)


async def test_media_is_synced_before_its_index_and_both_are_closed(tmp_path: Path) -> None:
    disk, done = Disk(), list[OSError | None]()
    disk.may_go_on.set()
    pool = SyncPool(1, disk.sync)
    media, index = tmp_path / "m", tmp_path / "i"
    fds = opened(media, index)
    pool.submit(fds, done.append)
    await eventually(lambda: done)
    assert disk.synced == [media.stat().st_ino, index.stat().st_ino]
    assert done == [None]
    assert not any(map(is_open, fds))
    pool.close()


async def test_a_hanging_disk_holds_up_nobody_and_the_queue_stays_short(tmp_path: Path) -> None:
    disk = Disk()
    pool = SyncPool(1, disk.sync)
    before = open_files()
    for _ in range(1000):
        for stream in range(3):
            pool.submit(opened(tmp_path / f"m{stream}", tmp_path / f"i{stream}"), lambda _: None)
    # One entry is being synced, three wait: two descriptors each.
    assert open_files() - before <= 8
    assert pool.merged >= 3000 - 4
    disk.may_go_on.set()
    pool.close()
    assert open_files() == before


async def test_what_is_written_during_a_sync_gets_another_one(tmp_path: Path) -> None:
    entered, may_go_on, synced = threading.Event(), threading.Event(), list[int]()

    def sync(fd: int) -> None:
        entered.set()
        assert may_go_on.wait(10)
        synced.append(fd)

    pool = SyncPool(1, sync)
    pool.submit(opened(tmp_path / "m"), lambda _: None)
    await eventually(entered.is_set)
    pool.submit(opened(tmp_path / "m"), lambda _: None)
    may_go_on.set()
    pool.close()
    assert len(synced) == 2


async def test_an_error_is_told_and_nothing_stays_open(tmp_path: Path) -> None:
    def sync(_: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    faults = list[OSError | None]()
    pool = SyncPool(1, sync)
    fds = opened(tmp_path / "m", tmp_path / "i")
    pool.submit(fds, faults.append)
    await eventually(lambda: faults)
    assert [fault and fault.errno for fault in faults] == [errno.EIO]
    assert not any(map(is_open, fds))
    pool.close()


def test_a_closed_descriptor_is_a_mistake_of_the_caller() -> None:
    pool = SyncPool(1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        pool.submit([987_654], lambda _: None)
    pool.close()
