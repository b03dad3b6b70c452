"""A root is recognised by a marker file in it, so that a disk that is not mounted is noticed instead of filled below.

1. Where the marker is, it is the root, on whatever device.
2. Where it is not and the place of its file system is empty, too, the disk is not mounted: nothing is made there.
3. Where it is not and something is mounted there, the disk was emptied or exchanged: it gets the marker again.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.buffer.mounts import mount_of, read_mounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.buffer.mounts import Mount

MARKER = ".lookback-root"
_LONGEST = 4096
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class RootIdentity:
    """What a root is recognised by: the id in its marker, and where its file system is mounted."""

    root_id: str
    mount_point: str


class RootAwayError(OSError):
    """The disk that a root is on is not mounted, or another one is."""

    def __init__(self, message: str = "The disk that belongs here is not mounted") -> None:
        super().__init__(errno.ENODEV, message)


def recognise(root: Path, known: RootIdentity | None = None) -> RootIdentity:
    """Return what the root is recognised by from now on, and mark it if need be.

    Raises RootAwayError when it was known and is not mounted; other OSErrors when it cannot be read or marked.
    """
    if known is not None and is_away(root, known):
        raise RootAwayError
    folder = os.open(root, _FOLDER)
    try:
        mount = mount_of(root.resolve(), read_mounts())
        root_id = _read(folder) or _plant(folder, known.root_id if known is not None else uuid.uuid4().hex)
        return RootIdentity(root_id, mount.point if mount is not None else "/")
    finally:
        os.close(folder)


def open_root(root: Path, identity: RootIdentity | None, mounts: Callable[[], tuple[Mount, ...]] = read_mounts) -> int:
    """Open the directory that is the root; what is made below this descriptor is made on its disk, whatever happens.

    A root that was removed is made again. Raises RootAwayError, or the OSError that says why it cannot be used.
    Without an identity any directory is taken.
    """
    if identity is not None and not root.exists():
        if not _is_mounted(identity, mounts()):
            raise RootAwayError
        root.mkdir(mode=0o750, parents=True, exist_ok=True)
    folder = os.open(root, _FOLDER)
    try:
        if identity is not None:
            _require(folder, identity, mounts)
    except BaseException:
        os.close(folder)
        raise
    return folder


def make_directory(root: Path, path: Path, identity: RootIdentity | None) -> None:
    """Make a directory and all above it up to the root, unless the root is away. Raises as `open_root` does."""
    if identity is None:
        with suppress(FileExistsError):
            root.mkdir(parents=True)
    folder = open_root(root, identity)
    try:
        for part in path.relative_to(root).parts:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=folder)
            deeper = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = deeper
    finally:
        os.close(folder)


def require_root(root: Path, identity: RootIdentity | None) -> None:
    """Raise RootAwayError, or the OSError that says why it cannot be used, unless this is the root."""
    os.close(open_root(root, identity))


def is_away(root: Path, known: RootIdentity) -> bool:
    """Whether there is no marker and no file system where there was one; another marker is none of its business."""
    try:
        folder = os.open(root, _FOLDER)
    except FileNotFoundError:
        return not _is_mounted(known, read_mounts())
    try:
        return _read(folder) is None and not _is_mounted(known, read_mounts())
    finally:
        os.close(folder)


def _require(folder: int, identity: RootIdentity, mounts: Callable[[], tuple[Mount, ...]]) -> None:
    found = _read(folder)
    if found is None:
        # Only now is it asked what is mounted: what was opened before a mount went is not the place below it.
        if not _is_mounted(identity, mounts()):
            raise RootAwayError
        _plant(folder, identity.root_id)
    elif found != identity.root_id:
        raise RootAwayError("Another disk is mounted here")


def _is_mounted(identity: RootIdentity, mounts: tuple[Mount, ...]) -> bool:
    """Whether its file system may be there; where the kernel does not say what is mounted, it is believed."""
    return not mounts or any(mount.point == identity.mount_point for mount in mounts)


def _read(folder: int) -> str | None:
    """The id in the marker; None without one, or where it says nothing: a crash may have left it empty."""
    try:
        file = os.open(MARKER, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        said = json.loads(os.read(file, _LONGEST))
    except ValueError:
        return None
    finally:
        os.close(file)
    root_id = said.get("root") if isinstance(said, dict) else None
    return root_id if isinstance(root_id, str) and root_id else None


def _plant(folder: int, root_id: str) -> str:
    """Write the marker whole or not at all; of several who do, all return what is there in the end."""
    name = f"{MARKER}.{os.getpid()}.new"
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640, dir_fd=folder)
    try:
        os.write(file, json.dumps({"root": root_id}).encode())
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(name, MARKER, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
    return _read(folder) or root_id
