from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lookback.buffer.retention import Retention, Stored, expired

SECOND = 1_000_000
POLICY = Retention(keep_us=60 * SECOND)


def a_segment(at: int, *, size: int = 10, open_: bool = False, leased: bool = False) -> Stored:
    """A segment that ends `at` seconds."""
    return Stored(at, at * SECOND, size, open=open_, leased=leased)


def test_what_is_older_than_the_window_may_go_oldest_first() -> None:
    segments = [a_segment(at) for at in (10, 20, 30, 90)]
    assert [s.number for s in expired(segments, POLICY, 90 * SECOND)] == [10, 20, 30]


def test_a_leased_segment_is_never_expired() -> None:
    assert list(expired([a_segment(0, leased=True)], POLICY, 10**12)) == []


def test_the_open_segment_is_never_expired() -> None:
    assert list(expired([a_segment(0, open_=True)], POLICY, 10**12)) == []


def test_the_byte_budget_counts_from_the_newest() -> None:
    segments = [a_segment(at) for at in (1, 2, 3, 4)]
    policy = Retention(keep_us=10**12, max_bytes=25)
    assert [s.number for s in expired(segments, policy, 0)] == [1, 2]


def test_open_and_leased_segments_use_up_the_budget() -> None:
    segments = [a_segment(1), a_segment(2, leased=True), a_segment(3, open_=True, size=20)]
    policy = Retention(keep_us=10**12, max_bytes=25)
    assert [s.number for s in expired(segments, policy, 0)] == [1]


@given(st.lists(st.integers(0, 1000), unique=True).map(sorted), st.integers(0, 2000), st.integers(0, 500))
def test_what_stays_is_within_the_promise(ends: list[int], now: int, budget: int) -> None:
    segments = [a_segment(at) for at in ends]
    policy = Retention(keep_us=60 * SECOND, max_bytes=budget)
    gone = list(expired(segments, policy, now * SECOND))
    stays = [s for s in segments if s not in gone]
    assert sum(s.size_bytes for s in stays) <= budget
    assert all(s.end_us > now * SECOND - policy.keep_us for s in stays)
    assert gone == segments[: len(gone)]
