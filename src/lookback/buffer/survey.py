"""What the sessions' directories hold, as retention wants to know it: cheaply, for ten thousand segments at a time."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import numpy as np

from lookback.buffer.layout import segment_stem
from lookback.buffer.reader import list_segments, read_segment
from lookback.buffer.retention import Stored
from lookback.errors import MalformedError
from lookback.media.index import COMMIT_TRACK, HEADER, RECORD, RECORD_SIZE, SegmentHeader

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lookback.buffer.leases import Lease
    from lookback.buffer.reader import Container


_LAST_RECORDS = 128  # more than a fragment has, with sound
_LONGEST_US = 600_000_000  # of a segment; far more than can be set


class Survey:
    """Remembers of every closed segment the few numbers that matter: it never changes, so it is read only once."""

    def __init__(self) -> None:
        self._closed: dict[Path, dict[int, Stored]] = {}

    def of(self, directory: Path, *, active: bool, held: Iterable[Lease] = (), pins: bool = False) -> list[Stored]:
        """Return the segments, oldest first; none of a directory that is not there. Raises OSError.

        `active`: somebody may be writing the newest one. `held`: the leases. `pins`: look for clips that refer to
        bytes.
        """
        listing = list_segments(directory)
        known = self._closed.get(directory, {})
        found = [known.get(entry[0]) or _glance(directory, *entry) for entry in listing[:-1]]
        found += [_read(directory, *entry) for entry in listing[-1:]]
        stored = [segment for segment in found if segment is not None]
        if listing:
            newest = listing[-1][0]
            self._closed[directory] = {s.number: s for s in stored if s.number != newest}
        else:
            self._closed.pop(directory, None)
        containers = dict(listing) if pins else {}
        return [
            segment._replace(
                open=active and segment is stored[-1],
                leased=any(lease.start_us < segment.end_us and segment.start_us < lease.end_us for lease in held),
                pinned=pins and _is_pinned(directory, segment.number, containers[segment.number]),
            )
            for segment in stored
        ]

    def forget(self, directory: Path) -> None:
        """The directory is gone."""
        self._closed.pop(directory, None)


def _glance(directory: Path, number: int, container: Container) -> Stored | None:
    """What retention must know of a closed segment, from the two ends of its index.

    Whether all of it can be trusted is for those who read its media; where the ends look odd, it is read as they do.
    """
    stem = f"{directory}/{segment_stem(number)}"
    try:
        with io.FileIO(f"{stem}.idx") as file:
            size = os.fstat(file.fileno()).st_size
            count = min((size - HEADER.size) // RECORD_SIZE, _LAST_RECORDS)
            start_us = SegmentHeader.parse(os.pread(file.fileno(), HEADER.size, 0)).first_dts_us
            tail = os.pread(file.fileno(), max(0, count) * RECORD_SIZE, size - max(0, count) * RECORD_SIZE)
        media_bytes = os.stat(f"{stem}.{container}").st_size  # noqa: PTH116 - ten thousand
    except (OSError, MalformedError):
        return _read(directory, number, container)
    records = np.frombuffer(tail, RECORD)
    ends, last = (records["dts_us"] + records["duration_us"])[records["track"] != COMMIT_TRACK], records[-1:]
    whole = (size - HEADER.size) % RECORD_SIZE == 0 and len(ends) and last["track"] == COMMIT_TRACK
    end_us = int(ends.max()) if whole else 0
    covered = whole and int(last["offset"][0]) + int(last["size"][0]) == media_bytes
    if not covered or not start_us < end_us <= start_us + _LONGEST_US:
        return _read(directory, number, container)
    return Stored(number, start_us, end_us, media_bytes + size)


def _read(directory: Path, number: int, container: Container) -> Stored | None:
    segment = read_segment(directory, number, container)
    if segment is None:
        return None
    return Stored(number, segment.extent.start_us, segment.extent.end_us, segment.size_bytes)


def _is_pinned(directory: Path, number: int, container: Container) -> bool:
    """Whether a clip has a hard link to the media file."""
    try:
        return os.stat(f"{directory}/{segment_stem(number)}.{container}").st_nlink > 1  # noqa: PTH116 - ten thousand
    except FileNotFoundError:
        return False
