from __future__ import annotations

import pytest

from lookback.recorder.egress.clock import EgressClock, microseconds

T = 1_795_381_300_000_000
SECOND = 90_000
WRAP = 1 << 33


def test_the_first_date_counts_less_what_egress_dates_too_late() -> None:
    clock = EgressClock(800_000)
    assert clock.begin(3600 * SECOND, T, otherwise_us=0)
    assert clock.utc_us(3600 * SECOND) == T - 800_000
    assert clock.utc_us(3601 * SECOND) == T + 200_000


def test_later_dates_move_nothing_while_they_agree() -> None:
    clock = EgressClock(0)
    clock.begin(0, T, otherwise_us=0)
    assert clock.begin(10 * SECOND, T + 10_032_000, otherwise_us=0)
    assert clock.utc_us(10 * SECOND) == T + 10_000_000


def test_a_date_that_does_not_agree_is_a_step() -> None:
    clock = EgressClock(0)
    clock.begin(0, T, otherwise_us=0)
    assert not clock.begin(10 * SECOND, T + 25_000_000, otherwise_us=0)
    assert clock.utc_us(10 * SECOND) == T + 25_000_000


def test_without_a_date_the_ticks_go_on() -> None:
    clock = EgressClock(0)
    clock.begin(0, T, otherwise_us=0)
    assert clock.begin(10 * SECOND, None, otherwise_us=1)
    assert clock.utc_us(11 * SECOND) == T + 11_000_000


def test_without_any_date_it_is_what_it_is_otherwise() -> None:
    clock = EgressClock(800_000)
    clock.begin(SECOND, None, otherwise_us=T)
    assert clock.utc_us(SECOND) == T


def test_ticks_wrap_after_a_day() -> None:
    clock = EgressClock(0)
    clock.begin(WRAP - 5 * SECOND, T, otherwise_us=0)
    assert clock.utc_us(5 * SECOND) == T + 10_000_000
    assert clock.begin(5 * SECOND, T + 10_000_000, otherwise_us=0)
    assert clock.utc_us(WRAP - SECOND) == T + 4_000_000


def test_files_of_a_whole_week_stay_exact() -> None:
    clock = EgressClock(0)
    for file in range(7 * 24 * 360):
        clock.begin(file * 10 * SECOND % WRAP, T + file * 10_000_000 + 400_000 * (file % 2), otherwise_us=0)
    assert clock.utc_us(6 * 24 * 3600 * SECOND + 86_390 * SECOND) == T + 7 * 86_400 * 1_000_000 - 10_000_000


@pytest.mark.parametrize(
    ("ticks", "us"), [(0, 0), (3000, 33_333), (3003, 33_367), (-3000, -33_333), (90_000, 1_000_000)]
)
def test_ticks_in_microseconds(ticks: int, us: int) -> None:
    assert microseconds(ticks) == us
