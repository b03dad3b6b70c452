"""The audio of a run without holes: where nothing came, silence stands.

Browsers pull later sound forward over a hole (measured: 5 s early after a hole of 5 s), and a declared track without
samples stops MSE. So silence is written when audio resumes, and up to FILL_DELAY_US ago while it is away. The receiver
gives a lost packet up earlier than that, so real audio never comes behind silence except when it is useless anyway.
"""

from __future__ import annotations

from lookback.media.index import Flag
from lookback.media.segment import PendingSample
from lookback.media.sound import OPUS, Sound

FILL_DELAY_US = 400_000
_TOLERANCE_US = 10_000  # the timeline moves packets against each other, by 2 % at most: no reason to let one go
_STEP_US = 20_000  # silence grows by whole packets while sound is away
_SMALLEST_STEP_US = 21  # one tick of 48 kHz, rounded up: decode times must grow


class Soundtrack:
    """Audio samples that wait for their fragment. `clock_us` is the writer's clock: packets come late or early on it.

    Silence follows the clock as far behind it as the last packet was: a sender whose sound is always late is not away.
    """

    def __init__(self, sound: Sound = OPUS) -> None:
        self._sound = sound
        self._tolerance_us = _TOLERANCE_US + sound.slack_us
        self._samples: list[PendingSample] = []
        self._end_us: int | None = None
        self._free_us = 0  # before it nothing can start
        self._heard_us = 0
        self._heard_dts_us = 0

    @property
    def oldest(self) -> PendingSample | None:
        """The sample that waits longest."""
        return self._samples[0] if self._samples else None

    def begin(self, at_us: int, clock_us: int) -> None:
        """A picture that sound, or silence, starts with; it goes on where it was unless it was interrupted."""
        if self._end_us is None:
            self._end_us = self._free_us = at_us
            self._heard_us, self._heard_dts_us = clock_us, at_us

    def interrupt(self) -> None:
        """The disk refused: what waits is gone, and what comes until the next `begin` is no silence but a gap."""
        self._samples, self._end_us = [], None

    def add(self, dts_us: int, data: bytes, clock_us: int) -> None:
        """Take a packet; one that comes where silence already stands is let go. Raises MalformedError."""
        if self._end_us is None:
            return
        duration_us = self._sound.duration_us(data)
        if dts_us >= self._end_us - self._tolerance_us:
            self._fill(dts_us, clock_us)
            self._append(PendingSample(max(dts_us, self._free_us), duration_us, data, Flag.SYNC, clock_us))
        self._heard_us, self._heard_dts_us = clock_us, dts_us

    def take(self, clock_us: int, before_us: int | None = None) -> list[PendingSample]:
        """Everything that belongs into a fragment written now; of it what starts before `before_us`."""
        if self._end_us is not None:
            away_us = self._heard_dts_us + clock_us - self._heard_us - FILL_DELAY_US - self._end_us
            self._fill(self._end_us + away_us // _STEP_US * _STEP_US, clock_us)
        samples, self._samples = self._samples, []
        if before_us is not None:
            self._samples = [s for s in samples if s.dts_us >= before_us]
            samples = samples[: len(samples) - len(self._samples)]
        return samples

    def _fill(self, until_us: int, clock_us: int) -> None:
        """Put silence up to an instant, as far as whole packets go."""
        if self._end_us is None:
            return
        for duration_us, packet in self._sound.silence(until_us - self._end_us):
            at_us = max(self._end_us, self._free_us)
            self._append(PendingSample(at_us, duration_us, packet, Flag.SYNC | Flag.FILLER, clock_us))

    def _append(self, sample: PendingSample) -> None:
        if self._samples:
            before = self._samples[-1]
            before.duration_us = min(before.duration_us, sample.dts_us - before.dts_us)
        self._samples.append(sample)
        self._end_us = sample.dts_us + sample.duration_us
        self._free_us = self._end_us if sample.flags & Flag.FILLER else sample.dts_us + _SMALLEST_STEP_US
