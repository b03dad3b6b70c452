"""The pictures of a run on their way into fragments: how long each one is shown, and what is known to be lost.

The newest frame's duration is unknown until its successor comes: it waits for it, but not longer than HOLD_US, and not
at all while packets are missing, because then the successor is on its way.
"""

from __future__ import annotations

from typing import NamedTuple

from lookback.media.index import Flag, LossCause, Sample
from lookback.media.samples import Track
from lookback.media.segment import PendingSample

HOLD_US = 500_000
LONGEST_HOLD_US = 2_000_000  # receivers give a packet up after one second: nothing is waited for any longer than this
_HELD_MARGIN_US = 200_000  # a frame that is on its way may carry an instant a little in the past
_SHORTEST_HELD_US = 250_000
_FIRST_INTERVAL_US = 33_333
_LONGEST_INTERVAL_US = 1_500_000  # still screens repeat their picture about every second


class Pictures(NamedTuple):
    """What belongs into one fragment. `hidden` frames refer to lost ones; `notes` have no bytes."""

    shown: list[PendingSample]
    hidden: list[PendingSample]
    notes: list[Sample]


class PictureTrack:
    """Frames that wait for their fragment. `clock_us` is the writer's clock, on which frames come late or early."""

    def __init__(self, smallest_step_us: int) -> None:
        self._step_us = smallest_step_us
        self._waiting: list[PendingSample] = []
        self._notes: list[Sample] = []
        self._newest: PendingSample | None = None
        self._next_dts_us: int | None = None
        self._interval_us = _FIRST_INTERVAL_US
        self._interrupted = False
        self._until_us: int | None = None
        self._committed_us: int | None = None
        self._taken_next_us: int | None = None
        self._committed_next_us: int | None = None

    @property
    def oldest(self) -> PendingSample | None:
        """The frame that waits longest."""
        return self._waiting[0] if self._waiting else None

    def growing(self, dts_us: int) -> int:
        """The instant for a next frame at `dts_us`: decode times must grow, each by a tick at least."""
        return dts_us if self._next_dts_us is None else max(dts_us, self._next_dts_us)

    def begin(self, at_us: int) -> None:
        """A segment starts; when the disk refused before, what it refused is lost for good."""
        if self._interrupted and self._until_us is not None:
            self._note_loss(self._until_us, at_us, LossCause.STORAGE)
        self._interrupted = False
        if self._until_us is None:
            self._until_us = self._committed_us = at_us

    def miss(self, until_us: int, cause: LossCause = LossCause.NETWORK) -> None:
        """What came before `until_us` was given up: lost is what should have followed the newest frame."""
        newest = self._newest
        if newest is not None:
            expected_us = min(self._interval_us, until_us - newest.dts_us)
            start_us = newest.dts_us + expected_us
            if cause is LossCause.FILE and not self._waiting:  # it is known until when the newest frame was shown
                start_us = self._until_us or start_us
            self._note_loss(start_us, until_us, cause)
            self._newest = None  # the hole after it says nothing about how often frames come

    def lack(self, start_us: int, end_us: int, cause: LossCause) -> None:
        """Say that something is lost of a stretch whose pictures have come."""
        self._note_loss(start_us, end_us, cause)

    def add(self, dts_us: int, data: bytes, flags: Flag, clock_us: int, cts_us: int = 0) -> None:
        """Take a frame; `dts_us` as `growing` says, `cts_us` as in PendingSample."""
        sample = PendingSample(dts_us, 0, data, flags, clock_us, cts_us)
        if self._waiting:
            self._waiting[-1].duration_us = dts_us - self._waiting[-1].dts_us
        if self._newest is not None:
            self._interval_us = min(dts_us - self._newest.dts_us, _LONGEST_INTERVAL_US)
        self._waiting.append(sample)
        self._newest = sample
        self._next_dts_us = dts_us + self._step_us

    def take(self, clock_us: int, *, missing: bool) -> Pictures:
        """What can be written now; `missing`: packets are being waited for."""
        kept: list[PendingSample] = []
        if self._waiting:
            newest = self._waiting[-1]
            age_us = clock_us - newest.seen_us
            if age_us >= (LONGEST_HOLD_US if missing else HOLD_US):
                newest.duration_us = age_us
                newest.flags |= Flag.ESTIMATED
            else:
                kept = [self._waiting.pop()]
        elif not missing:
            self._note_held(clock_us)
        taken = self._taken()
        self._waiting = kept
        return taken

    def take_all(self, clock_us: int, next_us: int | None = None) -> Pictures:
        """Everything: the next frame, at `next_us`, is for another segment, or there is none."""
        if self._waiting:
            newest = self._waiting[-1]
            end_us = newest.dts_us + clock_us - newest.seen_us if next_us is None else next_us
            newest.duration_us = max(end_us - newest.dts_us, self._step_us)
        elif next_us is None:
            self._note_held(clock_us + _HELD_MARGIN_US)
        return self._taken()

    def committed(self) -> None:
        """What was taken is on disk."""
        self._committed_us, self._committed_next_us = self._until_us, self._taken_next_us

    def interrupt(self) -> None:
        """The disk refused: what waits, and what was taken since `committed`, is gone; the same may come again."""
        self._waiting, self._notes, self._newest = [], [], None
        self._until_us, self._next_dts_us = self._committed_us, self._committed_next_us
        self._interrupted = True

    def kept_until(self, instant_us: int) -> None:
        """A disk that was away has come back without what it had taken after that."""
        if self._until_us is not None:
            self._until_us = self._committed_us = min(self._until_us, instant_us)

    def _note_loss(self, start_us: int, end_us: int, cause: LossCause) -> None:
        if end_us > start_us:
            self._notes.append(_note(start_us, end_us, Flag.REFERENCE_LOST, cause))

    def _note_held(self, clock_us: int) -> None:
        """Say that the picture did not change since what was written last."""
        newest, start_us = self._newest, self._until_us
        if newest is None or start_us is None:
            return
        until_us = newest.dts_us + clock_us - newest.seen_us - _HELD_MARGIN_US
        if until_us - start_us >= _SHORTEST_HELD_US:
            self._notes.append(_note(start_us, until_us, Flag.HELD))

    def _taken(self) -> Pictures:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._taken_next_us = waiting[-1].dts_us + self._step_us
        notes, self._notes = self._notes, []
        ends = [s.dts_us + s.duration_us for s in waiting[-1:]] + [n.dts_us + n.duration_us for n in notes]
        if self._until_us is not None:
            self._until_us = max(ends, default=self._until_us)
        hidden = [s for s in waiting if s.flags & Flag.REFERENCE_LOST]
        shown = [s for s in waiting if not s.flags & Flag.REFERENCE_LOST] if hidden else waiting
        return Pictures(shown, hidden, notes)


def _note(start_us: int, end_us: int, flag: Flag, cause: LossCause = LossCause.NETWORK) -> Sample:
    return Sample(Track.VIDEO, start_us, end_us - start_us, 0, 0, flag, cause)
