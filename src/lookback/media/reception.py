"""What a receiver report says about one source (RFC 3550 sections 6.4.1 and A.3, A.8)."""

from __future__ import annotations

from lookback.media.rtcp import ReportBlock

_WRAP = 1 << 32
_HALF = 1 << 31


class Reception:
    """Jitter, loss and the last sender report of one SSRC. Times are steady microseconds.

    `received` counts packets as they came, without those that retransmission repaired: the sender's rate control
    shall see the network as it is.
    """

    __slots__ = ("_expected", "_jitter", "_rate", "_received", "_report", "_report_us", "_transit", "received")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.received = 0
        self._expected = 0  # at the last report, as is `_received`
        self._received = 0
        self._jitter = 0  # 16 times the jitter in ticks
        self._transit: int | None = None
        self._report = 0
        self._report_us = 0

    def arrived(self, timestamp: int, steady_us: int) -> None:
        """Note the first packet of a new timestamp (appendix A.8; later ones of a frame would measure its pacing)."""
        transit = steady_us * self._rate // 1_000_000 - timestamp
        if self._transit is not None:
            change = abs(((transit - self._transit + _HALF) & (_WRAP - 1)) - _HALF)
            self._jitter += change - ((self._jitter + 8) >> 4)
        self._transit = transit

    def sender_reported(self, ntp: int, steady_us: int) -> None:
        """Note a sender report by its 64-bit NTP time."""
        self._report = ntp >> 16 & 0xFFFFFFFF
        self._report_us = steady_us

    def block(self, ssrc: int, first: int, highest: int, steady_us: int) -> ReportBlock:
        """Build the next report; the fraction counts from the one before (appendix A.3)."""
        expected = highest - first + 1
        due, came = expected - self._expected, self.received - self._received
        self._expected, self._received = expected, self.received
        fraction = min(255, ((due - came) << 8) // due) if due > max(0, came) else 0
        delay = (steady_us - self._report_us) * 65_536 // 1_000_000 if self._report else 0
        return ReportBlock(
            ssrc=ssrc,
            fraction_lost=fraction,
            packets_lost=expected - self.received,
            highest_sequence=highest,
            jitter=min(self._jitter >> 4, _WRAP - 1),
            last_report=self._report,
            delay=max(0, min(delay, _WRAP - 1)),
        )
