"""Delete what has expired: the oldest first, of each segment the index before the bytes it names."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.buffer.layout import SESSION_FILE, parse_segment_name, segment_paths
from lookback.buffer.reader import read_segments
from lookback.buffer.repair import DAMAGED_SUFFIX
from lookback.buffer.retention import Retention, Stored, expired

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from lookback.buffer.leases import Lease, Leases
    from lookback.buffer.reader import Segment, SegmentCache


@dataclass(frozen=True, slots=True)
class Evicted:
    """What a sweep of one session deleted; `empty`: nothing is left to save from."""

    segments: int
    size_bytes: int
    empty: bool


def evict(
    directory: Path,
    policy: Retention,
    now_us: int,
    *,
    active: bool,
    cache: SegmentCache | None = None,
    leases: Leases | None = None,
) -> Evicted:
    """Sweep one session. `active`: somebody may be writing its newest segment. Raises OSError."""
    segments = read_segments(directory, cache=cache)
    held = leases.of(directory, now_us) if leases is not None else ()
    stored = [_stored(s, held, open_=active and s is segments[-1]) for s in segments]
    gone = {s.number for s in expired(stored, policy, now_us)}
    for segment in segments:
        if segment.number in gone:
            _unlink(segment)
    _drop_unreadable(directory, {s.number for s in segments}, now_us - policy.keep_us)
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


def _stored(segment: Segment, held: Iterable[Lease], *, open_: bool) -> Stored:
    start_us, end_us = segment.extent.start_us, segment.extent.end_us
    leased = any(lease.start_us < end_us and start_us < lease.end_us for lease in held)
    return Stored(segment.number, end_us, segment.size_bytes, open=open_, leased=leased)


def _drop_unreadable(directory: Path, readable: Collection[int], before_us: int) -> None:
    """What nobody can read, or repair set aside, stays for an operator to look at as long as the window, no longer."""
    with contextlib.suppress(FileNotFoundError):
        for path in sorted(directory.iterdir(), key=lambda p: (p.stem, p.suffix != ".idx")):
            name = parse_segment_name(path.name.removesuffix(DAMAGED_SUFFIX))
            if name is None or (name[0] in readable and not path.name.endswith(DAMAGED_SUFFIX)):
                continue
            if path.stat().st_mtime_ns // 1000 <= before_us:
                path.unlink(missing_ok=True)
