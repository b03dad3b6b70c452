"""What is deleted, in which order, and what stays although it is old."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from tests.support.media import START_US, record

from lookback.buffer.eviction import remove_session
from lookback.buffer.leases import Lease, Leases
from lookback.buffer.reader import SegmentCache, read_segments, summary
from lookback.buffer.retention import Limits
from lookback.buffer.session_file import SessionRecord, write_session
from lookback.buffer.sweep import BufferSweep, Outcome, Watched

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000


def sweep(
    directory: Path, keep_us: int, now_us: int, *, active: bool = False, leases: Leases | None = None, **more: bool
) -> Outcome:
    """Sweep one session, as for the first time."""
    session = Watched("s", "u", None, directory, keep_us, active)
    return BufferSweep(leases or Leases(), Limits()).run([session], now_us, **more)


def test_eviction_takes_the_oldest_and_leaves_the_open_one(tmp_path: Path) -> None:
    record(tmp_path, frames=300)
    thumbnail = tmp_path / "segment-000001.webp"
    thumbnail.write_bytes(b"x")
    now_us = START_US + 10_000_000
    first = sweep(tmp_path, 5_000_000, now_us, active=True)
    assert (len(first.doomed), first.empty) == (2, frozenset())
    assert [s.number for s in read_segments(tmp_path)] == [3, 4, 5]
    assert not thumbnail.exists()
    assert not sweep(tmp_path, 0, now_us * 2, active=True).empty
    assert [s.number for s in read_segments(tmp_path)] == [5]
    assert sweep(tmp_path, 0, now_us * 2).empty


def test_an_ended_session_leaves_nothing_behind(tmp_path: Path) -> None:
    directory = tmp_path / "room" / "user" / "session"
    record(directory, frames=60)
    write_session(directory, SessionRecord("s", "r", "u", "whip", START_US))
    remove_session(directory)
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_a_clip_pinned_outlive_eviction(tmp_path: Path) -> None:
    directory = tmp_path / "session"
    record(directory, frames=60)
    (segment,) = read_segments(directory)
    pin = tmp_path / "pin"
    os.link(segment.media_path, pin)
    content = segment.media_path.read_bytes()
    sweep(directory, 0, START_US * 2)
    assert pin.read_bytes() == content


def test_what_somebody_looks_at_stays_until_the_lease_ends(tmp_path: Path) -> None:
    record(tmp_path, frames=300)
    leases, now_us = Leases(), START_US + 60 * SECOND
    leases.take(tmp_path, Lease(START_US + 3 * SECOND, START_US + 4 * SECOND, now_us + 30 * SECOND), now_us)
    assert len(sweep(tmp_path, SECOND, now_us, leases=leases).doomed) == 4
    (leased,) = read_segments(tmp_path)
    assert leased.extent.start_us <= START_US + 3 * SECOND < leased.extent.end_us
    assert sweep(tmp_path, SECOND, now_us + 30 * SECOND, leases=leases).empty


def test_what_nobody_can_read_goes_when_it_is_old(tmp_path: Path) -> None:
    record(tmp_path, frames=180)
    first, second, third = read_segments(tmp_path)
    first.index_path.write_bytes(b"garbage")
    second.media_path.unlink()
    (tmp_path / "segment-000009.mp4.damaged").write_bytes(b"x")
    (tmp_path / "segment-000010.webp").write_bytes(b"x")
    written_us = third.index_path.stat().st_mtime_ns // 1000
    before = len(list(tmp_path.iterdir()))
    assert sweep(tmp_path, 10**15, written_us + 5 * SECOND, active=True, thorough=True).doomed == ()
    assert len(list(tmp_path.iterdir())) == before
    sweep(tmp_path, 10 * SECOND, written_us + 3600 * SECOND, active=True)
    assert len(list(tmp_path.iterdir())) == before, "that is for a thorough sweep"
    sweep(tmp_path, 10 * SECOND, written_us + 3600 * SECOND, active=True, thorough=True)
    assert sorted(tmp_path.iterdir()) == [third.index_path, third.media_path]


def test_readers_never_see_half_a_segment_while_others_are_evicted(tmp_path: Path) -> None:
    record(tmp_path, frames=900)
    whole = {s.number: len(s.index.samples) for s in read_segments(tmp_path)}
    stop = threading.Event()
    odd: list[int] = []

    def read() -> None:
        cache = SegmentCache()
        while not stop.is_set():
            seen = {s.number: len(s.index.samples) for s in read_segments(tmp_path, cache=cache)}
            odd.extend(number for number, count in seen.items() if whole[number] != count)

    reader = threading.Thread(target=read)
    reader.start()
    for second in range(31):
        sweep(tmp_path, 0, START_US + second * SECOND)
    stop.set()
    reader.join()
    assert odd == []
    assert summary(tmp_path).segments == 0
