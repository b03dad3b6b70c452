"""Delete what has expired: the oldest first, of each segment the index before the bytes it names."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.buffer.layout import SESSION_FILE, segment_paths
from lookback.buffer.reader import read_segments
from lookback.buffer.repair import DAMAGED_SUFFIX
from lookback.buffer.retention import Retention, Stored, expired

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.buffer.reader import Segment, SegmentCache


@dataclass(frozen=True, slots=True)
class Evicted:
    """What a sweep of one session deleted; `empty`: nothing is left to save from."""

    segments: int
    size_bytes: int
    empty: bool


def evict(
    directory: Path, policy: Retention, now_us: int, *, active: bool, cache: SegmentCache | None = None
) -> Evicted:
    """Sweep one session. `active`: somebody may be writing its newest segment. Raises OSError."""
    segments = read_segments(directory, cache=cache)
    stored = [Stored(s.number, s.extent.end_us, s.size_bytes, open=active and s is segments[-1]) for s in segments]
    gone = {s.number for s in expired(stored, policy, now_us)}
    for segment in segments:
        if segment.number in gone:
            _unlink(segment)
    _drop_unreadable(directory, now_us - policy.keep_us)
    freed = sum(s.size_bytes for s in stored if s.number in gone)
    return Evicted(len(gone), freed, empty=len(gone) == len(segments))


def remove_session(directory: Path) -> None:
    """Remove an ended session's directory with all that is in it, and the parents that it leaves empty."""
    for segment in read_segments(directory):
        _unlink(segment)
    for path in sorted(directory.iterdir(), key=lambda p: p.name == SESSION_FILE):
        path.unlink()
    directory.rmdir()
    with contextlib.suppress(OSError):  # other sessions of the user, or of the room
        directory.parent.rmdir()
        directory.parent.parent.rmdir()


def _unlink(segment: Segment) -> None:
    paths = segment_paths(segment.media_path.parent, segment.number, segment.container)
    for path in (paths.index, paths.media, paths.thumbnail):
        path.unlink(missing_ok=True)


def _drop_unreadable(directory: Path, before_us: int) -> None:
    """What repair set aside stays for an operator to look at as long as the window, no longer."""
    for path in directory.glob(f"*{DAMAGED_SUFFIX}"):
        if path.stat().st_mtime_ns // 1000 <= before_us:
            path.unlink(missing_ok=True)
