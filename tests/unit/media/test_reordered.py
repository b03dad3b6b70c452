"""Pictures that are shown in another order than they are decoded: what a clip of them is made of, and when it shows."""

from __future__ import annotations

import struct
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.encoded_clip import encoded_clip
from tests.support.media import length_prefixed
from tests.support.mp4_tables import Tables, read_tables
from tests.support.segments import INIT_SIZE

from lookback.media import mp4
from lookback.media.aac import AacConfig
from lookback.media.clip_mp4 import build_mp4
from lookback.media.cutting import Cut, cut
from lookback.media.index import Flag, Sample, SegmentHeader, SegmentIndex, fragment_records, parse_index
from lookback.media.samples import Codec, Track
from lookback.media.segment import Fmp4Format, PendingSample
from lookback.media.sound import AacSound
from lookback.media.virtual import ByteRange

T = 1_795_384_759_000_000
STEP = 40_000
SECOND = 1_000_000
KEY_FRAME = length_prefixed(encoded_clip().video[0][1])
USUAL = [0, 4, 2, 1, 3, 8, 6, 5, 7]
"""In the order of decoding, the place at which each picture is shown: I P B b b P B b b."""


def a_segment(gops: list[list[int]], run_id: bytes = b"run-0001", first: int = 0) -> SegmentIndex:
    """One fragment of these groups, each of which begins with a key frame; a picture lasts 40 ms."""
    rows: list[Sample] = []
    for gop in gops:
        begin = first + len(rows)
        for slot, place in enumerate(gop):
            at_us, flags = T + (begin + slot) * STEP, Flag.NONE if slot else Flag.SYNC
            rows.append(Sample(Track.VIDEO, at_us, STEP, INIT_SIZE + len(rows) * 10, 10, flags, (place - slot) * STEP))
    header = SegmentHeader(INIT_SIZE, 640, 360, rows[0].dts_us, run_id).pack()
    return parse_index(header + fragment_records(0, INIT_SIZE, bytes(len(rows) * 10), rows), INIT_SIZE + len(rows) * 10)


def built(segments: list[SegmentIndex], start_us: int, end_us: int) -> tuple[Cut, Tables]:
    made = cut(segments, start_us, end_us)
    assert made is not None
    file, _ = build_mp4(made, lambda _: KEY_FRAME)
    header = file.pieces[0]
    assert isinstance(header, bytes)
    (video,) = read_tables(header)
    return made, video


def seen(made: Cut, video: Tables) -> list[tuple[int, int]]:
    """What a player shows: (ticks from the start, place of the picture), by the file's own tables."""
    ((length, skipped),) = video.edits
    decoded = [0, *accumulate(video.durations)]
    later = video.later or [0] * len(video.sizes)
    shown = sorted((at + late - skipped, row) for row, (at, late) in enumerate(zip(decoded, later, strict=False)))
    places = ((made.video.shown_us - T) // STEP).tolist()
    return [(at, places[row]) for at, row in shown if 0 <= at < length]


def test_a_clip_of_everything_shows_everything_in_order() -> None:
    made, video = built([a_segment([USUAL])], T, T + 9 * STEP)
    assert seen(made, video) == [(place * 3600, place) for place in range(9)]
    assert made.hidden == 0


def test_a_start_between_frames_shows_the_one_that_was_on_screen() -> None:
    made, video = built([a_segment([USUAL])], T + 5 * STEP + 10_000, T + 9 * STEP)
    assert [place for _, place in seen(made, video)] == [5, 6, 7, 8]
    assert [at for at, _ in seen(made, video)] == [0, 2700, 6300, 9900]
    assert made.hidden == 5


def test_what_is_decoded_in_the_range_and_shown_after_it_is_there_and_not_seen() -> None:
    made, video = built([a_segment([USUAL])], T, T + 2 * STEP)
    assert ((made.video.shown_us - T) // STEP).tolist() == [0, 4, 2, 1], "the second picture needs the fifth"
    assert [place for _, place in seen(made, video)] == [0, 1]


def test_pictures_in_the_usual_order_need_no_table_for_it() -> None:
    _, video = built([a_segment([[0, 1, 2, 3]])], T, T + 4 * STEP)
    assert b"ctts" not in video.boxes
    assert video.later == []


ORDERS = st.lists(st.integers(0, 2), min_size=2, max_size=10).map(
    lambda swaps: [0, *(place + 1 for place in _swapped(swaps))]
)


def _swapped(moves: list[int]) -> list[int]:
    """Places from 0 on, some decoded later than they would be in order, as encoders do."""
    left = list(range(len(moves)))
    return [left.pop(min(move, len(left) - 1)) for move in moves]


@settings(max_examples=150)
@given(st.lists(ORDERS, min_size=1, max_size=4), st.data())
def test_any_range_shows_what_was_on_screen_in_it(gops: list[list[int]], data: st.DataObject) -> None:
    total = sum(map(len, gops))
    start = data.draw(st.integers(0, total * STEP // 100 - 1)) * 100  # in steps of nine ticks
    end = data.draw(st.integers(start // 100 + 1, total * STEP // 100)) * 100
    made, video = built([a_segment(gops)], T + start, T + end)
    on_screen = [place for place in range(total) if place * STEP < end and (place + 1) * STEP > start]
    assert [place for _, place in seen(made, video)] == on_screen
    wanted = [(max(0, place * STEP - start) * 9 + 50) // 100 for place in on_screen]
    assert [at for at, _ in seen(made, video)] == pytest.approx(wanted, abs=1)
    assert all(late >= 0 for late in video.later), "nothing is shown before it is decoded"
    assert min(video.durations) >= 1
    ((length, skipped),) = video.edits
    assert sum(video.durations) >= length + skipped, "the edit lies within the media"


def test_groups_in_several_files_are_one_clip() -> None:
    segments = [a_segment([USUAL], first=n * 9) for n in range(3)]
    made, video = built(segments, T + 5 * STEP, T + 22 * STEP)
    assert [place for _, place in seen(made, video)] == list(range(5, 22))
    assert set(made.video.segment.tolist()) == {0, 1, 2}


def test_fragments_say_the_order_with_signs() -> None:
    format_ = Fmp4Format()
    opening = format_.open(KEY_FRAME, audio=AacSound(AacConfig(44_100, 2)))
    video = [
        PendingSample(T + slot * STEP, STEP, b"x", Flag.NONE if slot else Flag.SYNC, cts_us=(place - slot) * STEP)
        for slot, place in enumerate(USUAL)
    ]
    data, records = format_.fragment(1, len(opening.init), video, [], [])
    at = data.index(b"trun") + 4
    version, flags = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
    rows = struct.iter_unpack(">IIIi", data[at + 12 : at + 12 + 16 * len(USUAL)])
    assert (version, flags) == (1, 0xF01)
    assert [late for *_, late in rows] == [(place - slot) * 3600 for slot, place in enumerate(USUAL)]
    assert [record.cts_us for record in records] == [sample.cts_us for sample in video]


def test_a_segment_with_aac_counts_in_its_sample_rate() -> None:
    sound = AacSound(AacConfig(44_100, 2))
    format_ = Fmp4Format()
    init = format_.open(KEY_FRAME, audio=sound).init
    assert sound.entry in init
    packets = [PendingSample(T + n * 23_220, 23_219, b"aac", Flag.SYNC) for n in range(3)]
    data, _ = format_.fragment(1, len(init), [], packets, [])
    at = data.index(b"trun") + 4
    durations = [row[0] for row in struct.iter_unpack(">II", data[at + 12 : at + 12 + 24])]
    assert durations == [1024, 1024, 1024]
    times = mp4.ticks(T, 44_100)
    assert data[data.index(b"tfdt") + 8 : data.index(b"tfdt") + 16] == times.to_bytes(8, "big")


def test_holes_between_aac_are_filled_with_aac() -> None:
    sound = AacSound(AacConfig(44_100, 2))
    video = [
        Sample(Track.VIDEO, T + n * STEP, STEP, INIT_SIZE + n * 10, 10, Flag.NONE if n else Flag.SYNC)
        for n in range(50)
    ]
    heard = [
        Sample(Track.AUDIO, T + us, 23_219, INIT_SIZE + 500 + at * 10, 10, Flag.SYNC)
        for at, us in enumerate((0, 23_220, 1_500_000))
    ]
    header = SegmentHeader(INIT_SIZE, 640, 360, T, b"run-0001").pack()
    index = parse_index(header + fragment_records(0, INIT_SIZE, bytes(530), [*video, *heard]), INIT_SIZE + 530)
    made = cut([index], T, T + 2 * SECOND, sound)
    assert made is not None
    packets = [packet for group in made.silence for packet in group.packets]
    assert {packet for _, packet in packets} == {sound.config.silence}
    assert sum(us for us, _ in packets) == pytest.approx(1_500_000 - 46_439, abs=sound.slack_us)
    file, _ = build_mp4(made, lambda where: KEY_FRAME if isinstance(where, ByteRange) else b"")
    assert isinstance(file.pieces[0], bytes)
    _, audio = read_tables(file.pieces[0])
    assert sum(audio.durations) == pytest.approx((1_500_000 + 23_219) * 44_100 / SECOND, abs=2)
    assert sound.codec is Codec.AAC
