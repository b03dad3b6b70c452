"""Every frame of every cut, decoded, against what was recorded; and its sound against the picture."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import (
    AUDIO_STEP_US,
    START_US,
    Shown,
    decoded,
    decoded_audio,
    frame_data,
    record,
    writer_for,
)
from tests.support.pictures import beeps, duration
from tests.support.saved import cut_segments

from lookback.buffer.reader import Segment, read_segments

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.media.cutting import Cut

SECOND = 1_000_000
CODECS = ["h264", "vp8"]
TOLERANCE_US = {"h264": 20, "vp8": 1_001}  # MP4 counts in 90 kHz, WebM in milliseconds


def shape(codec: str, **more: int) -> ClipShape:
    return ClipShape(codec=codec, seconds=8, gop=45, **more)  # type: ignore[arg-type]


def check_every_frame(codec: str, made: Cut, data: bytes, recorded: list[Shown]) -> None:
    on_screen = max(n for n, frame in enumerate(recorded) if frame.dts_us <= made.start_us)
    wanted = [frame for frame in recorded[on_screen:] if frame.dts_us < made.end_us]
    shown = decoded(data)
    assert [number for _, number in shown] == [frame.number for frame in wanted]
    for (seconds, _), frame in zip(shown, wanted, strict=True):
        assert abs(seconds * SECOND - max(frame.dts_us - made.start_us, 0)) <= TOLERANCE_US[codec]


def check_sound(made: Cut, data: bytes) -> None:
    """Every beep starts with a second of the recording, give or take a packet and the decoder's fade-in."""
    for beep in beeps(data):
        at_us = made.start_us - START_US + beep.at * SECOND
        if beep.at < 0.08:
            continue  # the cut fell into this beep
        assert abs(at_us - round(at_us / SECOND) * SECOND) < 30_000, beep
        assert beep.second == round(at_us / SECOND) % 8
    sound = decoded_audio(data)
    assert abs(len(sound) / 48_000 * SECOND - (made.end_us - made.start_us)) <= 2 * AUDIO_STEP_US + 1_000


@pytest.mark.parametrize("codec", CODECS)
def test_random_cuts_show_exactly_what_was_recorded(codec: str, tmp_path: Path) -> None:
    recorded = record(tmp_path, encoded_clip(shape(codec)), frames=360)
    segments = read_segments(tmp_path)
    dice = random.Random(codec)
    for _ in range(30):
        start = START_US + dice.randrange(11 * SECOND)
        made, file, data = cut_segments(segments, start, start + dice.randrange(50_000, 4 * SECOND))
        assert made.start_us == start
        assert len(data) == file.size
        check_every_frame(codec, made, data, recorded)
        assert duration(data) == pytest.approx((made.end_us - made.start_us) / SECOND, abs=0.0015)


@pytest.mark.parametrize("codec", CODECS)
def test_the_sound_stays_where_it_was_against_the_picture(codec: str, tmp_path: Path) -> None:
    record(tmp_path, encoded_clip(shape(codec)), frames=360)
    segments = read_segments(tmp_path)
    dice = random.Random(1)
    for _ in range(8):
        start = START_US + dice.randrange(8 * SECOND)
        made, _, data = cut_segments(segments, start, start + dice.randrange(2 * SECOND, 4 * SECOND))
        check_sound(made, data)


@pytest.mark.parametrize("codec", CODECS)
def test_cuts_across_a_reconnect_hold_the_last_picture_and_keep_the_sound_in_place(codec: str, tmp_path: Path) -> None:
    clip = encoded_clip(shape(codec))
    recorded = record(tmp_path, clip, frames=100, run_id=b"run-0001")
    recorded += record(tmp_path, clip, start_us=START_US + 7 * SECOND, frames=100, run_id=b"run-0002")
    segments = read_segments(tmp_path)
    dice = random.Random(2)
    for _ in range(8):
        start = START_US + dice.randrange(3 * SECOND)
        made, _, data = cut_segments(segments, start, START_US + dice.randrange(8 * SECOND, 10 * SECOND))
        check_every_frame(codec, made, data, recorded)
        sound = decoded_audio(data)
        hole = slice(round((START_US + 3.5 * SECOND - start) * 0.048), round((START_US + 6.9 * SECOND - start) * 0.048))
        assert np.abs(sound[hole]).max() < 0.01
        late = [b for b in beeps(data) if b.at * SECOND > START_US + 6.95 * SECOND - start]
        assert [b.second for b in late] == [0, 1, 2][: len(late)]
        assert abs(late[0].at * SECOND - (START_US + 7 * SECOND - start)) < 30_000


@pytest.mark.parametrize("codec", CODECS)
def test_frames_that_refer_to_lost_ones_are_never_shown(codec: str, tmp_path: Path) -> None:
    recorded = record(tmp_path, encoded_clip(shape(codec)), frames=240, lost={50, 51, 130})
    assert len(recorded) == 240 - 40 - 5
    segments = read_segments(tmp_path)
    dice = random.Random(3)
    for start in [START_US + round(60 * SECOND / 30), *(START_US + dice.randrange(6 * SECOND) for _ in range(8))]:
        made, _, data = cut_segments(segments, start, start + 2 * SECOND)
        check_every_frame(codec, made, data, recorded)


@pytest.mark.parametrize("codec", CODECS)
def test_a_missing_segment_is_a_still_picture_in_silence(codec: str, tmp_path: Path) -> None:
    recorded = record(tmp_path, encoded_clip(shape(codec)), frames=360)
    segments = read_segments(tmp_path)
    lost = segments[2].extent
    left = [segment for segment in segments if segment is not segments[2]]
    recorded = [f for f in recorded if not lost.start_us <= f.dts_us < segments[3].extent.start_us]
    made, _, data = cut_segments(left, START_US + 500_000, START_US + 11 * SECOND)
    check_every_frame(codec, made, data, recorded)
    assert all(abs(b.at + 0.5 - round(b.at + 0.5)) < 0.03 for b in beeps(data) if b.at > 0.08)


def test_a_clip_has_the_picture_size_of_its_own_first_key_frame(tmp_path: Path) -> None:
    for codec in CODECS:
        directory = tmp_path / codec
        record(directory, encoded_clip(shape(codec)), frames=60, run_id=b"run-0001")
        record(
            directory,
            encoded_clip(shape(codec, width=480, height=270)),
            start_us=START_US + 2 * SECOND,
            frames=60,
            run_id=b"run-0002",
        )
        segments = read_segments(directory)
        for at, size in ((0, (320, 180)), (2_500_000, (480, 270))):
            _, _, data = cut_segments(segments, START_US + at, START_US + at + SECOND)
            assert header_size(data) == size


def header_size(data: bytes) -> tuple[int, int]:
    with av.open(io.BytesIO(data)) as file:
        return file.streams.video[0].width, file.streams.video[0].height


def test_cuts_of_a_screen_that_stands_still_play_on(tmp_path: Path) -> None:
    """Two frames a second apart, then none for five seconds while the publisher lives."""
    for codec in CODECS:
        clip = encoded_clip(shape(codec))
        directory = tmp_path / codec
        directory.mkdir()
        writer = writer_for(directory, clip)
        recorded = []
        for number, at in enumerate((0, SECOND)):
            key, frame = frame_data(clip, number)
            writer.video(START_US + at, frame, key=key)
            recorded.append(Shown(START_US + at, number))
        for ms in range(1000, 6000, 20):
            writer.tick(START_US + ms * 1000)
        segments = read_segments(directory)
        for start in (100_000, 1_500_000, 3_000_000):
            made, _, data = cut_segments(segments, START_US + start, START_US + 5 * SECOND)
            assert made.end_us == START_US + 5 * SECOND
            check_every_frame(codec, made, data, recorded)


def test_segments_may_be_read_while_they_are_written(tmp_path: Path) -> None:
    recorded = record(tmp_path, encoded_clip(shape("h264")), frames=75, close=False)
    segments: list[Segment] = read_segments(tmp_path)
    made, _, data = cut_segments(segments, START_US + 100_000, START_US + 60 * SECOND)
    assert made.end_us >= START_US + 1_500_000
    check_every_frame("h264", made, data, recorded)
