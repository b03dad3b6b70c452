"""The folders on disk: buffer, clips, home."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = Literal["buffer", "clips"]

_NEARLY_FULL = 0.1  # of the disk
_LITTLE_BYTES = 10 * 1024**3  # on a disk of any size that is room for some hours of one share
_LEAST_BYTES = 16 * 1024**2  # less than half a minute of one stream
_FEW_INODES = 200
_SLOW_US = 1_000_000
_CLOCK_US = 2_000_000
_NAMES = {"buffer": "The buffer folder", "clips": "The clip folder"}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder, as a file written into it has shown. `fault`: errno of what did not work, 0 when all did.

    `there`: False for one that has yet to be made; `fault` is then that of the nearest folder above it.
    `round_trip_us`: writing, syncing, renaming, reading back and deleting. `file_clock_us`: how far the file's time is
    ahead of ours. `inodes_free` is None where the file system does not count them.
    """

    there: bool = True
    fault: int = 0
    device: int = 0
    size_bytes: int = 0
    free_bytes: int = 0
    inodes_free: int | None = None
    hard_links: bool = True
    round_trip_us: int = 0
    file_clock_us: int = 0


def look_at_folder(folder: Path) -> FolderFacts:
    """Try a folder with a file of our own. Blocks: as long as a broken disk makes it."""
    there = folder.is_dir()
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        status, disk = nearest.stat(), os.statvfs(nearest)
        facts = FolderFacts(
            there=there,
            device=status.st_dev,
            size_bytes=disk.f_blocks * disk.f_frsize,
            free_bytes=disk.f_bavail * disk.f_frsize,
            inodes_free=disk.f_favail if disk.f_files else None,
        )
    except OSError as error:
        return FolderFacts(there=there, fault=error.errno or errno.EIO)
    try:
        return _tried(nearest, facts)
    except OSError as error:
        return replace(facts, fault=error.errno or errno.EIO)


def _tried(folder: Path, facts: FolderFacts) -> FolderFacts:
    first, second, third = (folder / f".doctor-{os.getpid()}-{part}" for part in ("new", "whole", "link"))
    began_ns = time.monotonic_ns()
    try:
        with first.open("wb") as file:
            file.write(b"lookback")
            file.flush()
            os.fsync(file.fileno())
        ahead_us = (first.stat().st_mtime_ns - time.time_ns()) // 1000
        first.rename(second)
        if second.read_bytes() != b"lookback":
            raise OSError(errno.EIO, "what was written cannot be read back")
        linked = _links(second, third)
    finally:
        for path in (first, second, third):
            path.unlink(missing_ok=True)
    return replace(
        facts, hard_links=linked, round_trip_us=(time.monotonic_ns() - began_ns) // 1000, file_clock_us=ahead_us
    )


def _links(path: Path, other: Path) -> bool:
    try:
        other.hardlink_to(path)
    except OSError:
        return False
    return True


def judge_folder(kind: Kind, facts: FolderFacts, *, began: bool, floor_bytes: int | None = None) -> Iterator[Finding]:
    """What is said of a folder. `began`: this installation has run before, so its folders must be there.

    `floor_bytes`: how much the operator wants to stay free; None is the usual.
    """
    name = _NAMES[kind]
    if not facts.there and began:
        yield wrong(Problem(f"{kind}.missing"), f"{name} is not there, and was when the server ran")
    elif facts.fault:
        yield _fault(kind, facts.fault)
    elif problem := _lack(kind, facts, floor_bytes):
        yield problem
    elif not facts.hard_links and kind == "buffer":
        yield wrong(Problem.BUFFER_NO_LINKS, f"{name}'s file system has no hard links, which captures need")
    elif facts.round_trip_us > _SLOW_US:
        yield wrong(Problem(f"{kind}.slow"), f"{name} takes {facts.round_trip_us / 1e6:.1f} s for a small file")
    else:
        made = "can be written" if facts.there else "will be made at the first start"
        yield fine(kind, f"{name} {made}: {_gigabytes(facts.free_bytes)} free, {facts.round_trip_us / 1000:.0f} ms")
    if abs(facts.file_clock_us) > _CLOCK_US and not facts.fault:
        where = "ahead of" if facts.file_clock_us > 0 else "behind"
        seconds = abs(facts.file_clock_us) / 1e6
        yield wrong(Problem.CLOCK_FILES, f"{name}'s files are dated {seconds:.0f} s {where} this machine's clock")


def _fault(kind: Kind, fault: int) -> Finding:
    name, reason = _NAMES[kind], os.strerror(fault)
    if fault == errno.EROFS:
        return wrong(Problem(f"{kind}.read-only"), f"{name} is on a file system that cannot be written")
    if fault in _FULL:
        return wrong(Problem(f"{kind}.full"), f"{name}'s disk is full")
    if fault in _FORBIDDEN:
        return wrong(Problem(f"{kind}.forbidden"), f"{name} cannot be written ({reason})")
    return wrong(Problem(f"{kind}.failing"), f"{name} does not work ({reason})")


def _lack(kind: Kind, facts: FolderFacts, floor_bytes: int | None) -> Finding | None:
    name, free = _NAMES[kind], _gigabytes(facts.free_bytes)
    if facts.inodes_free is not None and facts.inodes_free < _FEW_INODES:
        return wrong(Problem(f"{kind}.no-inodes"), f"{name}'s disk has room for {facts.inodes_free} more files")
    if facts.free_bytes < _LEAST_BYTES:
        return wrong(Problem(f"{kind}.full"), f"{name}'s disk is full: {free} free")
    usual = min(round(facts.size_bytes * _NEARLY_FULL), _LITTLE_BYTES)
    if facts.free_bytes < (usual if floor_bytes is None else floor_bytes):
        size = _gigabytes(facts.size_bytes)
        return wrong(Problem(f"{kind}.nearly-full"), f"{name}'s disk is nearly full: {free} free of {size}")
    return None


def judge_pair(buffer: Path, clips: Path, buffer_facts: FolderFacts, clip_facts: FolderFacts) -> Iterator[Finding]:
    """What is said of the two folders together; paths are absolute, without links in them."""
    if buffer == clips or buffer.is_relative_to(clips) or clips.is_relative_to(buffer):
        yield wrong(
            Problem.FOLDERS_SAME, "The buffer and the clips share a folder, where cleaning one up harms the other"
        )
    elif buffer_facts.device != clip_facts.device and not (buffer_facts.fault or clip_facts.fault):
        yield wrong(
            Problem.FOLDERS_APART,
            "The buffer and the clips are on different file systems: what is saved is copied, and lies on both disks "
            "for some seconds",
        )
    else:
        yield fine("folders", "The buffer and the clips have folders of their own")


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**3:.1f} GB"
