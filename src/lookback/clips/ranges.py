"""Which range a wish means, given what time it is and how far the buffer goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.clips.model import Interval
from lookback.errors import TooEarlyError, ValidationError

if TYPE_CHECKING:
    from lookback.clips.model import CaptureWish

_SECOND_US = 1_000_000
_MOMENT_US = 500_000  # what is buffered may end some milliseconds ahead of the clock, and can be asked for all the same


@dataclass(frozen=True, slots=True)
class WishedRange:
    """What was asked for. `to_newest_us`: instead of the requested end, take that long up to the newest sample."""

    requested: Interval
    to_newest_us: int | None = None

    def within(self, newest_us: int) -> Interval:
        """The range to cut when the buffer ends at `newest_us`; it may reach beyond either end of the buffer."""
        if self.to_newest_us is None:
            return self.requested
        return Interval(newest_us - self.to_newest_us, newest_us)


def wished_range(wish: CaptureWish, now_us: int) -> WishedRange:
    """Resolve a wish; raises ValidationError when it says no range, or more than one.

    The last N seconds are N seconds up to the newest sample, which is a little older than now; with a post-roll they
    are N seconds before now and the post-roll after it.
    """
    last_us, playhead_us, post_roll_us = wish.last_us, wish.playhead_us, wish.post_roll_us
    if post_roll_us < 0 or (last_us is not None and last_us <= 0):
        raise ValidationError("Durations must be positive")
    if wish.start_us is not None and wish.end_us is not None and last_us is None and playhead_us is None:
        if wish.start_us >= wish.end_us:
            raise ValidationError("The range must start before it ends")
        return WishedRange(Interval(wish.start_us, wish.end_us + post_roll_us))
    if last_us is None or wish.start_us is not None or wish.end_us is not None:
        raise ValidationError("Say one range: a duration, start and end, or playhead and duration")
    until_us = now_us if playhead_us is None else playhead_us
    requested = Interval(until_us - last_us, until_us + post_roll_us)
    return WishedRange(requested, last_us if playhead_us is None and not post_roll_us else None)


def require_length(wished: WishedRange, longest_us: int | None) -> None:
    """Raise ValidationError when the range is longer than the community allows; facts: maxSeconds."""
    if longest_us is not None and wished.requested.duration_us > longest_us:
        longest = longest_us / _SECOND_US
        raise ValidationError(f"Clips in this community are at most {longest / 60:g} minutes long", maxSeconds=longest)


def require_past(wished: WishedRange, wish: CaptureWish, now_us: int, longest_wait_us: int) -> None:
    """Raise TooEarlyError when the range ends in the future and is not to be waited for, or for too long.

    A moment is waited for always.
    """
    ahead_us = wished.requested.end_us - now_us
    if ahead_us > (longest_wait_us if wish.post_roll_us else _MOMENT_US):
        raise TooEarlyError("The end of the range has not happened yet", retryAfter=-(-ahead_us // _SECOND_US))
