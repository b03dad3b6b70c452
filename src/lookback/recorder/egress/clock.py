"""From the ticks of MPEG-TS to UTC: one anchor per stretch, so that what is continuous in the files stays so.

The playlist dates each file to the millisecond; the ticks inside go on over all files of an egress. So the first date
counts, and later ones only say whether the ticks still mean the same (ISO/IEC 13818-1: 90 kHz, 33 bits).
"""

from __future__ import annotations

TICKS_PER_SECOND = 90_000
_WRAP = 1 << 33
_LARGEST_DRIFT_US = 1_000_000  # measured over 15 minutes of overload: 32 ms


def microseconds(ticks: int) -> int:
    """A distance in ticks as microseconds, rounded to the nearest."""
    return (ticks * 1_000_000 + TICKS_PER_SECOND // 2) // TICKS_PER_SECOND


class EgressClock:
    """The clock of one egress. `delay_us`: how much later than it was taken Egress dates a picture."""

    def __init__(self, delay_us: int) -> None:
        self._delay_us = delay_us
        self._anchor: tuple[int, int] | None = None  # ticks and UTC of the newest file's first picture

    def begin(self, first_ticks: int, dated_us: int | None, otherwise_us: int) -> bool:
        """Note that a file's first picture has these ticks and this date; tell whether time goes on without a step.

        `otherwise_us` is its instant when nothing else says one.
        """
        wanted_us = dated_us - self._delay_us if dated_us is not None else None
        if self._anchor is not None:
            going_on_us = self.utc_us(first_ticks)
            if wanted_us is None or abs(wanted_us - going_on_us) <= _LARGEST_DRIFT_US:
                self._anchor = first_ticks, going_on_us
                return True
        goes_on = self._anchor is None
        self._anchor = first_ticks, wanted_us if wanted_us is not None else otherwise_us
        return goes_on

    def utc_us(self, ticks: int) -> int:
        """When a sample with these ticks was taken; within half a wrap, 13 hours, of the newest file's beginning."""
        if self._anchor is None:
            raise AssertionError("begin() comes before utc_us()")
        anchor_ticks, anchor_us = self._anchor
        ahead = (ticks - anchor_ticks + _WRAP // 2) % _WRAP - _WRAP // 2
        return anchor_us + microseconds(ahead)
