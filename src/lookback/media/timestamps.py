"""32-bit RTP timestamps made into one number that only grows, over wraps, restarts and SSRC changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookback.media.hostclock import HostClock

_WRAP = 1 << 32
_HALF = 1 << 31
_FURTHEST_BACK_S = 2  # frames arrive in order here, so going back further is a new clock
_FURTHEST_AHEAD_S = 10  # a sender may drop what it could not send in time, up to a few seconds
_LONGEST_DELAY_S = 5  # media later than this is not on its way: the sender's clock stood still meanwhile


class Timestamps:
    """Unwraps the timestamps of one track.

    Where the sender's clock starts anew (`restart`, or a jump that no clock here agrees with), the time that passed
    takes the place of the difference that is not known.
    """

    __slots__ = ("_arrival_us", "_clock", "_latest", "_offset", "_rate", "_shift_us", "_wire")

    def __init__(self, rate: int, clock: HostClock) -> None:
        self._rate = rate
        self._clock = clock
        self._wire: int | None = None  # the last timestamp as sent; None when the next one starts a new clock
        self._latest = 0  # the same, unwrapped
        self._offset = 0
        self._arrival_us: int | None = None
        self._shift_us = 0

    def unwrap(self, timestamp: int, now_us: int) -> tuple[int, bool]:
        """Return the unwrapped time in ticks, and whether the sender's clock was found to start anew."""
        wire = self._wire
        jumped = False
        if wire is None:
            self._anchor(timestamp, now_us)
        else:
            ahead = ((timestamp - wire + _HALF) & (_WRAP - 1)) - _HALF
            jumped = self._is_jump(ahead, now_us)
            if jumped:
                self._anchor(timestamp, now_us)
            else:
                self._latest += ahead
        self._wire = timestamp
        self._arrival_us = now_us
        self._shift_us = self._clock.shift_us
        return self._latest, jumped

    def near(self, timestamp: int) -> int | None:
        """Unwrap a timestamp that is not a frame's, such as a sender report's; None before the first frame."""
        if self._wire is None:
            return None
        return self._latest + ((timestamp - self._wire + _HALF) & (_WRAP - 1)) - _HALF

    def restart(self) -> None:
        """Let the next timestamp start a new clock."""
        self._wire = None

    def _anchor(self, timestamp: int, now_us: int) -> None:
        if self._arrival_us is None:
            self._latest = timestamp
        else:
            passed_us = max(1, now_us - self._arrival_us + self._clock.shift_us - self._shift_us)
            self._latest += max(1, passed_us * self._rate // 1_000_000)

    def _is_jump(self, ahead: int, now_us: int) -> bool:
        """Tell whether a step of `ahead` ticks fits neither the wall clock nor the steady time since the last one."""
        if self._arrival_us is None:
            return False
        if ahead < -_FURTHEST_BACK_S * self._rate:
            return True
        wall_us = now_us - self._arrival_us
        steady_us = wall_us + self._clock.shift_us - self._shift_us
        media_us = ahead * 1_000_000 // self._rate
        earlier, later = min(wall_us, steady_us), max(wall_us, steady_us)
        too_far = media_us - later > _FURTHEST_AHEAD_S * 1_000_000
        too_late = earlier - media_us > _LONGEST_DELAY_S * 1_000_000
        return too_far or too_late
