"""Read a session's directory without asking its writer: whole commits are trusted, nothing else is."""

from __future__ import annotations

import contextlib
import io
import os
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.buffer.layout import parse_segment_name, segment_paths, segment_stem
from lookback.errors import MalformedError
from lookback.media.gaps import Extent, Gap, extent, find_gaps
from lookback.media.index import SegmentIndex, as_written, parse_index

if TYPE_CHECKING:
    from pathlib import Path

Container = Literal["mp4", "webm"]
Stamp = tuple[int, ...]
"""Identity, size and time of change of an index file and of its media file."""
_CONTAINERS: dict[str, Container] = {"mp4": "mp4", "webm": "webm"}


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment as far as it is committed."""

    number: int
    container: Container
    media_path: Path
    index_path: Path
    thumbnail_path: Path
    index: SegmentIndex
    extent: Extent

    @property
    def size_bytes(self) -> int:
        """Bytes that the commits cover, of both files."""
        return self.index.media_bytes + self.index.good_bytes


@dataclass(frozen=True, slots=True)
class Buffered:
    """What a session's directory holds; None instants when that is nothing."""

    from_us: int | None
    until_us: int | None
    size_bytes: int
    gaps: tuple[Gap, ...]
    segments: int

    @property
    def duration_us(self) -> int:
        """From the oldest to the newest instant, gaps included."""
        return 0 if self.from_us is None or self.until_us is None else self.until_us - self.from_us


class SegmentCache:
    """Parsed segments by file: one whose files have not changed is not read again. Bounded by a number of segments.

    Ten minutes of one stream are 60 segments and about 3 MB.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, tuple[Stamp, Segment]] = OrderedDict()

    def get(self, index_path: str, stamp: Stamp) -> Segment | None:
        """The segment as it was parsed when its files had this stamp."""
        entry = self._entries.get(index_path)
        if entry is None or entry[0] != stamp:
            return None
        with contextlib.suppress(KeyError):  # another thread may have dropped it meanwhile
            self._entries.move_to_end(index_path)
        return entry[1]

    def put(self, stamp: Stamp, segment: Segment) -> None:
        """Remember, and forget what was used least recently."""
        self._entries[str(segment.index_path)] = (stamp, segment)
        while len(self._entries) > self._capacity:
            with contextlib.suppress(KeyError):
                self._entries.popitem(last=False)


def read_segments(
    directory: Path, start_us: int | None = None, end_us: int | None = None, cache: SegmentCache | None = None
) -> list[Segment]:
    """Return the segments that `[start_us, end_us)` needs, oldest first; all of them without bounds.

    The newest that begins at or before `start_us` holds the key frame for it; the one before it is read too where
    its sound reaches that far. Segments that cannot be read, or hold nothing yet, are left out. A directory that does
    not exist holds none.
    """
    found: list[Segment] = []
    for number, container in reversed(list_segments(directory)):
        segment = read_segment(directory, number, container, cache)
        if segment is None or (end_us is not None and segment.extent.earliest_us >= end_us):
            continue
        if found and start_us is not None and found[-1].extent.start_us <= start_us:
            if _sounds_on(segment.extent, found[-1].extent, start_us):
                found.append(segment)
            break
        found.append(segment)
    return found[::-1]


def _sounds_on(before: Extent, after: Extent, at_us: int) -> bool:
    """Whether sound at or after an instant in one segment stands in the one before it."""
    return before.run_id == after.run_id and before.sound_us is not None and before.sound_us[1] > at_us


def summary(directory: Path, cache: SegmentCache | None = None) -> Buffered:
    """Return what is buffered. Cheap with a cache: only the index that grew is read."""
    segments = read_segments(directory, cache=cache)
    if not segments:
        return Buffered(None, None, 0, (), 0)
    from_us, until_us = segments[0].extent.start_us, max(s.extent.end_us for s in segments)
    gaps = tuple(find_gaps(segments, from_us, until_us))
    return Buffered(from_us, until_us, sum(s.size_bytes for s in segments), gaps, len(segments))


def list_segments(directory: Path) -> list[tuple[int, Container]]:
    """Numbers and containers of the segments that have a media file, in order; none without the directory."""
    try:
        names = [parse_segment_name(entry.name) for entry in os.scandir(directory)]
    except FileNotFoundError:
        return []
    return sorted((name[0], _CONTAINERS[name[1]]) for name in names if name and name[1] in _CONTAINERS)


def read_segment(
    directory: Path, number: int, container: Container, cache: SegmentCache | None = None
) -> Segment | None:
    """Return one segment; None when it cannot be read or holds nothing yet."""
    # Plain strings: paths as objects would cost more than all else when sixty known segments are looked at.
    stem = f"{directory}/{segment_stem(number)}"
    index_name, media_name = f"{stem}.idx", f"{stem}.{container}"
    try:
        status, media = os.stat(index_name), os.stat(media_name)  # noqa: PTH116
        stamp = tuple(part for s in (status, media) for part in (s.st_ino, s.st_size, s.st_mtime_ns))
        known = cache.get(index_name, stamp) if cache is not None else None
        if known is not None:
            return known
        # The index is read before the media file is measured: what it names was written before it.
        with io.FileIO(index_name) as file:
            data = file.readall()
        media = os.stat(media_name)  # noqa: PTH116
        index = parse_index(data, media.st_size)
        if media.st_mtime_ns > status.st_mtime_ns:
            # A writer changes the index last. The other way round, a fragment is being written this very moment, or
            # somebody has changed the media since: only the hashes can tell.
            with io.FileIO(media_name) as file:
                index = as_written(index, data, file.readall())
    except (OSError, MalformedError):
        return None  # evicted a moment ago, or damaged: either way there is nothing in it for a reader
    if not len(index.samples):
        return None
    paths = segment_paths(directory, number, container)
    segment = Segment(number, container, paths.media, paths.index, paths.thumbnail, index, extent(index))
    if cache is not None and len(data) == status.st_size:
        cache.put(stamp, segment)
    return segment
