"""Segment indexes without files, for rules that look at nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from lookback.media.index import Flag, Sample, SegmentHeader, SegmentIndex, fragment_records, parse_index
from lookback.media.samples import Track

INIT_SIZE = 1_000
_MOOF_SIZE = 100


@dataclass(slots=True)
class SegmentBuilder:
    """One segment, fragment by fragment. Sample sizes and offsets are made up but consistent."""

    run_id: bytes = b"run-0001"
    _fragments: list[list[Sample]] = field(default_factory=list)
    _at: int = INIT_SIZE

    def fragment(self, *samples: tuple[Track, int, int, Flag], size: int = 10) -> Self:
        """Add a fragment of (track, dts us, duration us, flags); notes get no bytes."""
        self._at += _MOOF_SIZE
        rows = []
        for track, dts_us, duration_us, flags in samples:
            note = bool(flags & Flag.HELD)
            rows.append(Sample(track, dts_us, duration_us, self._at, 0 if note else size, flags))
            self._at += 0 if note else size
        self._fragments.append(rows)
        return self

    def index(self) -> SegmentIndex:
        """What a reader would see."""
        first_us = next(s.dts_us for rows in self._fragments for s in rows)
        data = SegmentHeader(INIT_SIZE, 640, 360, first_us, self.run_id).pack()
        at = INIT_SIZE
        for number, rows in enumerate(self._fragments):
            end = max([s.offset + s.size for s in rows], default=at)
            data += fragment_records(number, at, bytes(end - at), rows)
            at = end
        return parse_index(data, at)


def pictures(
    start_us: int, count: int, *, step_us: int = 100_000, key_every: int = 10
) -> list[tuple[Track, int, int, Flag]]:
    """Samples of video, the first one a key frame."""
    return [
        (Track.VIDEO, start_us + n * step_us, step_us, Flag.NONE if n % key_every else Flag.SYNC) for n in range(count)
    ]


def sounds(start_us: int, count: int) -> list[tuple[Track, int, int, Flag]]:
    """Samples of audio, 20 ms each."""
    return [(Track.AUDIO, start_us + n * 20_000, 20_000, Flag.SYNC) for n in range(count)]


def a_segment(start_us: int, seconds: int = 2, *, run_id: bytes = b"run-0001", audio: bool = True) -> SegmentIndex:
    """A segment of fragments of a second: ten pictures, the first one a key frame, and their sound."""
    builder = SegmentBuilder(run_id)
    for second in range(seconds):
        at_us = start_us + second * 1_000_000
        builder.fragment(*pictures(at_us, 10), *(sounds(at_us, 50) if audio else []))
    return builder.index()
