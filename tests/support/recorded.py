"""What was really recorded: every picture and beep of a session's segments with its exact time, read back from disk.

Each segment is decoded as a whole, so this does not depend on how clips are cut.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

from lookback.buffer.reader import read_segments
from lookback.media.index import NEVER_SHOWN
from lookback.media.samples import Track
from tests.support.pictures import AUDIO_RATE, Beep, beeps_in, pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from lookback.buffer.reader import Segment

_HALF_FRAME_US = 1_100  # a WebM player knows milliseconds only


@dataclass(frozen=True, slots=True)
class Recorded:
    """Pictures by the time they appear, in UTC microseconds, and beeps in seconds after `sound_from_us`."""

    times_us: list[int]
    numbers: list[int]
    sound_from_us: int
    beeps: list[Beep]

    def shown(self, start_us: int, end_us: int) -> list[int]:
        """The numbers a clip of `[start_us, end_us)` shows: what is on screen at its start, then all that come."""
        return self.numbers[bisect_right(self.times_us, start_us) - 1 : bisect_left(self.times_us, end_us)]

    def appear(self, start_us: int, end_us: int) -> list[int]:
        """When these pictures appear, counted from the start of the clip, in microseconds."""
        times = self.times_us[bisect_right(self.times_us, start_us) - 1 : bisect_left(self.times_us, end_us)]
        return [max(0, time - start_us) for time in times]

    def at(self, at_us: int) -> set[int]:
        """The number on screen at an instant; both, when it is too close to a change to tell."""
        return {self._at(at_us - _HALF_FRAME_US), self._at(at_us), self._at(at_us + _HALF_FRAME_US)}

    def beeps_between(self, start_us: int, end_us: int) -> list[Beep]:
        """The beeps of a clip that are wholly in it, in seconds from its start."""
        offset = (self.sound_from_us - start_us) / 1_000_000
        moved = [Beep(beep.at + offset, beep.second) for beep in self.beeps]
        return [beep for beep in moved if 0.05 < beep.at < (end_us - start_us) / 1_000_000 - 0.15]

    def _at(self, at_us: int) -> int:
        return self.numbers[max(0, bisect_right(self.times_us, at_us) - 1)]


def what_was_recorded(directory: Path) -> Recorded:
    """Decode the segments of a session that has ended."""
    segments = read_segments(directory)
    assert segments, "nothing was recorded"
    seen = [(time, number) for segment in segments for time, number in _pictures(segment)]
    sound_from_us, sound = _sound(segments)
    return Recorded([time for time, _ in seen], [number for _, number in seen], sound_from_us, beeps_in(sound))


def _pictures(segment: Segment) -> Iterator[tuple[int, int]]:
    samples = segment.index.samples
    shown = samples[(samples["track"] == Track.VIDEO) & (samples["flags"] & NEVER_SHOWN == 0)]
    # Of the newest segment more may be written meanwhile: what is committed counts.
    decoded = pictures(segment.media_path.read_bytes()[: segment.index.media_bytes])
    assert len(decoded) == len(shown), f"{segment.media_path.name}: {len(decoded)} pictures, {len(shown)} samples"
    return zip(shown["dts_us"].tolist(), (picture.number for picture in decoded), strict=True)


def _sound(segments: list[Segment]) -> tuple[int, NDArray[np.float32]]:
    """Decode packet by packet and put each at the time its index record says; (time of the first, one channel)."""
    packets = [packet for segment in segments for packet in _packets(segment)]
    if not packets:
        return 0, np.zeros(0, np.float32)
    first_us = packets[0][0]
    sound = np.zeros(round((packets[-1][0] - first_us) * AUDIO_RATE / 1_000_000) + AUDIO_RATE, np.float32)
    decoder = av.CodecContext.create("libopus", "r")
    resampler = av.AudioResampler("fltp", "mono", AUDIO_RATE)
    for dts_us, data in packets:
        at = round((dts_us - first_us) * AUDIO_RATE / 1_000_000)
        for frame in decoder.decode(av.Packet(data)):
            for part in resampler.resample(frame):
                samples = part.to_ndarray()[0]
                sound[at : at + len(samples)] = samples
    return first_us, sound


def _packets(segment: Segment) -> Iterator[tuple[int, bytes]]:
    samples = segment.index.samples
    media = segment.media_path.read_bytes()
    for sample in samples[samples["track"] == Track.AUDIO]:
        offset, size = int(sample["offset"]), int(sample["size"])
        yield int(sample["dts_us"]), media[offset : offset + size]
