"""The folders on disk: buffer, clips, home."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from lookback.buffer.marker import is_away
from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem
from lookback.operations.storage_health import CLOCK_US, FORBIDDEN, FULL, LEAST_BYTES, SLOW_US
from lookback.operations.storage_probe import try_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lookback.buffer.marker import RootIdentity

Kind = Literal["buffer", "clips"]

_NEARLY_FULL = 0.1  # of the disk
_LITTLE_BYTES = 10 * 1024**3  # on a disk of any size that is room for some hours of one share
_FEW_INODES = 200
_NAMES = {"buffer": "The buffer folder", "clips": "The clip folder"}


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder, as a file written into it has shown. `fault`: errno of what did not work, 0 when all did.

    `fault` is ENODEV where the disk is not mounted that belongs there, and ETIMEDOUT where it does not answer.
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


def look_at_folder(folder: Path, root: RootIdentity | None = None) -> FolderFacts:
    """Try a folder with a file of our own, unless it is a root whose disk is not mounted: nothing is written below it.

    Blocks: as long as a broken disk makes it.
    """
    there = True  # until it is known better: below a folder that is closed to us nobody can tell
    try:
        there = folder.is_dir()
        nearest = next((place for place in (folder, *folder.parents) if place.exists()), folder)
        if root is not None and is_away(folder, root):
            return FolderFacts(there=False, fault=errno.ENODEV)
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


def _tried(place: Path, facts: FolderFacts) -> FolderFacts:
    folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        tried = try_folder(folder, f".doctor-{os.getpid()}")
    finally:
        os.close(folder)
    return replace(facts, hard_links=tried.hard_links, round_trip_us=tried.took_us, file_clock_us=tried.ahead_us)


def judge_folder(kind: Kind, facts: FolderFacts, *, began: bool, floor_bytes: int | None = None) -> Iterator[Finding]:
    """What is said of a folder. `began`: this installation has run before, so its folders must be there.

    `floor_bytes`: how much the operator wants to stay free; None is the usual.
    """
    name = _NAMES[kind]
    if facts.fault == errno.ENODEV:
        yield wrong(Problem(f"{kind}.missing"), f"{name}'s disk is not mounted")
    elif facts.fault == errno.ETIMEDOUT:
        yield wrong(Problem(f"{kind}.silent"), f"{name}'s disk does not answer")
    elif not facts.there and began:
        yield wrong(Problem(f"{kind}.missing"), f"{name} is not there, and was when the server ran")
    elif facts.fault:
        yield _fault(kind, facts.fault)
    elif problem := _lack(kind, facts, floor_bytes):
        yield problem
    elif not facts.hard_links and kind == "buffer":
        yield wrong(Problem.BUFFER_NO_LINKS, f"{name}'s file system has no hard links, which captures need")
    elif facts.round_trip_us > SLOW_US:
        yield wrong(Problem(f"{kind}.slow"), f"{name} takes {facts.round_trip_us / 1e6:.1f} s for a small file")
    else:
        made = "can be written" if facts.there else "will be made at the first start"
        yield fine(kind, f"{name} {made}: {_gigabytes(facts.free_bytes)} free, {facts.round_trip_us / 1000:.0f} ms")
    if abs(facts.file_clock_us) > CLOCK_US and not facts.fault:
        where = "ahead of" if facts.file_clock_us > 0 else "behind"
        seconds = abs(facts.file_clock_us) / 1e6
        yield wrong(Problem.CLOCK_FILES, f"{name}'s files are dated {seconds:.0f} s {where} this machine's clock")


def _fault(kind: Kind, fault: int) -> Finding:
    name, reason = _NAMES[kind], os.strerror(fault)
    if fault == errno.EROFS:
        return wrong(Problem(f"{kind}.read-only"), f"{name} is on a file system that cannot be written")
    if fault in FULL:
        return wrong(Problem(f"{kind}.full"), f"{name}'s disk is full")
    if fault in FORBIDDEN:
        return wrong(Problem(f"{kind}.forbidden"), f"{name} cannot be written ({reason})")
    if fault == errno.ESTALE:
        return wrong(Problem(f"{kind}.failing"), f"{name}'s network mount is stale")
    return wrong(Problem(f"{kind}.failing"), f"{name} does not work ({reason})")


def _lack(kind: Kind, facts: FolderFacts, floor_bytes: int | None) -> Finding | None:
    name, free = _NAMES[kind], _gigabytes(facts.free_bytes)
    if facts.inodes_free is not None and facts.inodes_free < _FEW_INODES:
        return wrong(Problem(f"{kind}.no-inodes"), f"{name}'s disk has room for {facts.inodes_free} more files")
    if facts.free_bytes < LEAST_BYTES:
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
