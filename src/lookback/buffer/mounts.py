"""What is mounted where: `/proc/self/mountinfo` as values. Reading it never waits for a disk (proc(5))."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from lookback.errors import MalformedError

_MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_FEWEST_FIELDS, _FIELDS_BEHIND = 6, 3


class Mount(NamedTuple):
    """One file system that is mounted. `options` are the mount's and the file system's, such as `rw` and `vers=4.2`."""

    point: str
    kind: str
    source: str
    options: tuple[str, ...]


def read_mounts() -> tuple[Mount, ...]:
    """Return what is mounted for this process; nothing where the kernel does not say. Raises MalformedError."""
    try:
        text = _MOUNTINFO.read_text(errors="surrogateescape")
    except OSError:
        return ()
    return parse_mountinfo(text)


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """Return the mounts in their order, later ones above earlier ones; raises MalformedError."""
    return tuple(_mount(line) for line in text.splitlines() if line)


def _mount(line: str) -> Mount:
    before, _, behind = line.partition(" - ")
    fields, rest = before.split(" "), behind.split(" ")
    if len(fields) < _FEWEST_FIELDS or len(rest) < _FIELDS_BEHIND:
        raise MalformedError("A line of mountinfo has too few fields")
    options = tuple(dict.fromkeys([*fields[5].split(","), *rest[2].split(",")]))
    return Mount(_plain(fields[4]), rest[0], _plain(rest[1]), options)


def _plain(escaped: str) -> str:
    """Blanks, tabs, newlines and backslashes are written in octal."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), escaped)


def mount_of(path: Path, mounts: tuple[Mount, ...]) -> Mount | None:
    """Return what `path`, without symbolic links, is on; None when nobody knows."""
    above = [mount for mount in mounts if _is_below(os.fspath(path), mount.point)]
    return max(reversed(above), key=lambda mount: len(mount.point), default=None)


def _is_below(path: str, point: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
