"""Try a root with a small file. Blocks, and for ever on a network mount whose server is gone."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from lookback.buffer.marker import open_root
from lookback.buffer.mounts import mount_of, read_mounts
from lookback.operations.storage_health import RootFacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lookback.buffer.marker import RootIdentity
    from lookback.operations.storage_health import Root

_CONTENT = b"lookback"
_FICLONE = 0x40049409  # ioctl_ficlone(2)


@dataclass(slots=True)
class _Stopwatch:
    steps: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun_ns = time.monotonic_ns()
        yield
        self.steps[name] = (time.monotonic_ns() - begun_ns) // 1000


class Tried(NamedTuple):
    """What a small file has shown; see RootFacts."""

    took_us: int
    slowest: str
    hard_links: bool
    reflinks: bool
    ahead_us: int


def probe_root(name: Root, root: Path, identity: RootIdentity | None) -> RootFacts:
    """Return what was seen; nothing is written where the disk is not mounted."""
    try:
        folder = open_root(root, identity)
    except OSError as error:
        return RootFacts(name, fault=error.errno or errno.EIO)
    try:
        return _tried(folder, RootFacts(name, mount=mount_of(root.resolve(), read_mounts())))
    except OSError as error:
        return RootFacts(name, fault=error.errno or errno.EIO)
    finally:
        os.close(folder)


def require_writable(root: Path, identity: RootIdentity | None) -> None:
    """Raise the OSError that says why no file can be made in the root. Cheap: nothing is synced.

    Only making one shows it: a file system that Linux made read-only after an error is still listed as writable.
    """
    folder = open_root(root, identity)
    try:
        name = f"{_probe_name()}-look"
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder))
        os.unlink(name, dir_fd=folder)
    finally:
        os.close(folder)


def _probe_name() -> str:
    return f".probe-{os.getpid()}"


def _tried(folder: int, facts: RootFacts) -> RootFacts:
    tried, disk = try_folder(folder, _probe_name()), os.fstatvfs(folder)
    return replace(
        facts,
        free_bytes=disk.f_bavail * disk.f_frsize,
        inodes_free=disk.f_favail if disk.f_files else None,
        **tried._asdict(),
    )


def try_folder(folder: int, name: str) -> Tried:
    """Try an open directory with files that are called so, and remove them; raises OSError."""
    new, whole, other = (f"{name}-{part}" for part in ("new", "whole", "other"))
    watch = _Stopwatch()
    try:
        with watch.step("write"):
            file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            os.write(file, _CONTENT)
            ahead_us = (os.fstat(file).st_mtime_ns - time.time_ns()) // 1000
            with watch.step("fsync"):
                os.fsync(file)
            with watch.step("rename"):
                os.rename(new, whole, src_dir_fd=folder, dst_dir_fd=folder)
            with watch.step("read back"):
                _require_read_back(file)
            hard_links, reflinks = _links(folder, whole, other), _clones(folder, file, new)
        finally:
            os.close(file)
    finally:
        with watch.step("delete"):
            _remove(folder, (new, whole, other))
    slowest = max(watch.steps, key=lambda step: watch.steps[step])
    return Tried(sum(watch.steps.values()), slowest, hard_links, reflinks, ahead_us)


def _require_read_back(file: int) -> None:
    if os.pread(file, len(_CONTENT), 0) != _CONTENT:
        raise OSError(errno.EIO, "what was written cannot be read back")


def _links(folder: int, name: str, other: str) -> bool:
    try:
        os.link(name, other, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        return False
    return True


def _clones(folder: int, file: int, name: str) -> bool:
    copy = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        fcntl.ioctl(copy, _FICLONE, file)
    except OSError:
        return False
    finally:
        os.close(copy)
    return True


def _remove(folder: int, names: tuple[str, ...]) -> None:
    for name in names:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
