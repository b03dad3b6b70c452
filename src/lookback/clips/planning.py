"""From a range of a session to the plan of a clip: read the indexes, judge the gaps, cut, lay out. Writes nothing."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from lookback.buffer.reader import read_segments, summary
from lookback.clips.facts import gap_fact, iso, range_fact
from lookback.clips.model import Interval
from lookback.clips.pins import SegmentVanishedError
from lookback.clips.record import StoredPlan, store_plan
from lookback.errors import CaptureFailedError, CodecChangeError, GapsError, MalformedError, NoSegmentsError
from lookback.media.clip_mp4 import build_mp4
from lookback.media.clip_webm import build_webm
from lookback.media.cutting import cut, pictures_until_us
from lookback.media.gaps import find_gaps
from lookback.media.segment import CONTAINER_CODEC
from lookback.media.sound import OPUS, sound_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.buffer.reader import Container, Segment, SegmentCache
    from lookback.media.clip_mp4 import Picture
    from lookback.media.cutting import Cut
    from lookback.media.gaps import Gap
    from lookback.media.sound import Sound
    from lookback.media.virtual import ByteRange, VirtualFile

    Builder = Callable[[Cut, Callable[[ByteRange], bytes]], tuple[VirtualFile, Picture]]

_BUILDERS: dict[Container, Builder] = {"mp4": build_mp4, "webm": build_webm}


@dataclass(frozen=True, slots=True)
class Planned:
    """A clip that could be written now. `media` are the media files of `plan.pins`, in order."""

    delivered: Interval
    gaps: tuple[Gap, ...]
    container: Container
    picture: Picture
    audio_codec: str | None
    plan: StoredPlan
    header: bytes
    media: tuple[Path, ...]


class _Range(NamedTuple):
    """The part of the range that there are segments for."""

    segments: list[Segment]
    start_us: int
    end_us: int
    gaps: list[Gap]


def newest_us(directory: Path, now_us: int, cache: SegmentCache | None = None) -> int | None:
    """Up to when it is on disk what a session's screen showed; None when nothing is buffered."""
    segments = read_segments(directory, now_us, cache=cache)
    return max((pictures_until_us(segment.index) for segment in segments), default=None)


def plan_clip(directory: Path, wanted: Interval, *, allow_gaps: bool, cache: SegmentCache | None = None) -> Planned:
    """Plan the clip of `wanted`, as far as it is buffered.

    Raises NoSegmentsError, GapsError for stretches without pictures, CodecChangeError, CaptureFailedError when a
    segment is not what its index says, and SegmentVanishedError when one is gone: then plan again. Blocking: reads
    indexes and headers of frames.
    """
    found = _buffered(directory, wanted, cache)
    missing = [gap for gap in found.gaps if gap.track != "audio"]
    if missing and not allow_gaps:
        raise GapsError("The range has gaps", gaps=[gap_fact(gap) for gap in missing])
    start_us = _after_gap(found)
    used = [s for s in found.segments if s.extent.end_us > start_us and s.extent.earliest_us < found.end_us]
    container = _one_container(used)
    sound = _one_sound(used)
    chosen = cut([segment.index for segment in used], start_us, found.end_us, sound) if container else None
    if container is None or chosen is None:
        raise nothing_buffered(directory, cache)
    file, picture = _built(chosen, used, container)
    names = [segment.media_path.name for segment in used]
    plan, header, sources = store_plan(file, names)
    delivered = Interval(chosen.start_us, chosen.end_us)
    return Planned(
        delivered,
        tuple(find_gaps(found.segments, delivered.start_us, delivered.end_us)),
        container,
        picture,
        sound.codec.value if len(chosen.audio) else None,
        plan,
        header,
        tuple(used[source].media_path for source in sources),
    )


def nothing_buffered(directory: Path, cache: SegmentCache | None = None) -> NoSegmentsError:
    """The error that says what there is instead."""
    there = summary(directory, cache)
    oldest = iso(there.from_us) if there.from_us is not None else None
    newest = iso(there.until_us) if there.until_us is not None else None
    return NoSegmentsError("No segments found in specified time range", oldestAvailable=oldest, newestAvailable=newest)


def _buffered(directory: Path, wanted: Interval, cache: SegmentCache | None) -> _Range:
    # Read beyond the end too: a gap that the range ends in shows only by the segment after it.
    segments = read_segments(directory, wanted.start_us, cache=cache)
    if not segments:
        raise nothing_buffered(directory, cache)
    start_us = max(wanted.start_us, segments[0].extent.start_us)
    end_us = min(wanted.end_us, max(segment.extent.end_us for segment in segments))
    if start_us >= end_us:
        raise nothing_buffered(directory, cache)
    return _Range(segments, start_us, end_us, find_gaps(segments, start_us, end_us))


def _after_gap(found: _Range) -> int:
    """The start, moved out of a stretch for which there is nothing at all."""
    start_us = found.start_us
    for gap in found.gaps:
        if gap.track == "all" and gap.start_us <= start_us < gap.end_us:
            start_us = gap.end_us
    return start_us


def _one_container(segments: list[Segment]) -> Container | None:
    """The container of all segments, None without segments; raises CodecChangeError when there are several."""
    stretches = [(container, list(group)) for container, group in groupby(segments, key=lambda s: s.container)]
    if len(stretches) > 1:
        ranges = [
            range_fact(group[0].extent.start_us, group[-1].extent.end_us, CONTAINER_CODEC[container])
            for container, group in stretches
        ]
        raise CodecChangeError("The codec changes inside the range; save the parts one by one", ranges=ranges)
    return stretches[0][0] if stretches else None


def _one_sound(segments: list[Segment]) -> Sound:
    """The audio of all segments; raises CodecChangeError when it changes, and what `plan_clip` raises."""
    stretches: list[tuple[Sound, list[Segment]]] = []
    for _, run in groupby(segments, key=lambda s: s.index.header.run_id):
        group = list(run)
        sound = _sound(group[0])
        if sound is None:
            continue
        if stretches and stretches[-1][0] == sound:
            stretches[-1][1].extend(group)
        else:
            stretches.append((sound, group))
    if len(stretches) > 1:
        ranges = [
            range_fact(group[0].extent.start_us, group[-1].extent.end_us, sound.codec) for sound, group in stretches
        ]
        raise CodecChangeError("The audio codec changes inside the range; save the parts one by one", ranges=ranges)
    return stretches[0][0] if stretches else OPUS


def _sound(segment: Segment) -> Sound | None:
    try:
        with io.FileIO(segment.media_path) as file:
            return sound_of(file.read(segment.index.header.init_size) or b"")
    except FileNotFoundError as error:
        raise SegmentVanishedError from error
    except MalformedError as error:
        raise CaptureFailedError("A segment is not what its index says") from error


def _built(chosen: Cut, segments: list[Segment], container: Container) -> tuple[VirtualFile, Picture]:
    opened: dict[int, io.FileIO] = {}

    def peek(where: ByteRange) -> bytes:
        if where.segment not in opened:
            opened[where.segment] = io.FileIO(segments[where.segment].media_path)
        data = os.pread(opened[where.segment].fileno(), where.length, where.offset)
        if len(data) < where.length:
            raise MalformedError("The segment is shorter than its index")
        return data

    try:
        return _BUILDERS[container](chosen, peek)
    except FileNotFoundError as error:
        raise SegmentVanishedError from error
    except MalformedError as error:
        raise CaptureFailedError("A segment is not what its index says") from error
    finally:
        for file in opened.values():
            file.close()
