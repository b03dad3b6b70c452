"""Cut off what a crash left behind, so that every file ends at a whole commit. Run it before a new writer starts.

Index first, media after it: a record must never name bytes that are being cut off. Doing it twice changes nothing.

After a power cut the index may be on disk and the bytes that it names not: those of the newest segments are compared
with the hashes in their commits. Older ones were made durable long before.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.buffer.durable import sync_directory
from lookback.buffer.layout import SegmentPaths, parse_segment_name, segment_paths
from lookback.errors import MalformedError
from lookback.media.index import as_written, first_broken_commit, parse_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAMAGED_SUFFIX = ".damaged"
_NEWEST = 2  # a crash right after a segment has ended may find its last fragments not yet durable


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was wrong with a segment. `lost_bytes` of media were cut off, removed, or set aside."""

    number: int
    action: Literal["cut", "removed", "set-aside"]
    lost_bytes: int


def repair_session(directory: Path, *, newest: bool = False) -> list[Repaired]:
    """Repair every segment of a session of which none is being written; return what was done. Raises OSError.

    `newest`: only those that a power cut may have damaged.
    """
    done = _examine(directory, change=True, begin=-_NEWEST if newest else 0)
    if done:
        sync_directory(directory)
    return done


def find_damage(directory: Path) -> list[Repaired]:
    """Return what `repair_session` would do, and do nothing."""
    return _examine(directory, change=False)


def find_rot(directory: Path) -> Iterator[tuple[int, int]]:
    """Read all older segments, and yield the number of those that have changed since, with what can still be trusted.

    That is a count of bytes. `repair_session` looks at the newest ones. Raises OSError.
    """
    for paths in list(_segments(directory))[:-_NEWEST]:
        try:
            media = paths.media.read_bytes()
            index = parse_index(paths.index.read_bytes(), len(media))
        except (FileNotFoundError, MalformedError):
            continue  # that is damage, or it was evicted a moment ago
        broken = first_broken_commit(index, media)
        if broken is not None:
            yield paths.number, int(index.commits["offset"][broken])


def _examine(directory: Path, *, change: bool, begin: int = 0) -> list[Repaired]:
    segments = list(_segments(directory))
    newest = {paths.number for paths in segments[-_NEWEST:]}
    found = (_repair(paths, verify=paths.number in newest, change=change) for paths in segments[begin:])
    return [repaired for repaired in found if repaired is not None]


def _segments(directory: Path) -> Iterator[SegmentPaths]:
    names = [parse_segment_name(path.name) for path in directory.iterdir()]
    numbers: dict[int, str] = {}
    for number, extension in (name for name in names if name is not None):
        if extension in {"mp4", "webm"} or number not in numbers:
            numbers[number] = extension if extension in {"mp4", "webm"} else "mp4"
    for number, extension in sorted(numbers.items()):
        yield segment_paths(directory, number, extension)


def _repair(paths: SegmentPaths, *, verify: bool, change: bool) -> Repaired | None:
    media_size = paths.media.stat().st_size if paths.media.exists() else 0
    try:
        data = paths.index.read_bytes()
        index = parse_index(data, media_size)
        if verify:
            index = as_written(index, data, paths.media.read_bytes())
    except (FileNotFoundError, MalformedError):
        return _without_index(paths, media_size, change=change)
    if not len(index.commits):
        return _remove(paths, media_size, change=change)
    torn = media_size - index.media_bytes
    if torn <= 0 and len(data) == index.good_bytes:
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
