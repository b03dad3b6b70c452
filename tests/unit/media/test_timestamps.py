"""RTP timestamps as one growing number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.media.hostclock import HostClock
from lookback.media.timestamps import Timestamps

START = 1_790_000_000_000_000
HOUR = 3_600_000_000
WRAP = 2**32


class Sender:
    """A 90 kHz clock seen through the host's."""

    def __init__(self, first: int = 1000) -> None:
        self.host = HostClock()
        self.now_us = START
        self.wire = first
        self.timestamps = Timestamps(90_000, self.host)

    def frame(self, *, wall_us: int = 33_000, media_us: int = 33_000, host_steps_us: int = 0) -> tuple[int, bool]:
        """Send a frame `media_us` later by its own clock, `wall_us` later in truth."""
        for _ in range(wall_us // 1_000_000):
            self.host.read(self.now_us)
            self.now_us += 1_000_000
        self.host.read(self.now_us)
        self.now_us += wall_us % 1_000_000 + host_steps_us
        self.host.read(self.now_us)
        self.wire = (self.wire + media_us * 9 // 100) % WRAP
        return self.timestamps.unwrap(self.wire, self.now_us)


@given(st.integers(0, WRAP - 1), st.lists(st.integers(-10_000, 800_000), max_size=200))
def test_differences_survive_the_wrap(first: int, steps: list[int]) -> None:
    timestamps = Timestamps(90_000, HostClock())
    total, now_us = first, START
    assert timestamps.unwrap(first, now_us) == (first, False)
    for step in steps:
        total += step
        now_us += max(0, step * 100 // 9)
        assert timestamps.unwrap(total % WRAP, now_us) == (total, False)


def test_a_pause_of_any_length_is_time_that_passed() -> None:
    sender = Sender()
    before, _ = sender.frame()
    after, jumped = sender.frame(wall_us=HOUR, media_us=HOUR)
    assert (after - before, jumped) == (HOUR * 9 // 100, False)


@pytest.mark.parametrize("hours", [7, 13, 14, 27])
def test_a_pause_longer_than_half_a_wrap_is_time_that_passed(hours: int) -> None:
    sender = Sender()
    before, _ = sender.frame()
    after, _ = sender.frame(wall_us=hours * HOUR, media_us=hours * HOUR)
    assert abs((after - before) * 100 // 9 - hours * HOUR) < 1_000


@pytest.mark.parametrize("media_us", [-3_000_000, -HOUR, 20_000_000, HOUR])
def test_a_jump_of_the_senders_clock_is_replaced_by_the_time_that_passed(media_us: int) -> None:
    sender = Sender(first=WRAP - 5)
    before, _ = sender.frame()
    after, jumped = sender.frame(wall_us=40_000, media_us=media_us)
    assert (after - before, jumped) == (3600, True)
    following, jumped = sender.frame()
    assert (following - after, jumped) == (2970, False)


def test_a_senders_clock_that_stood_still_is_moved_on() -> None:
    sender = Sender()
    before, _ = sender.frame()
    after, jumped = sender.frame(wall_us=60_000_000, media_us=20_000)
    assert (after - before, jumped) == (60 * 90_000, True)


def test_media_that_waited_on_its_way_keeps_its_time() -> None:
    sender = Sender()
    before, _ = sender.frame()
    after, jumped = sender.frame(wall_us=4_000_000, media_us=33_000)
    assert (after - before, jumped) == (2970, False)


@pytest.mark.parametrize("step_us", [HOUR, -HOUR, 6_000_000, -6_000_000])
def test_a_step_of_the_hosts_clock_is_no_jump(step_us: int) -> None:
    sender = Sender()
    before, _ = sender.frame()
    after, jumped = sender.frame(host_steps_us=step_us)
    assert (after - before, jumped) == (2970, False)


def test_a_host_that_slept_while_the_sender_went_on_sees_no_jump() -> None:
    sender = Sender()
    before, _ = sender.frame()
    sender.now_us += HOUR
    after, jumped = sender.frame(media_us=HOUR)
    assert (after - before, jumped) == (HOUR * 9 // 100, False)


def test_a_restart_continues_with_the_time_that_passed() -> None:
    sender = Sender()
    before, _ = sender.frame()
    sender.timestamps.restart()
    assert sender.timestamps.near(5) is None
    sender.wire = 4_000_000_000
    after, jumped = sender.frame(wall_us=100_000)
    assert (after - before, jumped) == (9000, False)
    assert sender.timestamps.near(sender.wire + 90) == after + 90


def test_a_report_may_be_ahead_or_behind_over_the_wrap() -> None:
    timestamps = Timestamps(90_000, HostClock())
    assert timestamps.near(7) is None
    timestamps.unwrap(WRAP - 10, START)
    assert timestamps.near(5) == WRAP + 5
    assert timestamps.near(WRAP - 100) == WRAP - 100


@given(st.lists(st.integers(-(10**10), 10**10), max_size=50))
def test_steady_time_never_goes_back_nor_jumps(steps: list[int]) -> None:
    clock = HostClock()
    now_us = START
    before = clock.read(now_us)
    for step in steps:
        now_us += step
        steady = clock.read(now_us)
        assert steady == now_us + clock.shift_us
        assert 0 <= steady - before <= 2_000_000
        before = steady


def test_a_restart_after_the_hosts_clock_was_set_counts_true_time() -> None:
    sender = Sender()
    sender.frame(host_steps_us=HOUR)
    before, _ = sender.frame()
    sender.timestamps.restart()
    after, _ = sender.frame(wall_us=100_000)
    assert after - before == 9000
