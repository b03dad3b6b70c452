"""Count what a recorder writes and syncs, from its first line on; Python imports this by its name, wherever it is.

The counts are three numbers in the file that BENCH_COUNTS names: bytes and calls of os.write to files, and syncs.
"""

import mmap
import os
import stat
import struct
import sys
import threading

LAYOUT = struct.Struct("<3Q")


def _count(path: str) -> None:
    with open(path, "r+b") as file:  # noqa: PTH123 - nothing more than needed is imported here
        counts = mmap.mmap(file.fileno(), LAYOUT.size)
    turn, write, fsync, fdatasync = threading.Lock(), os.write, os.fsync, os.fdatasync

    def add(size: int, writes: int, syncs: int) -> None:
        with turn:
            before = LAYOUT.unpack(counts[:])
            counts[:] = LAYOUT.pack(before[0] + size, before[1] + writes, before[2] + syncs)

    def counting_write(fd, data):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - os.write's own
        size = write(fd, data)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            add(size, 1, 0)
        return size

    def counting_fsync(fd):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        fsync(fd)
        add(0, 0, 1)

    def counting_fdatasync(fd):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        fdatasync(fd)
        add(0, 0, 1)

    os.write, os.fsync, os.fdatasync = counting_write, counting_fsync, counting_fdatasync


if "BENCH_COUNTS" in os.environ and "lookback.recorder" in sys.orig_argv:
    _count(os.environ["BENCH_COUNTS"])
