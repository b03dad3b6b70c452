"""Whether a disk that comes back still has what it took: a file system that broke may have lost the newest of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lookback.buffer.reader import read_segments
from lookback.buffer.repair import repair_session
from lookback.media.cutting import pictures_until_us

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.buffer.segment_file import SegmentFile


class EndedSegments:
    """Remembers the last two of a run: what is older was made durable long before."""

    def __init__(self, run_id: bytes) -> None:
        self._run_id = run_id
        self._files: deque[SegmentFile] = deque(maxlen=2)

    def add(self, file: SegmentFile) -> None:
        """It was closed."""
        self._files.append(file)

    def lost_after_us(self, directory: Path) -> int | None:
        """Until when the run's pictures are still there; None when nothing is lost, or all of it.

        What is torn is cut off, and what could not be removed is removed, so call it only while no segment is open.
        Cheap while nothing is lost. Raises OSError.
        """
        if all(file.is_as_left() for file in self._files):
            return None
        repair_session(directory, newest=True)
        newest = read_segments(directory)[-1:]
        self._files.clear()
        if not newest or newest[0].extent.run_id != self._run_id:
            return None  # the hole between two runs is a gap anyhow
        return pictures_until_us(newest[0].index)
