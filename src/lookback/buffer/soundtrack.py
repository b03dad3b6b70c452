"""The audio of a run without holes: where nothing came, silence stands.

Browsers pull later sound forward over a hole (measured: 5 s early after a hole of 5 s), and a declared track without
samples stops MSE. So silence is written when audio resumes, and up to FILL_DELAY_US ago while it is away. The receiver
gives a lost packet up earlier than that, so real audio never comes behind silence except when it is useless anyway.
"""

from __future__ import annotations

from lookback.media.index import Flag
from lookback.media.opus import packet_duration_us, silence
from lookback.media.segment import PendingSample

FILL_DELAY_US = 400_000
_TOLERANCE_US = 10_000  # jitter of the timeline: half a packet


class Soundtrack:
    """Audio samples that wait for their fragment."""

    def __init__(self) -> None:
        self._samples: list[PendingSample] = []
        self._end_us: int | None = None

    @property
    def oldest_us(self) -> int | None:
        """Instant of the first waiting sample."""
        return self._samples[0].dts_us if self._samples else None

    def begin(self, at_us: int) -> None:
        """A picture that sound, or silence, starts with; it goes on where it was unless it was interrupted."""
        if self._end_us is None:
            self._end_us = at_us

    def interrupt(self) -> None:
        """The disk refused: what waits is gone, and what comes until the next `begin` is no silence but a gap."""
        self._samples, self._end_us = [], None

    def add(self, dts_us: int, data: bytes) -> None:
        """Take a packet; one that comes where silence already stands is let go."""
        if self._end_us is None or dts_us < self._end_us - _TOLERANCE_US:
            return
        self._fill(dts_us)
        dts_us = max(dts_us, self._end_us)
        duration_us = packet_duration_us(data)
        self._samples.append(PendingSample(dts_us, duration_us, data, Flag.SYNC))
        self._end_us = dts_us + duration_us

    def take(self, now_us: int) -> list[PendingSample]:
        """Everything that belongs into a fragment written now."""
        if self._end_us is not None and now_us - self._end_us > FILL_DELAY_US:
            self._fill(now_us - FILL_DELAY_US)
        samples, self._samples = self._samples, []
        return samples

    def _fill(self, until_us: int) -> None:
        if self._end_us is None or until_us <= self._end_us:
            return
        for duration_us, packet in silence(until_us - self._end_us):
            self._samples.append(PendingSample(self._end_us, duration_us, packet, Flag.SYNC | Flag.FILLER))
            self._end_us += duration_us
