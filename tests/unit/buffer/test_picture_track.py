from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lookback.buffer.picture_track import HOLD_US, LONGEST_HOLD_US, PictureTrack
from lookback.media.index import Flag, LossCause, Sample

if TYPE_CHECKING:
    from lookback.media.segment import PendingSample

FRAME = 33_000
MS = 1_000


def a_track(frames: int, *, late_us: int = 0) -> PictureTrack:
    """A track to which frames 33 ms apart have come, each so much later than its instant."""
    track = PictureTrack(12)
    track.begin(0)
    for number in range(frames):
        at_us = number * FRAME
        track.add(at_us, b"x", Flag.NONE if number else Flag.SYNC, at_us + late_us)
    return track


def times(samples: list[PendingSample]) -> list[tuple[int, int]]:
    return [(s.dts_us, s.duration_us) for s in samples]


def spans(notes: list[Sample]) -> list[tuple[int, int, Flag]]:
    return [(n.dts_us, n.dts_us + n.duration_us, n.flags) for n in notes]


def test_the_newest_frame_waits_for_its_successor() -> None:
    track = a_track(3)
    assert times(track.take(2 * FRAME + 1, missing=False).shown) == [(0, FRAME), (FRAME, FRAME)]
    track.add(3 * FRAME, b"x", Flag.NONE, 3 * FRAME)
    assert times(track.take(3 * FRAME, missing=False).shown) == [(2 * FRAME, FRAME)]


def test_it_waits_half_a_second_and_its_duration_is_an_estimate() -> None:
    track = a_track(1)
    assert track.take(HOLD_US - 1, missing=False).shown == []
    (sample,) = track.take(HOLD_US, missing=False).shown
    assert (sample.duration_us, sample.flags) == (HOLD_US, Flag.SYNC | Flag.ESTIMATED)


def test_nothing_is_estimated_while_packets_are_missing() -> None:
    track = a_track(1)
    assert track.take(LONGEST_HOLD_US - 1, missing=True).shown == []
    assert track.take(LONGEST_HOLD_US, missing=True).shown != []


def test_frames_that_come_late_wait_no_shorter() -> None:
    track = a_track(3, late_us=700 * MS)
    taken = track.take(2 * FRAME + 700 * MS, missing=False).shown
    assert times(taken) == [(0, FRAME), (FRAME, FRAME)]
    (sample,) = track.take(2 * FRAME + 1_200 * MS, missing=False).shown
    assert sample.duration_us == HOLD_US


def test_a_picture_that_stands_still_is_said_to() -> None:
    track = a_track(1)
    track.take(HOLD_US, missing=False)
    assert track.take(HOLD_US + 400 * MS, missing=True) == ([], [], [])
    held = track.take(HOLD_US + 500 * MS, missing=False)
    assert spans(held.notes) == [(500 * MS, 800 * MS, Flag.HELD)]


def test_what_a_given_up_packet_costs_begins_where_its_frame_was_expected() -> None:
    track = a_track(3)
    track.take(2 * FRAME + HOLD_US, missing=False)  # the outage looked like a still picture at first
    track.miss(5_000 * MS)
    track.add(5_000 * MS, b"x", Flag.REFERENCE_LOST, 5_000 * MS)
    track.add(5_033 * MS, b"x", Flag.SYNC, 5_033 * MS)
    taken = track.take(5_033 * MS, missing=False)
    assert spans(taken.notes) == [(3 * FRAME, 5_000 * MS, Flag.REFERENCE_LOST)]
    assert times(taken.hidden) == [(5_000 * MS, 33 * MS)]


def test_a_loss_right_before_a_new_segment_belongs_to_the_old_one() -> None:
    track = a_track(2)
    track.miss(900 * MS)
    taken = track.take_all(900 * MS, 900 * MS)
    assert times(taken.shown) == [(0, FRAME), (FRAME, 900 * MS - FRAME)]
    assert spans(taken.notes) == [(2 * FRAME, 900 * MS, Flag.REFERENCE_LOST)]
    track.begin(900 * MS)
    track.add(900 * MS, b"x", Flag.SYNC, 900 * MS)
    assert track.take(2_000 * MS, missing=False).notes == []


def test_what_the_disk_refused_is_lost_from_the_last_commit_on() -> None:
    track = a_track(3)
    track.take(2 * FRAME, missing=False)
    track.committed()
    track.add(3 * FRAME, b"x", Flag.NONE, 3 * FRAME)
    track.take(3 * FRAME, missing=False)
    track.interrupt()
    track.begin(4_000 * MS)
    track.add(4_000 * MS, b"x", Flag.SYNC, 4_000 * MS)
    (note,) = track.take(4_000 * MS, missing=False).notes
    assert (note.dts_us, note.dts_us + note.duration_us, note.cts_us) == (2 * FRAME, 4_000 * MS, LossCause.STORAGE)


def test_the_end_of_a_run_is_said_as_far_as_its_publisher_lived() -> None:
    track = a_track(2)
    (*_, last) = track.take_all(200 * MS).shown
    assert (last.duration_us, last.flags) == (200 * MS - FRAME, Flag.NONE)
    assert track.take_all(200 * MS + 1).notes == []
    assert spans(track.take_all(900 * MS).notes) == [(200 * MS, 900 * MS, Flag.HELD)]


@given(
    st.lists(
        st.tuples(st.integers(-50, 900), st.integers(0, 300), st.booleans(), st.booleans(), st.booleans()), max_size=30
    )
)
def test_every_frame_comes_out_once_in_order_without_a_hole(
    steps: list[tuple[int, int, bool, bool, bool]],
) -> None:
    track = PictureTrack(12)
    track.begin(0)
    at_us = clock_us = 0
    out: list[PendingSample] = []
    for step_ms, late_ms, lost, flush, missing in [(0, 0, False, False, False), *steps]:
        at_us = track.growing(at_us + step_ms * MS)
        clock_us = max(clock_us, at_us + late_ms * MS)
        track.add(at_us, b"x", Flag.REFERENCE_LOST if lost else Flag.NONE, clock_us)
        if flush:
            taken = track.take(clock_us, missing=missing)
            out += sorted([*taken.shown, *taken.hidden], key=lambda s: s.dts_us)
    taken = track.take_all(clock_us)
    out += sorted([*taken.shown, *taken.hidden], key=lambda s: s.dts_us)
    assert len(out) == len(steps) + 1
    for before, after in pairwise(out):
        assert after.dts_us >= before.dts_us + 12
        assert before.dts_us + before.duration_us == after.dts_us or before.flags & Flag.ESTIMATED
    assert out[-1].duration_us > 0


def test_everything_known_is_written_at_once_and_nothing_is_estimated() -> None:
    track = a_track(3)
    taken = track.take_all(3 * FRAME, 3 * FRAME)
    assert times(taken.shown) == [(0, FRAME), (FRAME, FRAME), (2 * FRAME, FRAME)]
    assert [sample.flags & Flag.ESTIMATED for sample in taken.shown] == [0, 0, 0]


def test_a_file_that_is_lost_is_lost_from_where_the_one_before_it_ended() -> None:
    track = a_track(3)
    track.take_all(500 * MS, 500 * MS)
    track.miss(10_000 * MS, LossCause.FILE)
    track.add(10_000 * MS, b"x", Flag.SYNC, 10_000 * MS)
    (note,) = track.take(10_000 * MS, missing=False).notes
    assert (note.dts_us, note.dts_us + note.duration_us, note.cts_us) == (500 * MS, 10_000 * MS, LossCause.FILE)


def test_what_is_lacking_of_pictures_that_have_come_is_noted_beside_them() -> None:
    track = a_track(3)
    track.lack(0, 2 * FRAME, LossCause.SOUND)
    taken = track.take_all(3 * FRAME, 3 * FRAME)
    assert len(taken.shown) == 3
    assert [(note.dts_us, note.duration_us, note.cts_us) for note in taken.notes] == [(0, 2 * FRAME, LossCause.SOUND)]


def test_frames_keep_how_much_later_they_are_shown() -> None:
    track = a_track(1)
    track.add(FRAME, b"x", Flag.NONE, FRAME, cts_us=2 * FRAME)
    assert [sample.cts_us for sample in track.take_all(2 * FRAME, 2 * FRAME).shown] == [0, 2 * FRAME]
