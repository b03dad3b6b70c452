from __future__ import annotations

from pathlib import Path

from lookback.buffer.leases import LONGEST_US, Leases
from lookback.sessions.previews import LOOKS_US, Previews
from lookback.sessions.views import MediaPart

HERE = Path("here")
PART = MediaPart(Path("segment-000001.mp4"), 10, "video/mp4", '"x"', start_us=100, end_us=200)


def test_what_a_player_fetches_stays_for_a_while() -> None:
    leases, now_us = Leases(), 1000
    Previews(leases, lambda: now_us).looked_at(HERE, PART)
    (lease,) = leases.of(HERE, now_us)
    assert (lease.start_us, lease.end_us, lease.until_us) == (100, 200, now_us + LOOKS_US)
    assert leases.of(HERE, now_us + LOOKS_US) == ()


def test_who_looks_for_ever_holds_it_for_ten_minutes() -> None:
    leases, clock = Leases(), [0]
    previews = Previews(leases, lambda: clock[0])
    while clock[0] < LONGEST_US:
        previews.looked_at(HERE, PART)
        clock[0] += LOOKS_US // 2
    assert leases.of(HERE, clock[0]) == ()
