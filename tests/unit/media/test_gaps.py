from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from lookback.media.gaps import Extent, Gap, extent, find_gaps
from lookback.media.index import Flag, LossCause, Sample, SegmentHeader, fragment_records, parse_index
from lookback.media.samples import Track

SECOND = 1_000_000
EVER = 10**15


@dataclass(frozen=True)
class Piece:
    number: int
    extent: Extent


def a_segment(number: int, start: float, end: float, *, run: bytes = b"one", losses: tuple[Gap, ...] = ()) -> Piece:
    return Piece(number, Extent(int(start * SECOND), int(end * SECOND), run, losses))


def a_loss(start: float, end: float, cause: str = "loss") -> Gap:
    return Gap(int(start * SECOND), int(end * SECOND), "video", cause)


def spans(gaps: list[Gap]) -> list[tuple[float, float, str]]:
    return [(g.start_us / SECOND, g.end_us / SECOND, g.cause) for g in gaps]


def test_segments_that_follow_each_other_have_no_gap() -> None:
    assert find_gaps([a_segment(1, 0, 10), a_segment(2, 10.5, 20)], 0, EVER) == []


def test_between_two_runs_is_a_gap() -> None:
    pieces = [a_segment(1, 0, 10), a_segment(2, 16, 20, run=b"two")]
    assert spans(find_gaps(pieces, 0, EVER)) == [(10, 16, "reconnect")]


def test_runs_that_touch_have_none() -> None:
    assert find_gaps([a_segment(1, 0, 10), a_segment(2, 10, 20, run=b"two")], 0, EVER) == []


def test_a_missing_number_is_damage() -> None:
    assert spans(find_gaps([a_segment(1, 0, 10), a_segment(3, 20, 30)], 0, EVER)) == [(10, 20, "damaged")]


def test_only_what_lies_in_the_range_is_returned() -> None:
    pieces = [a_segment(1, 0, 10), a_segment(2, 16, 20, run=b"two")]
    assert spans(find_gaps(pieces, 12 * SECOND, 14 * SECOND)) == [(12, 14, "reconnect")]
    assert find_gaps(pieces, 0, 10 * SECOND) == []


def test_a_loss_ends_where_the_next_segment_starts() -> None:
    pieces = [a_segment(1, 0, 10, losses=(a_loss(9, 10.2),)), a_segment(2, 10, 20)]
    assert spans(find_gaps(pieces, 0, EVER)) == [(9, 10, "loss")]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10), st.booleans()), min_size=1, max_size=6))
def test_gaps_are_ordered_and_within_the_buffer(steps: list[tuple[int, int, bool]]) -> None:
    at, pieces = 0, []
    for number, (pause, length, same) in enumerate(steps):
        at += pause
        pieces.append(a_segment(number, at, at + length, run=b"one" if same else b"two"))
        at += length
    gaps = find_gaps(pieces, 0, EVER)
    assert [g.start_us for g in gaps] == sorted(g.start_us for g in gaps)
    assert all(g.start_us < g.end_us for g in gaps)


def indexed(*rows: Sample) -> Extent:
    header = SegmentHeader(100, 640, 360, 0, b"run-0001")
    data = header.pack() + fragment_records(1, 100, b"", list(rows))
    return extent(parse_index(data, 100))


def video(at: float, *, flags: Flag = Flag.NONE, size: int = 9, length: float = 0.1, cause: int = 0) -> Sample:
    return Sample(Track.VIDEO, int(at * SECOND), int(length * SECOND), 100, size, flags, cause)


def test_a_loss_lasts_until_the_next_key_frame() -> None:
    lost = Flag.REFERENCE_LOST
    seen = indexed(video(0, flags=Flag.SYNC), video(1, flags=lost), video(1.1, flags=lost), video(2, flags=Flag.SYNC))
    assert spans(list(seen.losses)) == [(1, 2, "loss")]


def test_a_note_says_itself_how_long_it_lasts() -> None:
    seen = indexed(
        video(0, flags=Flag.SYNC),
        video(1, flags=Flag.REFERENCE_LOST, size=0, length=3, cause=LossCause.STORAGE),
        video(4, flags=Flag.SYNC),
    )
    assert spans(list(seen.losses)) == [(1, 4, "storage")]
    assert seen.losses[0].track == "all"


def test_a_publisher_who_had_gone_is_one_gap_with_what_follows() -> None:
    gone = video(1, flags=Flag.REFERENCE_LOST, size=0, length=20, cause=LossCause.ABSENCE)
    held = video(1, flags=Flag.HELD, size=0, length=20)
    seen = indexed(video(0, flags=Flag.SYNC), held, gone)
    assert spans(list(seen.losses)) == [(1, 21, "reconnect")]
    assert seen.losses[0].track == "all"


def test_a_still_picture_is_not_a_loss() -> None:
    seen = indexed(video(0, flags=Flag.SYNC), video(1, flags=Flag.HELD, size=0, length=60))
    assert seen.losses == ()
    assert seen.end_us == 61 * SECOND
