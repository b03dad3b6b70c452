"""Decide which samples a clip is made of: from the key frame that its first picture needs, to its end.

1. The picture on screen at the start is the first one shown, although it may have been sent before: the samples from
   its key frame up to it are part of the clip and hidden by the container.
2. Audio starts with the first packet at or after the start. Holes of the audio are filled with silence, because
   browsers pull later sound forward over a hole (measured: 5 s early after a hole of 5 s).
3. A sample whose references are lost is never part of a clip, nor is a note that has no bytes.

A stretch without pictures holds the last one. Where two runs overlap, the newer one counts.

Pictures stand in the order in which they are decoded, which is not that in which they are shown where a publisher
sends B-frames. So what a range needs reaches to the last frame that is shown in it, with those that are decoded before
it and shown after the range.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookback.media.index import NEVER_SHOWN, Flag
from lookback.media.samples import Track
from lookback.media.sound import OPUS, Sound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from lookback.media.index import SegmentIndex

Column = "NDArray[np.int64]"

# A RECORD as four little-endian 64-bit words: dts | offset, size | duration, cts | fragment, track, flags, reserved.
_WORDS = 4
_LOW = 0xFFFFFFFF
_FLAGS_SHIFT = 8
_NEVER_SHOWN = int(NEVER_SHOWN) << _FLAGS_SHIFT
_KIND_MASK = 0xFF | _NEVER_SHOWN
_SYNC = int(Flag.SYNC) << _FLAGS_SHIFT

_SMALLEST_HOLE_US = 5_000  # below it is the jitter of the timeline, above it a packet is missing
_LONGEST_LEAD_US = 100_000  # audio may start this late without silence before it: containers say so exactly
_SILENCE_GROUP_US = 500_000  # as long as a fragment, so that players read both at the same pace


@dataclass(frozen=True, slots=True)
class Samples:
    """Columns of equal length, one row per sample, in the order of the segments and within them of the file.

    `segment` counts positions in the list given to `cut`; `offset` counts from the start of the segment's media file.
    A picture is shown from `dts_us + cts_us` on; all those sums together are the same instants as all `dts_us`.
    """

    dts_us: NDArray[np.int64]
    duration_us: NDArray[np.int64]
    offset: NDArray[np.int64]
    size: NDArray[np.int64]
    segment: NDArray[np.int64]
    fragment: NDArray[np.int64]
    sync: NDArray[np.bool_]
    cts_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.dts_us)

    @property
    def shown_us(self) -> NDArray[np.int64]:
        """When each picture appears."""
        shown: NDArray[np.int64] = self.dts_us + self.cts_us
        return shown


@dataclass(frozen=True, slots=True)
class Silence:
    """Generated audio: (microseconds, packet) one after the other from `start_us` on."""

    start_us: int
    packets: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """What a clip is made of. Instants are UTC microseconds; the range is half-open and never empty.

    The `hidden` samples of `video` that are shown first are decoded and never seen; the next one is seen from
    `start_us` on, whenever it was sent. `audio` and `silence` together leave no hole; both are empty when there is no
    sound at all.
    """

    segments: Sequence[SegmentIndex]
    start_us: int
    end_us: int
    video: Samples
    hidden: int
    audio: Samples
    silence: tuple[Silence, ...]
    sound: Sound = OPUS

    @property
    def first_key(self) -> tuple[int, int, int]:
        """Segment, offset and size of the key frame that everything starts from."""
        video = self.video
        return int(video.segment[0]), int(video.offset[0]), int(video.size[0])


def cut(segments: Sequence[SegmentIndex], start_us: int, end_us: int, sound: Sound = OPUS) -> Cut | None:
    """Choose the samples of `[start_us, end_us)`; None when no picture can be shown in it.

    `segments` are in the order they were written and of one codec; one may be missing. `sound` is what their audio
    is, for the silence in its holes. The range is narrowed to begin
    at a key frame if none comes before it, and to end where it is not known yet what is on screen.
    """
    begin = _first_needed(segments, start_us)
    end = next((i for i in range(begin, len(segments)) if segments[i].header.first_dts_us >= end_us), len(segments))
    rows = _Rows(segments, *_with_sound(segments, begin, end, start_us, end_us))
    video = rows.of(Track.VIDEO)
    first = rows.key_frame_for(video, start_us)
    if first is None or not len(rows.dts_us):
        return None
    video = video[first:]
    start_us = max(start_us, int(rows.dts_us[video[0]]))
    end_us = min(end_us, rows.pictures_until_us())
    if start_us >= end_us:
        return None
    pictures = rows.take(video[: np.flatnonzero(rows.shown_us(video) < end_us)[-1] + 1])
    audio = rows.of(Track.AUDIO)
    times = rows.dts_us[audio]
    heard = rows.take(audio[(times >= start_us) & (times < end_us)])
    silence = tuple(_silence(heard, start_us, sound))
    return Cut(segments, start_us, end_us, pictures, _hidden(pictures, start_us), heard, silence, sound)


def pictures_until_us(segment: SegmentIndex) -> int:
    """How far a segment knows what is on screen, in UTC microseconds; 0 when it has no picture.

    The newest frame waits for its successor, its sound does not: a clip that ended with the sound would show the
    frame before.
    """
    return _Rows([segment], 0, 1).pictures_until_us()


class _Rows:
    """All sample records of `segments[begin:end]` under each other, as 64-bit words."""

    def __init__(self, segments: Sequence[SegmentIndex], begin: int, end: int) -> None:
        used = segments[begin:end]
        tables = [np.ascontiguousarray(s.samples).view("<i8").reshape(-1, _WORDS) for s in used]
        self._words = np.concatenate(tables) if tables else np.empty((0, _WORDS), np.int64)
        self._starts = np.cumsum([0, *map(len, tables)])
        self._segment = np.repeat(np.arange(begin, begin + len(used)), np.diff(self._starts))
        self.dts_us = self._words[:, 0]
        self._kind = (self._words[:, 3] >> 32) & 0xFFFF
        self._give_way(used)

    def pictures_until_us(self) -> int:
        """How far it is known what is on screen, notes included; sound may be further."""
        video = self._kind & 0xFF == Track.VIDEO
        return int((self.dts_us[video] + (self._words[video, 2] & _LOW)).max(initial=0))

    def of(self, track: Track) -> NDArray[np.intp]:
        """Positions of the track's samples that may be shown."""
        return np.flatnonzero((self._kind & _KIND_MASK) == track)

    def shown_us(self, video: NDArray[np.intp]) -> NDArray[np.int64]:
        """When these pictures appear."""
        shown: NDArray[np.int64] = self.dts_us[video] + (self._words[video, 2] >> 32)
        return shown

    def key_frame_for(self, video: NDArray[np.intp], start_us: int) -> int | None:
        """Position in `video` of the last key frame at or before `start_us`, or else of the first one after it."""
        keys = np.flatnonzero(self._kind[video] & _SYNC)
        if not len(keys):
            return None
        before = keys[self.dts_us[video[keys]] <= start_us]
        return int(before[-1] if len(before) else keys[0])

    def take(self, rows: NDArray[np.intp]) -> Samples:
        """Split these rows into columns."""
        words = self._words[rows]
        return Samples(
            dts_us=words[:, 0],
            duration_us=words[:, 2] & _LOW,
            offset=words[:, 1] & _LOW,
            size=(words[:, 1] >> 32) & _LOW,
            segment=self._segment[rows],
            fragment=words[:, 3] & _LOW,
            sync=(self._kind[rows] & _SYNC) != 0,
            cts_us=words[:, 2] >> 32,
        )

    def _give_way(self, used: Sequence[SegmentIndex]) -> None:
        """Forget what an older run has from the first sample of a newer one on."""
        for number in range(1, len(used)):
            if used[number].header.run_id != used[number - 1].header.run_id and len(used[number].samples):
                row = self._starts[number]
                late = self.dts_us[:row] >= self.dts_us[row]
                self._kind[:row][late] = 0


def _first_needed(segments: Sequence[SegmentIndex], start_us: int) -> int:
    """Position of the segment with the key frame for `start_us`: an older one only where the run comes from there."""
    at = max(bisect_right(segments, start_us, key=lambda s: s.header.first_dts_us) - 1, 0)
    while at > 0 and _same_run(segments, at):
        rows = _Rows(segments, at, at + 1)
        video = rows.of(Track.VIDEO)
        first = rows.key_frame_for(video, start_us)
        if first is not None and rows.dts_us[video[first]] <= start_us:
            break
        at -= 1
    return at


def _with_sound(segments: Sequence[SegmentIndex], begin: int, end: int, start_us: int, end_us: int) -> tuple[int, int]:
    """Positions that take in what sound of the range stands in the segment before or after those of its pictures."""
    if begin > 0 and _same_run(segments, begin) and (_sound(segments[begin - 1]) >= start_us).any():
        begin -= 1
    if begin < end < len(segments) and _same_run(segments, end) and (_sound(segments[end]) < end_us).any():
        end += 1
    return begin, end


def _same_run(segments: Sequence[SegmentIndex], at: int) -> bool:
    return segments[at - 1].header.run_id == segments[at].header.run_id


def _sound(segment: SegmentIndex) -> NDArray[np.int64]:
    """Decode times of a segment's audio."""
    times: NDArray[np.int64] = segment.samples["dts_us"][segment.samples["track"] == Track.AUDIO]
    return times


def _hidden(video: Samples, start_us: int) -> int:
    """How many samples lead up to the one that is on screen at `start_us`."""
    shown_us = video.shown_us
    before = int((shown_us < start_us).sum())
    return before if not before or (shown_us == start_us).any() else before - 1


def _silence(audio: Samples, start_us: int, sound: Sound) -> Iterator[Silence]:
    """Fill the holes of `audio`: before its first packet and between packets. After the last one it stays open."""
    if not len(audio):
        return
    first_us = int(audio.dts_us[0])
    if first_us - start_us > _LONGEST_LEAD_US:
        yield from _groups(start_us, first_us, sound)
    ends = audio.dts_us + audio.duration_us
    for hole in np.flatnonzero(audio.dts_us[1:] - ends[:-1] >= _SMALLEST_HOLE_US).tolist():
        yield from _groups(int(ends[hole]), int(audio.dts_us[hole + 1]), sound)


def _groups(start_us: int, end_us: int, sound: Sound) -> Iterator[Silence]:
    while packets := sound.silence(min(_SILENCE_GROUP_US, end_us - start_us)):
        yield Silence(start_us, tuple(packets))
        start_us += sum(packet_us for packet_us, _ in packets)
