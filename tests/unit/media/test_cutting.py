from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.segments import SegmentBuilder, a_segment, pictures, sounds

from lookback.media.cutting import Cut, cut
from lookback.media.index import Flag
from lookback.media.samples import Track

T = 1_795_384_759_000_000
SECOND = 1_000_000


def times(made: Cut) -> list[int]:
    return [int(t) - T for t in made.video.dts_us]


def must(made: Cut | None) -> Cut:
    assert made is not None
    return made


def heard(made: Cut) -> list[tuple[int, int]]:
    """Start and end of everything audible, silence included, in order."""
    real = zip(made.audio.dts_us.tolist(), made.audio.duration_us.tolist(), strict=True)
    filled = []
    for group in made.silence:
        at = group.start_us
        for us, _ in group.packets:
            filled.append((at, us))
            at += us
    return sorted((at - T, at - T + us) for at, us in [*real, *filled])


def test_the_video_begins_at_the_key_frame_before_the_start() -> None:
    made = must(cut([a_segment(T)], T + 1_250_000, T + 1_500_000))
    assert times(made) == [1_000_000, 1_100_000, 1_200_000, 1_300_000, 1_400_000]
    assert made.video.sync.tolist() == [True, False, False, False, False]


def test_the_picture_on_screen_at_the_start_is_the_first_one_shown() -> None:
    assert must(cut([a_segment(T)], T + 1_250_000, T + 1_500_000)).hidden == 2
    assert must(cut([a_segment(T)], T + 1_300_000, T + 1_500_000)).hidden == 3
    assert must(cut([a_segment(T)], T + 1_000_000, T + 1_500_000)).hidden == 0


def test_audio_starts_with_the_first_packet_at_or_after_the_start() -> None:
    made = must(cut([a_segment(T)], T + 1_250_001, T + 1_300_000))
    assert [int(t) - T for t in made.audio.dts_us] == [1_260_000, 1_280_000]
    assert made.silence == ()


def test_the_lead_in_may_be_in_the_segment_before() -> None:
    first = SegmentBuilder().fragment(*pictures(T, 10, key_every=20)).index()
    second = SegmentBuilder().fragment(*pictures(T + SECOND, 10, key_every=20)[1:]).index()
    made = must(cut([first, second], T + 1_250_000, T + 1_350_000))
    assert times(made)[0] == 0
    assert made.hidden == 11


def test_a_start_before_the_first_key_frame_moves_to_it() -> None:
    made = must(cut([a_segment(T)], T - 5 * SECOND, T + SECOND))
    assert (made.start_us, made.hidden) == (T, 0)


def test_the_end_moves_to_the_newest_sample() -> None:
    assert must(cut([a_segment(T)], T, T + 60 * SECOND)).end_us == T + 2 * SECOND


def test_a_picture_that_stands_still_is_held_to_the_end() -> None:
    held = (Track.VIDEO, T + SECOND, 9 * SECOND, Flag.HELD)
    segment = SegmentBuilder().fragment(*pictures(T, 10)).fragment(held).index()
    made = must(cut([segment], T + 5 * SECOND, T + 8 * SECOND))
    assert (made.hidden, len(made.video), made.end_us) == (9, 10, T + 8 * SECOND)


def test_frames_whose_references_are_lost_and_notes_are_left_out() -> None:
    rows = pictures(T, 20)
    rows[5:10] = [(track, dts, us, Flag.REFERENCE_LOST) for track, dts, us, _ in rows[5:10]]
    note = (Track.VIDEO, T + 400_000, 100_000, Flag.HELD)
    made = must(cut([SegmentBuilder().fragment(*rows, note).index()], T, T + 2 * SECOND))
    assert times(made) == [n * 100_000 for n in (*range(5), *range(10, 20))]


@pytest.mark.parametrize(
    ("start", "end"), [(T + 2 * SECOND, T + 3 * SECOND), (T + 9 * SECOND, T + 8 * SECOND), (T - 9, T - 5)]
)
def test_nothing_is_made_of_a_range_without_pictures(start: int, end: int) -> None:
    assert cut([a_segment(T)], start, end) is None


def test_nothing_is_made_of_no_segments_or_sound_alone() -> None:
    assert cut([], T, T + SECOND) is None
    assert cut([SegmentBuilder().fragment(*sounds(T, 50)).index()], T, T + SECOND) is None


def test_the_hole_between_two_runs_is_silent_and_shows_the_last_picture() -> None:
    runs = [a_segment(T), a_segment(T + 10 * SECOND, run_id=b"run-0002")]
    made = must(cut(runs, T + SECOND, T + 11 * SECOND))
    sound = heard(made)
    assert sound[0][0] == SECOND
    assert sound[-1][1] == 11 * SECOND
    assert [b[0] - a[1] for a, b in pairwise(sound)] == [0] * (len(sound) - 1)
    assert times(made)[10:12] == [10 * SECOND, 10_100_000]


def test_a_run_without_sound_between_two_with_it_is_silent() -> None:
    runs = [
        a_segment(T),
        a_segment(T + 2 * SECOND, run_id=b"run-0002", audio=False),
        a_segment(T + 4 * SECOND, run_id=b"run-0003"),
    ]
    sound = heard(must(cut(runs, T, T + 6 * SECOND)))
    assert (sound[0][0], sound[-1][1]) == (0, 6 * SECOND)
    assert all(b[0] == a[1] for a, b in pairwise(sound))


def test_sound_that_comes_late_has_silence_before_it() -> None:
    runs = [a_segment(T, audio=False), a_segment(T + 2 * SECOND, run_id=b"run-0002")]
    sound = heard(must(cut(runs, T + 500_000, T + 4 * SECOND)))
    assert sound[0][0] == 500_000


def test_no_silence_is_made_up_where_there_is_no_sound_at_all() -> None:
    made = must(cut([a_segment(T, audio=False)], T, T + SECOND))
    assert (len(made.audio), made.silence) == (0, ())


def test_where_runs_overlap_the_newer_one_counts() -> None:
    runs = [a_segment(T), a_segment(T + 1_450_000, run_id=b"run-0002")]
    made = must(cut(runs, T, T + 3 * SECOND))
    assert times(made) == [*range(0, 1_450_000, 100_000), *range(1_450_000, 3_000_000, 100_000)]
    sound = heard(made)
    assert all(b[0] >= a[1] - 20_000 for a, b in pairwise(sound))


def test_positions_name_the_segment_in_the_list_that_was_given() -> None:
    segments = [a_segment(T + n * 2 * SECOND) for n in range(5)]
    made = must(cut(segments, T + 6_100_000, T + 8_500_000))
    assert set(made.video.segment.tolist()) == {3, 4}
    assert made.first_key == (3, 1100, 10)


@given(st.integers(-3, 13), st.integers(-3, 13), st.integers(0, 999_999), st.integers(0, 999_999))
def test_any_range_is_cut_at_a_key_frame_and_shows_what_was_on_screen(a: int, b: int, x: int, y: int) -> None:
    segments = [a_segment(T + n * 2 * SECOND) for n in range(5)]
    start, end = sorted((T + a * SECOND + x, T + b * SECOND + y))
    made = cut(segments, start, end)
    if made is None:
        assert end <= T or start >= T + 10 * SECOND or start == end
        return
    assert (made.start_us, made.end_us) == (max(start, T), min(end, T + 10 * SECOND))
    assert bool(made.video.sync[0])
    shown = int(made.video.dts_us[made.hidden])
    assert shown <= made.start_us < shown + 100_000
    assert (made.video.dts_us[made.hidden + 1 :] > made.start_us).all()
    assert (made.video.dts_us < made.end_us).all()
    assert len(made.video) - made.hidden == -(-(made.end_us - shown) // 100_000)
    assert ((made.audio.dts_us >= made.start_us) & (made.audio.dts_us < made.end_us)).all()
