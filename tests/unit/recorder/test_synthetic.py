from __future__ import annotations

import asyncio
from itertools import islice, pairwise, takewhile
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.errors import MalformedError
from lookback.media.h264 import parameter_sets
from lookback.media.samples import Codec
from lookback.recorder.synthetic import (
    AUDIO_RATE,
    PACKET_US,
    SECOND_US,
    Share,
    beep,
    frames,
    instant_of,
    length_prefixed,
    number_at,
)
from lookback.recorder.synthetic_picture import Scene, draw_barcode, read_barcode
from lookback.recorder.synthetic_pipe import SourceFrame, pack_frame, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

START_US = 1_795_384_759_123_456
SMALL = Share(width=320, height=180)


def generated(seconds: float, share: Share = SMALL) -> list[SourceFrame]:
    end_us = START_US + seconds * SECOND_US
    return list(takewhile(lambda frame: frame.dts_us < end_us, frames(share, START_US)))


def video(found: list[SourceFrame]) -> list[SourceFrame]:
    return [frame for frame in found if frame.codec is not Codec.OPUS]


def decoded(found: list[SourceFrame]) -> Iterator[Any]:
    codec = found[0].codec
    decoder = av.CodecContext.create("h264" if codec is Codec.H264 else "vp8", "r")
    for frame in found:
        yield from decoder.decode(av.Packet(annex_b(frame.data) if codec is Codec.H264 else frame.data))
    yield from decoder.decode(None)


def annex_b(data: bytes) -> bytes:
    at, units = 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        units.append(b"\0\0\0\1" + data[at + 4 : at + 4 + size])
        at += 4 + size
    return b"".join(units)


@given(st.integers(0, 0xFFFF), st.sampled_from([(320, 180), (640, 360), (1280, 720), (1920, 1080)]))
def test_a_barcode_can_be_read_back(number: int, size: tuple[int, int]) -> None:
    luma = np.full(size[::-1], 100, np.uint8)
    draw_barcode(luma, number)
    assert read_barcode(luma) == number


@given(st.integers(0, 2**51), st.sampled_from([1, 15, 24, 25, 30, 60]))
def test_the_number_of_a_frame_and_its_instant_belong_together(at_us: int, fps: int) -> None:
    number = number_at(at_us, fps)
    assert number_at(instant_of(number, fps), fps) == number
    assert 0 <= at_us - instant_of(number, fps) <= SECOND_US / fps


@pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])
def test_every_picture_tells_its_own_time(codec: Codec) -> None:
    found = video(generated(1.0, Share(codec, 320, 180)))
    numbers = [read_barcode(picture.to_ndarray(format="gray")) for picture in decoded(found)]
    assert numbers == [number_at(frame.dts_us, 30) & 0xFFFF for frame in found]
    assert len(numbers) == 30


def test_it_starts_with_a_key_frame_and_has_one_in_every_two_seconds() -> None:
    keys = [frame.dts_us for frame in video(generated(5.0)) if frame.key]
    assert keys[0] < START_US + 40_000
    assert [at_us // SECOND_US % 2 for at_us in keys[1:]] == [0] * (len(keys) - 1)
    assert len(keys) == 4


def test_key_frames_of_h264_carry_their_parameter_sets() -> None:
    first = video(generated(0.1))[0]
    assert None not in parameter_sets(first.data)


def test_sound_has_no_hole_and_keeps_pace_with_the_pictures() -> None:
    found = generated(2.0)
    sound = [frame.dts_us for frame in found if frame.codec is Codec.OPUS]
    assert all(abs(b - a - PACKET_US) <= 1 for a, b in pairwise(sound))
    assert len(sound) == pytest.approx(100, abs=2)


def test_the_pitch_of_the_beep_tells_the_second() -> None:
    for second in (0, 7, 59):
        start_us = (60 * 1000 + second) * SECOND_US
        tone = np.concatenate([beep(start_us + n * PACKET_US) for n in range(5)]).astype(float)
        spectrum = np.abs(np.fft.rfft(tone))
        assert spectrum.argmax() * AUDIO_RATE / len(tone) == pytest.approx(400 + 40 * second, abs=10)
        assert not beep(start_us + 5 * PACKET_US).any()


def test_a_generator_that_falls_behind_leaves_frames_out() -> None:
    now_us = START_US
    source = frames(SMALL, START_US, lambda: now_us)
    list(islice(source, 20))
    now_us = START_US + 10 * SECOND_US
    after = list(islice(source, 40))
    assert min(frame.dts_us for frame in video(after)) >= now_us - 100_000
    sound = [frame.dts_us for frame in after if frame.codec is Codec.OPUS]
    assert min(sound[1:]) >= now_us - 100_000  # the first packet still ends what was heard before


def test_the_scene_draws_only_what_changes_and_still_the_same_picture() -> None:
    moving, fresh = Scene(320, 180), Scene(320, 180)
    for number in range(90):
        moving.draw(number, START_US + number * 33_333)
    fresh.draw(89, START_US + 89 * 33_333)
    assert np.array_equal(moving.planes.y, fresh.planes.y)
    assert np.array_equal(moving.planes.u, fresh.planes.u)


def test_start_codes_of_both_lengths_become_lengths() -> None:
    assert length_prefixed(b"\0\0\0\1ab\0\0\1c") == b"\0\0\0\2ab\0\0\0\1c"


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


FRAMES = [SourceFrame(Codec.VP8, START_US, b"picture", key=True), SourceFrame(Codec.OPUS, -6_500, b"", key=False)]


async def test_frames_cross_the_pipe() -> None:
    reader = reader_of(b"".join(map(pack_frame, FRAMES)))
    assert [await read_frame(reader) for _ in range(3)] == [*FRAMES, None]


@pytest.mark.parametrize("size", range(len(pack_frame(FRAMES[0]))))
async def test_a_pipe_that_ends_in_the_middle_of_a_frame_has_ended(size: int) -> None:
    assert await read_frame(reader_of(pack_frame(FRAMES[0])[:size])) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_frames_or_malformed(data: bytes) -> None:
    async def read() -> None:
        reader = reader_of(data)
        while await read_frame(reader) is not None:
            pass

    try:
        asyncio.run(read())
    except MalformedError:
        return
