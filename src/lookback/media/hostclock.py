"""Time that passed, whatever somebody does to the host's wall clock."""

from __future__ import annotations

_LONGEST_SILENCE_US = 2_000_000  # the clock is read every 20 ms; a longer jump is a step, or this process stood still


class HostClock:
    """Turns wall-clock readings into steady time: it never goes back, and leaves out steps of the wall clock.

    Steady time is `now_us + shift_us` and starts as wall-clock time. What is compared over time (retries, reports)
    uses it; what is written down uses the wall clock.
    """

    __slots__ = ("shift_us", "wall_us")

    def __init__(self) -> None:
        self.shift_us = 0
        self.wall_us: int | None = None  # the latest reading

    def read(self, now_us: int) -> int:
        """Note a reading of the wall clock; return steady time in microseconds."""
        latest_us = self.wall_us
        if latest_us is not None and not 0 <= now_us - latest_us <= _LONGEST_SILENCE_US:
            self.shift_us -= now_us - latest_us
        self.wall_us = now_us
        return now_us + self.shift_us
