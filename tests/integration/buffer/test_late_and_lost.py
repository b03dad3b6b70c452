"""What a network does to the order and the time of samples, as it ends up in segments."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import AUDIO_STEP_US, START_US, decoded, frame_data, writer_for

from lookback.buffer.reader import read_segments, summary
from lookback.media.index import Flag
from lookback.media.samples import Track

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.buffer.writer import RunWriter

SECOND = 1_000_000
FRAME_US = 33_333


def rows(directory: Path, track: Track) -> list[Any]:
    """Records of a track, as they stand in the files."""
    return [r for s in read_segments(directory) for r in s.index.samples if r["track"] == track]


def share(directory: Path, *, seconds: int, video_late_us: int = 0, audio_late_us: int = 0) -> RunWriter:
    """Record a share whose tracks arrive late, in the order of their arrival."""
    clip = encoded_clip()
    writer = writer_for(directory, clip, segment_us=2 * SECOND)
    arrivals = [(at * FRAME_US + video_late_us, Track.VIDEO, at) for at in range(seconds * 30)]
    arrivals += [(at * AUDIO_STEP_US + audio_late_us, Track.AUDIO, at) for at in range(seconds * 50)]
    for arrival_us, track, at in sorted(arrivals):
        if track is Track.VIDEO:
            key, data = frame_data(clip, at)
            writer.video(START_US + at * FRAME_US, data, key=key)
        else:
            writer.audio(START_US + at * AUDIO_STEP_US, clip.audio[at % len(clip.audio)])
        writer.tick(START_US + arrival_us)
    writer.close(START_US + seconds * SECOND)
    return writer


def test_pictures_a_second_behind_their_sound_are_written_as_usual(tmp_path: Path) -> None:
    writer = share(tmp_path, seconds=8, video_late_us=900_000)
    pictures = rows(tmp_path, Track.VIDEO)
    assert len(pictures) == 240
    assert sum(1 for r in pictures if r["flags"] & Flag.ESTIMATED) == 0
    assert writer.stats.fragments < 24


def test_sound_a_second_behind_its_pictures_is_kept(tmp_path: Path) -> None:
    writer = share(tmp_path, seconds=8, audio_late_us=900_000)
    sound = [r for r in rows(tmp_path, Track.AUDIO) if not r["flags"] & Flag.FILLER]
    assert len(sound) > 400 - 50 - 25
    assert writer.stats.fragments < 24


@pytest.mark.parametrize(("video_late_us", "audio_late_us"), [(300_000, 0), (0, 300_000)])
def test_sound_goes_on_over_the_border_of_segments(tmp_path: Path, video_late_us: int, audio_late_us: int) -> None:
    share(tmp_path, seconds=8, video_late_us=video_late_us, audio_late_us=audio_late_us)
    assert len(read_segments(tmp_path)) == 3
    sound = rows(tmp_path, Track.AUDIO)
    for before, after in pairwise(sound):
        step_us = int(after["dts_us"]) - int(before["dts_us"])
        assert 0 < step_us <= 20_000


def test_nothing_is_estimated_while_packets_are_missing_although_sound_goes_on(tmp_path: Path) -> None:
    clip = encoded_clip()
    writer = writer_for(tmp_path, clip)
    for at in range(10):
        key, data = frame_data(clip, at)
        writer.video(START_US + at * FRAME_US, data, key=key)
    for at in range(70):
        writer.audio(START_US + at * AUDIO_STEP_US, clip.audio[at])
        writer.tick(START_US + at * AUDIO_STEP_US, missing=at > 15)
    written = writer.stats.fragments
    key, data = frame_data(clip, 10)
    writer.video(START_US + 10 * FRAME_US, data, key=key)  # a packet that came again completes it
    writer.close(START_US + 11 * FRAME_US)
    assert written <= 4
    (*repaired, _) = rows(tmp_path, Track.VIDEO)
    assert [r["duration_us"] for r in repaired] == [FRAME_US] * 10


@pytest.mark.parametrize("key_after", [0, 20], ids=["key frame at once", "key frame later"])
def test_an_outage_is_a_gap_from_its_beginning(tmp_path: Path, key_after: int) -> None:
    clip = encoded_clip()
    writer = writer_for(tmp_path, clip, segment_us=60 * SECOND)
    resumed = 210 - key_after
    for at in [*range(60), *range(resumed, 240)]:
        key, data = frame_data(clip, at)
        writer.video(START_US + at * FRAME_US, data, key=key, reference_lost=60 < at < 210, discontinuity=at == resumed)
    writer.close(START_US + 240 * FRAME_US)
    (gap,) = summary(tmp_path).gaps
    assert (gap.start_us, gap.end_us) == (START_US + 60 * FRAME_US, START_US + 210 * FRAME_US)
    assert gap.cause == "loss"


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_a_publisher_may_pause_for_minutes(tmp_path: Path, codec: str) -> None:
    clip = encoded_clip(ClipShape(codec="vp8" if codec == "vp8" else "h264"))
    writer = writer_for(tmp_path, clip, segment_us=600 * SECOND)
    for at in range(60):
        instant_us = START_US + at * FRAME_US + (100 * SECOND if at >= 20 else 0)
        key, data = frame_data(clip, at)
        writer.video(instant_us, data, key=key)
        writer.audio(instant_us, clip.audio[at])
    writer.close(START_US + 103 * SECOND)
    (segment,) = read_segments(tmp_path)
    assert [number for _, number in decoded(segment.media_path)] == list(range(60))
    for before, after in pairwise(rows(tmp_path, Track.AUDIO)):
        assert int(after["dts_us"]) - int(before["dts_us"]) - int(before["duration_us"]) < 15_000
