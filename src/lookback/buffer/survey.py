"""What the sessions' directories hold, as retention wants to know it: cheaply, for ten thousand segments at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lookback.buffer.layout import segment_stem
from lookback.buffer.reader import list_segments, read_segment
from lookback.buffer.retention import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lookback.buffer.leases import Lease
    from lookback.buffer.reader import Container


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
        found = [_read(directory, *entry) if entry[0] not in known else known[entry[0]] for entry in listing]
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
