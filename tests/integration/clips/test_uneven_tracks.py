"""Cuts near the borders of segments, of shares whose pictures and sound do not arrive equally late."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape, EncodedClip, encoded_clip
from tests.support.media import AUDIO_STEP_US, START_US, frame_data, writer_for
from tests.support.saved import cut_segments

from lookback.buffer.reader import read_segments
from lookback.media.samples import Track

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000
FRAME_US = 33_333


def arrivals(clip: EncodedClip, *, pictures_late: int, keys_late: int, sound_late: int) -> list[tuple[int, Track, int]]:
    """When the samples of eight seconds arrive, in that order; a late key frame holds up the frames behind it."""
    found, road_free_us = [], 0
    for at in range(240):
        late_us = keys_late if frame_data(clip, at)[0] else pictures_late
        road_free_us = max(road_free_us, at * FRAME_US + late_us)
        found.append((road_free_us, Track.VIDEO, at))
    found += [(at * AUDIO_STEP_US + sound_late, Track.AUDIO, at) for at in range(400)]
    return sorted(found)


@pytest.mark.parametrize("codec", ["h264", "vp8"])
@pytest.mark.parametrize(
    "late",
    [
        {"pictures_late": 300_000, "keys_late": 300_000, "sound_late": 0},
        {"pictures_late": 0, "keys_late": 300_000, "sound_late": 0},
        {"pictures_late": 0, "keys_late": 0, "sound_late": 300_000},
    ],
    ids=["pictures", "key frames", "sound"],
)
def test_sound_is_whole_wherever_a_clip_begins_or_ends(tmp_path: Path, codec: str, late: dict[str, int]) -> None:
    clip = encoded_clip(ClipShape(codec="vp8" if codec == "vp8" else "h264"))
    writer = writer_for(tmp_path, clip)
    for arrival_us, track, at in arrivals(clip, **late):
        if track is Track.VIDEO:
            key, data = frame_data(clip, at)
            writer.video(START_US + at * FRAME_US, data, key=key)
        else:
            writer.audio(START_US + at * AUDIO_STEP_US, clip.audio[at % len(clip.audio)])
        writer.tick(START_US + arrival_us)
    writer.close(START_US + 8 * SECOND)
    borders = [segment.extent.start_us for segment in read_segments(tmp_path)[1:]]
    for border, near in ((b, o) for b in borders for o in range(-400_000, 400_001, 100_000)):
        for start, end in ((border + near, border + near + SECOND), (border + near - SECOND, border + near)):
            segments = read_segments(tmp_path, start, end)
            made, _, _ = cut_segments(segments, start, end)
            times = [start - AUDIO_STEP_US, *made.audio.dts_us.tolist(), min(end, made.end_us)]
            assert max(b - a for a, b in pairwise(times)) <= 2 * AUDIO_STEP_US
