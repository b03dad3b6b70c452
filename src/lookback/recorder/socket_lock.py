"""Own a control socket: one process per path, nobody else's files, leftovers of a crash cleared away."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from lookback.errors import NoCapacityError, SettingsError
from lookback.recorder.config import MAX_SOCKET_PATH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def owned_socket(path: Path) -> Iterator[socket.socket]:
    """Bind `path` (mode 0600, in a folder of our own with mode 0700) and remove it at the end.

    1. Whoever holds the lock beside the socket owns the path, whatever lies there.
    So a socket file found while holding the lock is a leftover, and removing it takes nothing from anybody.
    Raises NoCapacityError when another process holds the lock, SettingsError when the place cannot be used.
    """
    if len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        raise SettingsError(f"The control socket's path is longer than {MAX_SOCKET_PATH_BYTES} bytes")
    _private_folder(path.parent)
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(lock)
        path.unlink(missing_ok=True)
        with _bound(path) as listener:
            yield listener
    finally:
        os.close(lock)


def _private_folder(folder: Path) -> None:
    """Create with mode 0700; a folder of another user (the temporary directory is everybody's) is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = folder.lstat()
    if info.st_uid != os.geteuid() or not stat.S_ISDIR(info.st_mode):
        raise SettingsError("The folder of the control socket belongs to another user")
    folder.chmod(0o700)


def _lock(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise NoCapacityError("Another recorder already serves this socket") from error


@contextmanager
def _bound(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(before)
        try:
            yield listener
        finally:
            with suppress(OSError):  # the folder may be gone; nothing is left to clear away then
                path.unlink()
