"""LOOKBACK_HOME: its folders, its secret, and that only one server uses it."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lookback.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET_FILE = "secret"  # noqa: S105 - the name of the file
_SERVER_ID_FILE = "server-id"
_LOCK_FILE = "serve.lock"
_SHORTEST_SECRET = 32


def prepare_folder(folder: Path, variable: str) -> None:
    """Make a folder that only we can read; raises SettingsError that names the variable to change."""
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        _require_writable(folder)
    except OSError as error:
        raise SettingsError(f"{variable} is wrong: the folder cannot be written ({error.strerror}).") from error


def _require_writable(folder: Path) -> None:
    """Write something and remove it: permissions alone do not tell of a full or read-only disk. Raises OSError."""
    file = folder / f".probe-{os.getpid()}"
    file.write_bytes(b"x")
    file.unlink()


def kept_secret(home: Path) -> str:
    """The signing secret of this home, made at the first call and readable by its owner alone."""
    path = home / SECRET_FILE
    try:
        if not path.exists():
            _make_secret(path)
        kept = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("LOOKBACK_HOME is wrong: its file `secret` cannot be read or made.") from error
    if len(kept) < _SHORTEST_SECRET:
        raise SettingsError("LOOKBACK_HOME is wrong: its file `secret` is damaged; remove it to get a new one.")
    return kept


def kept_server_id(home: Path) -> str:
    """What this home's server is called among those that share a database; it stays, whatever the machine is called."""
    path = home / _SERVER_ID_FILE
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("LOOKBACK_HOME is wrong: its file `server-id` cannot be read or made.") from error


def _make_secret(path: Path) -> None:
    """Make the file whole or not at all, and once: of several processes that make it, the first one's stays."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if path.exists():
            return
        temporary = path.with_name(f"{path.name}.new")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_hex(_SHORTEST_SECRET) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        os.fsync(folder)
    finally:
        os.close(folder)


def has_begun(home: Path) -> bool:
    """Whether a server has run in this home before."""
    return (home / _LOCK_FILE).exists()


def server_runs(home: Path) -> bool:
    """Whether a server runs in this home now. One that starts at this very moment may be told that it is not alone."""
    try:
        fd = os.open(home / _LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


@contextmanager
def only_server(home: Path) -> Iterator[None]:
    """Be the one server of this home while the body runs; raises SettingsError when there is one already.

    The lock goes with the process, so a crash leaves nothing to clean up.
    """
    fd = os.open(home / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(
                "Another server uses this LOOKBACK_HOME; give this one a LOOKBACK_HOME and LOOKBACK_PORT of its own."
            ) from error
        yield
    finally:
        os.close(fd)
