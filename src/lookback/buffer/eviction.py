"""Delete what has expired: the oldest first, of each segment the index before the bytes it names."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from lookback.buffer.layout import SESSION_FILE, parse_segment_name, segment_paths
from lookback.buffer.reader import list_segments
from lookback.buffer.repair import DAMAGED_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path


def delete_segments(directory: Path, numbers: Iterable[int]) -> None:
    """Delete these segments of a session in the order given; what is gone already is no error. Raises OSError."""
    containers = dict(list_segments(directory))
    for number in numbers:
        paths = segment_paths(directory, number, containers.get(number, "mp4"))
        for path in (paths.index, paths.media, paths.thumbnail):
            path.unlink(missing_ok=True)


def delete_unreadable(directory: Path, readable: Collection[int], before_us: int) -> None:
    """What nobody can read, or repair set aside, stays for an operator to look at as long as the window, no longer."""
    with contextlib.suppress(FileNotFoundError):
        found = [name for name in os.listdir(directory) if _is_unreadable(name, readable)]  # noqa: PTH208 - of thousands
        for path in sorted((directory / name for name in found), key=lambda p: (p.stem, p.suffix != ".idx")):
            if path.stat().st_mtime_ns // 1000 <= before_us:
                path.unlink(missing_ok=True)


def _is_unreadable(name: str, readable: Collection[int]) -> bool:
    segment = parse_segment_name(name.removesuffix(DAMAGED_SUFFIX))
    return segment is not None and (segment[0] not in readable or name.endswith(DAMAGED_SUFFIX))


def remove_session(directory: Path) -> None:
    """Remove an ended session's directory with all that is in it, and the parents that it leaves empty."""
    delete_segments(directory, [number for number, _ in list_segments(directory)])
    for path in sorted(directory.iterdir(), key=lambda p: p.name == SESSION_FILE):
        path.unlink()
    directory.rmdir()
    with contextlib.suppress(OSError):  # other sessions of the user, or of the room
        directory.parent.rmdir()
        directory.parent.parent.rmdir()
