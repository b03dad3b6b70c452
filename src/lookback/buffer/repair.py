"""Cut off what a crash left behind, so that every file ends at a whole commit. Run it before a new writer starts.

Index first, media after it: a record must never name bytes that are being cut off. Doing it twice changes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.buffer.layout import SegmentPaths, parse_segment_name, segment_paths
from lookback.buffer.session_file import sync_directory
from lookback.errors import MalformedError
from lookback.media.index import parse_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAMAGED_SUFFIX = ".damaged"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was wrong with a segment. `lost_bytes` of media were cut off, removed, or set aside."""

    number: int
    action: Literal["cut", "removed", "set-aside"]
    lost_bytes: int


def repair_session(directory: Path) -> list[Repaired]:
    """Repair every segment of a session that nobody writes; return what was done. Raises OSError."""
    done = [repaired for paths in _segments(directory) if (repaired := _repair(paths, change=True)) is not None]
    if done:
        sync_directory(directory)
    return done


def find_damage(directory: Path) -> list[Repaired]:
    """Return what `repair_session` would do, and do nothing."""
    return [damage for paths in _segments(directory) if (damage := _repair(paths, change=False)) is not None]


def _segments(directory: Path) -> Iterator[SegmentPaths]:
    names = [parse_segment_name(path.name) for path in directory.iterdir()]
    numbers: dict[int, str] = {}
    for number, extension in (name for name in names if name is not None):
        if extension in {"mp4", "webm"} or number not in numbers:
            numbers[number] = extension if extension in {"mp4", "webm"} else "mp4"
    for number, extension in sorted(numbers.items()):
        yield segment_paths(directory, number, extension)


def _repair(paths: SegmentPaths, *, change: bool) -> Repaired | None:
    media_size = paths.media.stat().st_size if paths.media.exists() else 0
    try:
        data = paths.index.read_bytes()
        index = parse_index(data, media_size)
    except (FileNotFoundError, MalformedError):
        return _without_index(paths, media_size, change=change)
    if not len(index.commits):
        return _remove(paths, media_size, change=change)
    torn = media_size - index.media_bytes
    if torn <= 0 and not index.torn_bytes:
        return None
    if change:
        _cut(paths.index, index.good_bytes)
        _cut(paths.media, index.media_bytes)
    return Repaired(paths.number, "cut", max(torn, 0))


def _without_index(paths: SegmentPaths, media_size: int, *, change: bool) -> Repaired:
    """Without an index nobody knows what is in the media: an operator may want to look, players must not."""
    if not media_size:
        return _remove(paths, 0, change=change)
    if change:
        paths.index.unlink(missing_ok=True)
        paths.media.rename(paths.media.with_name(paths.media.name + DAMAGED_SUFFIX))
    return Repaired(paths.number, "set-aside", media_size)


def _remove(paths: SegmentPaths, media_size: int, *, change: bool) -> Repaired:
    if change:
        for path in (paths.index, paths.media, paths.thumbnail):
            path.unlink(missing_ok=True)
    return Repaired(paths.number, "removed", media_size)


def _cut(path: Path, size: int) -> None:
    if path.stat().st_size <= size:
        return
    fd = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(fd, size)
        os.fsync(fd)
    finally:
        os.close(fd)
