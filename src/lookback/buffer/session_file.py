"""session.json: who a session directory belongs to, enough to rebuild its row."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from lookback.buffer.durable import sync_directory
from lookback.buffer.layout import SESSION_FILE
from lookback.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What the file says. Instants are UTC microseconds; `ended_at_us` is None while somebody records."""

    session_id: str
    room_name: str
    user_id: str
    source: str
    started_at_us: int
    community_id: str | None = None
    participant_identity: str | None = None
    ended_at_us: int | None = None
    cause: str | None = None


_NAMES = {field.name for field in fields(SessionRecord)}
_INSTANTS = {"started_at_us", "ended_at_us"}
_REQUIRED = ("session_id", "room_name", "user_id", "source", "started_at_us")


def write_session(directory: Path, record: SessionRecord) -> None:
    """Replace the file durably: a reader sees the old one or the new one, also after a power cut."""
    replace_durably(directory / SESSION_FILE, json.dumps(asdict(record), indent=1).encode())


def read_session(directory: Path) -> SessionRecord:
    """Read the file; raises MalformedError when it is not whole, FileNotFoundError when there is none."""
    try:
        data = json.loads((directory / SESSION_FILE).read_bytes())
    except (ValueError, RecursionError) as error:
        raise MalformedError("The session file is not JSON") from error
    if not isinstance(data, dict) or any(name not in data for name in _REQUIRED):
        raise MalformedError("The session file lacks what every session has")
    members = {name: value for name, value in data.items() if name in _NAMES}
    for name, value in members.items():
        if type(value) is not (int if name in _INSTANTS else str) and (name in _REQUIRED or value is not None):
            raise MalformedError(f"The session file's {name} is of the wrong kind")
    return SessionRecord(**members)


def replace_durably(path: Path, data: bytes, write: Callable[[int, memoryview], int] = os.write) -> None:
    """Write, fsync, rename, fsync the directory. Raises OSError; the file is then what it was."""
    temporary = path.with_name(path.name + ".new")
    try:
        _write_durably(temporary, data, write)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _write_durably(path: Path, data: bytes, write: Callable[[int, memoryview], int]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        view = memoryview(data)
        while view:  # a disk that is nearly full takes a part
            view = view[write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
