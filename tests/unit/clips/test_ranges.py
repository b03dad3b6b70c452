from __future__ import annotations

from typing import Any

import pytest

from lookback.clips.model import CaptureWish, Interval
from lookback.clips.ranges import WishedRange, require_length, require_past, wished_range
from lookback.errors import TooEarlyError, ValidationError

NOW = 1_000_000_000
SECOND = 1_000_000


def test_no_clip_is_longer_than_its_community_allows() -> None:
    wished = WishedRange(Interval(0, 90_000_000))
    require_length(wished, None)
    require_length(wished, 90_000_000)
    with pytest.raises(ValidationError, match=r"at most 1\.49983 minutes") as refusal:
        require_length(wished, 89_990_000)
    assert refusal.value.facts == {"maxSeconds": 89.99}


def test_the_last_seconds_end_with_the_newest_sample() -> None:
    wished = wished_range(CaptureWish(last_us=30 * SECOND), NOW)
    assert wished.requested == Interval(NOW - 30 * SECOND, NOW)
    assert wished.within(NOW - 400_000) == Interval(NOW - 30 * SECOND - 400_000, NOW - 400_000)


def test_with_a_post_roll_the_last_seconds_are_counted_from_now() -> None:
    wished = wished_range(CaptureWish(last_us=30 * SECOND, post_roll_us=5 * SECOND), NOW)
    assert wished.within(NOW) == wished.requested == Interval(NOW - 30 * SECOND, NOW + 5 * SECOND)


def test_an_absolute_range_is_what_it_says() -> None:
    wished = wished_range(CaptureWish(start_us=5, end_us=9, post_roll_us=2), NOW)
    assert wished.within(7) == wished.requested == Interval(5, 11)


def test_a_playhead_ends_the_range() -> None:
    wished = wished_range(CaptureWish(playhead_us=NOW - 60 * SECOND, last_us=10 * SECOND), NOW)
    assert wished.within(NOW) == Interval(NOW - 70 * SECOND, NOW - 60 * SECOND)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"start_us": 5},
        {"end_us": 5},
        {"playhead_us": 5},
        {"start_us": 5, "end_us": 5},
        {"start_us": 5, "end_us": 9, "last_us": 4},
        {"start_us": 5, "end_us": 9, "playhead_us": 9},
        {"last_us": 0},
        {"last_us": -1},
        {"last_us": 5, "post_roll_us": -1},
    ],
)
def test_anything_but_one_range_is_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wished_range(CaptureWish(**wish), NOW)


def test_the_future_must_be_waited_for_on_purpose() -> None:
    wish = CaptureWish(start_us=NOW - SECOND, end_us=NOW + 500_001)
    with pytest.raises(TooEarlyError) as caught:
        require_past(wished_range(wish, NOW), wish, NOW, 60 * SECOND)
    assert caught.value.facts == {"retryAfter": 1}


def test_what_is_dated_a_moment_ahead_can_be_asked_for() -> None:
    wish = CaptureWish(start_us=NOW - SECOND, end_us=NOW + 500_000)
    require_past(wished_range(wish, NOW), wish, NOW, 60 * SECOND)


@pytest.mark.parametrize(("post_roll", "allowed"), [(60 * SECOND, True), (60 * SECOND + 1, False)])
def test_a_post_roll_may_not_be_endless(post_roll: int, *, allowed: bool) -> None:
    wish = CaptureWish(last_us=SECOND, post_roll_us=post_roll)
    wished = wished_range(wish, NOW)
    if allowed:
        require_past(wished, wish, NOW, 60 * SECOND)
    else:
        with pytest.raises(TooEarlyError):
            require_past(wished, wish, NOW, 60 * SECOND)
