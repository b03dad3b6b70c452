from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lookback.buffer.soundtrack import FILL_DELAY_US, Soundtrack
from lookback.media.aac import AacConfig
from lookback.media.index import Flag
from lookback.media.sound import AacSound

if TYPE_CHECKING:
    from lookback.media.segment import PendingSample

PACKET = b"\xfc\xff\xfe"  # 20 ms
LENGTH = 20_000


def ends(samples: list[PendingSample]) -> int:
    return samples[-1].dts_us + samples[-1].duration_us


def real(samples: list[PendingSample]) -> list[int]:
    return [s.dts_us for s in samples if not s.flags & Flag.FILLER]


def a_track() -> Soundtrack:
    track = Soundtrack()
    track.begin(0, 0)
    return track


def test_before_the_first_picture_there_is_no_sound() -> None:
    track = Soundtrack()
    track.add(0, PACKET, 0)
    assert track.take(10**7) == []


def test_silence_stands_until_sound_comes() -> None:
    track = a_track()
    track.add(1_003_000, PACKET, 1_003_000)
    samples = track.take(1_003_000)
    assert real(samples) == [1_003_000]
    assert ends(samples[:-1]) == 1_002_500  # the shortest packet has 2.5 ms


def test_silence_follows_while_sound_is_away() -> None:
    track = a_track()
    track.add(0, PACKET, 0)
    assert ends(track.take(LENGTH + FILL_DELAY_US)) == LENGTH
    assert ends(track.take(2_019_999)) == 2_000_000 - FILL_DELAY_US


def test_sound_that_comes_where_silence_stands_is_let_go() -> None:
    track = a_track()
    track.take(2_000_000)
    track.add(1_500_000, PACKET, 2_000_000)
    track.add(1_700_000, PACKET, 2_200_000)
    assert real(track.take(2_200_000)) == [1_700_000]


def test_sound_that_is_always_late_is_not_away() -> None:
    track, kept, late_us = a_track(), 0, 900_000
    for number in range(500):
        at_us = number * LENGTH
        track.add(at_us, PACKET, at_us + late_us)
        if number % 25 == 0:
            kept += len(real(track.take(at_us + late_us)))
    assert kept > 430  # what is lost is lost at the start


def test_a_slow_clock_loses_no_packet_and_puts_no_silence_between() -> None:
    for spacing in (LENGTH - 40, LENGTH + 40):
        track = a_track()
        for number in range(1_000):
            track.add(number * spacing, PACKET, number * spacing)
        samples = track.take(1_000 * spacing)
        assert real(samples) == [s.dts_us for s in samples]
        assert len(samples) == 1_000


def test_what_belongs_to_the_next_segment_waits_for_it() -> None:
    track = a_track()
    for number in range(10):
        track.add(number * LENGTH, PACKET, number * LENGTH)
    assert real(track.take(200_000, before_us=90_000)) == [0, 20_000, 40_000, 60_000, 80_000]
    assert real(track.take(200_000)) == [100_000, 120_000, 140_000, 160_000, 180_000]


def test_after_the_disk_refused_sound_starts_with_the_next_picture() -> None:
    track = a_track()
    track.add(0, PACKET, 0)
    track.interrupt()
    track.add(20_000, PACKET, 20_000)
    track.begin(5_000_000, 5_000_000)
    track.add(5_000_000, PACKET, 5_000_000)
    assert real(track.take(5_000_000)) == [5_000_000]


@given(st.lists(st.tuples(st.integers(-30_000, 1_500_000), st.integers(0, 800_000), st.booleans()), max_size=25))
def test_there_is_never_a_hole_nor_a_step_back(steps: list[tuple[int, int, bool]]) -> None:
    track, at_us, clock_us = a_track(), 0, 0
    out: list[PendingSample] = []
    for step_us, late_us, flush in steps:
        at_us = max(0, at_us + step_us)
        clock_us = max(clock_us, at_us + late_us)
        track.add(at_us, PACKET, clock_us)
        if flush:
            out += track.take(clock_us)
    out += track.take(clock_us)
    assert all(s.duration_us > 0 for s in out)
    for before, after in pairwise(out):
        assert after.dts_us > before.dts_us
        assert after.dts_us - (before.dts_us + before.duration_us) < 2_500
        assert before.dts_us + before.duration_us - after.dts_us <= 10_000


AAC = AacSound(AacConfig(44_100, 2))
FRAME_US = 23_219


def an_aac_track() -> Soundtrack:
    track = Soundtrack(AAC)
    track.begin(0, 0)
    return track


def test_aac_that_follows_itself_has_no_silence_in_it() -> None:
    track = an_aac_track()
    for number in range(431):
        at_us = number * 1024 * 1_000_000 // 44_100
        track.add(at_us, b"aac", at_us)
    assert len(real(track.take(10_000_000))) == 431


def test_a_hole_in_aac_is_filled_with_aac_to_the_nearest_frame() -> None:
    track = an_aac_track()
    track.add(0, b"aac", 0)
    track.add(1_000_000, b"aac", 1_000_000)
    samples = track.take(1_000_000)
    silent = [sample for sample in samples if sample.flags & Flag.FILLER]
    assert {sample.data for sample in silent} == {AAC.config.silence}
    assert len(silent) == round((1_000_000 - FRAME_US) / FRAME_US)
    assert all(before.dts_us < after.dts_us for before, after in pairwise(samples))


def test_sound_that_comes_where_rounding_has_put_silence_is_kept() -> None:
    for hole_us in range(0, 200_000, 1_777):
        track = an_aac_track()
        track.add(0, b"aac", 0)
        at_us = FRAME_US + hole_us
        track.add(at_us, b"aac", at_us)
        kept = real(track.take(at_us))
        assert len(kept) == 2
        assert 0 <= kept[1] - at_us <= AAC.slack_us
