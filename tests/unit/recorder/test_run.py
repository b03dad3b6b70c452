from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.support.scripted_source import START_US, a_run, feed

from lookback.buffer.reader import read_segments, summary
from lookback.media.aac import AacConfig
from lookback.media.gaps import Gap
from lookback.media.index import LossCause
from lookback.media.samples import Codec, Track
from lookback.media.sound import OPUS, AacSound, sound_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_change_of_codec_starts_a_new_run_in_the_container_of_the_codec(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    changed_us = feed(run, START_US, 2)
    end_us = feed(run, changed_us, 2, Codec.VP8)
    run.close(end_us)
    segments = read_segments(tmp_path)
    assert [segment.container for segment in segments] == ["mp4", "webm"]
    assert segments[0].extent.run_id != segments[1].extent.run_id
    assert segments[0].extent.end_us <= segments[1].extent.start_us + 20_000  # the last sound may reach over
    assert segments[1].extent.start_us == changed_us


def test_frames_of_a_new_codec_wait_for_its_key_frame(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    changed_us = feed(run, START_US, 2)
    end_us = feed(run, changed_us, 2, Codec.VP8, first=10)
    run.close(end_us)
    first, second = read_segments(tmp_path)
    assert second.extent.start_us == changed_us + 20 * 1_000_000 // 30
    assert first.extent.end_us >= changed_us  # nothing says that the old picture was gone before


def test_time_does_not_go_back_when_the_clock_does(tmp_path: Path) -> None:
    first = a_run(tmp_path)
    first.close(feed(first, START_US, 2))
    second = a_run(tmp_path, not_before_us=first.end_us)
    second.close(feed(second, START_US - 3_600_000_000, 2))
    extents = [segment.extent for segment in read_segments(tmp_path)]
    assert all(before.end_us <= after.start_us + 20_000 for before, after in pairwise(extents))
    assert second.end_us == pytest.approx(START_US + 4_000_000, abs=50_000)
    buffered = summary(tmp_path)
    assert buffered.until_us is not None
    assert buffered.until_us - START_US == pytest.approx(4_000_000, abs=50_000)


def test_sound_keeps_its_distance_to_the_picture_when_time_is_shifted(tmp_path: Path) -> None:
    run = a_run(tmp_path, not_before_us=START_US + 60_000_000)
    run.close(feed(run, START_US, 2))
    samples = read_segments(tmp_path)[0].index.samples
    starts = [int(samples["dts_us"][samples["track"] == track].min()) for track in (Track.VIDEO, Track.AUDIO)]
    assert starts == pytest.approx([START_US + 60_000_000] * 2, abs=20_000)


def test_a_closed_run_takes_nothing_any_more(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    end_us = feed(run, START_US, 2)
    run.close(end_us)
    before = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    feed(run, end_us, 2)
    run.tick(end_us + 5_000_000, missing=False)
    run.close(end_us + 5_000_000)
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == before
    assert not run.wants_key_frame


def test_nothing_before_a_key_frame_is_kept_and_one_is_wanted(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    assert run.wants_key_frame
    feed(run, START_US, 0.5, first=1)
    assert run.wants_key_frame
    assert not run.committed
    assert list(tmp_path.iterdir()) == []


def test_a_key_frame_that_is_none_is_let_go(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.video(Codec.VP8, START_US, b"\x10\x00\x00not a key frame", key=True)
    run.video(Codec.H264, START_US, b"\x00\x00\x00\x01\x67", key=True)
    run.close(feed(run, START_US + 1_000_000, 1))
    assert [segment.extent.start_us for segment in read_segments(tmp_path)] == [START_US + 1_000_000]


def test_a_split_goes_on_with_the_next_key_frame(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    middle_us = feed(run, START_US, 2)
    run.split()
    assert run.wants_key_frame
    run.close(feed(run, middle_us + 7_000_000, 2))
    segments = read_segments(tmp_path)
    assert len({segment.extent.run_id for segment in segments}) == 2
    assert segments[0].extent.end_us == pytest.approx(middle_us, abs=40_000)
    assert [gap.cause for gap in summary(tmp_path).gaps] == ["reconnect"]


def test_committed_means_that_a_reader_sees_a_picture(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    feed(run, START_US, 0.1)
    assert not run.committed
    assert summary(tmp_path).until_us is None
    feed(run, START_US + 100_000, 0.4, first=3)
    assert run.committed
    assert summary(tmp_path).until_us is not None


@pytest.mark.parametrize("step_us", [3_600_000_000, -3_600_000_000, 7 * 86_400_000_000])
def test_a_clock_that_is_set_makes_no_picture_or_silence_last_for_hours(tmp_path: Path, step_us: int) -> None:
    run = a_run(tmp_path)
    now_us = feed(run, START_US, 2)
    for _ in range(200):
        now_us += 20_000
        run.tick(now_us + step_us, missing=False)
    run.close(now_us + step_us)
    buffered = summary(tmp_path)
    assert buffered.until_us is not None
    assert START_US + 5_500_000 <= buffered.until_us <= now_us + 500_000
    assert buffered.size_bytes < 500_000


def test_fragments_keep_their_length_when_a_publishers_time_runs_behind_the_clock(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    for number in range(20):
        feed(run, START_US + number * 200_000, 0.2, first=number * 6)
        run.tick(START_US + number * 200_000 + 2_000_000, missing=False)
    assert run.stats.fragments <= 9
    run.close(START_US + 6_000_000)


@pytest.mark.parametrize("first", [0, 1])
def test_samples_after_a_long_standstill_are_another_run(tmp_path: Path, first: int) -> None:
    run = a_run(tmp_path)
    end_us = feed(run, START_US, 2)
    run.close(feed(run, end_us + 3_600_000_000, 3, first=first))
    segments = read_segments(tmp_path)
    assert len({segment.extent.run_id for segment in segments}) == 2
    assert segments[0].extent.end_us == pytest.approx(end_us, abs=40_000)
    (gap,) = summary(tmp_path).gaps
    assert gap.cause == "reconnect"


def test_a_picture_that_stands_still_for_minutes_is_one_run(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    now_us = feed(run, START_US, 2)
    for _ in range(60 * 50):
        now_us += 20_000
        run.tick(now_us, missing=False)
    run.close(feed(run, now_us, 2))
    assert len({segment.extent.run_id for segment in read_segments(tmp_path)}) == 1
    assert summary(tmp_path).gaps == ()


def test_sound_of_another_codec_begins_another_file(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    changed_us = feed(run, START_US, 2)
    run.hear(AacSound(AacConfig(44_100, 2)))
    run.close(feed(run, changed_us, 2))
    first, second = read_segments(tmp_path)
    assert (sound_of(first.media_path.read_bytes()), run.audio_codec) == (OPUS, "aac")
    assert sound_of(second.media_path.read_bytes()) == AacSound(AacConfig(44_100, 2))
    assert first.extent.run_id != second.extent.run_id


def test_a_run_without_sound_stays_without(tmp_path: Path) -> None:
    run = a_run(tmp_path, audio=False)
    run.hear(AacSound(AacConfig(44_100, 2)))
    assert run.audio_codec is None


def test_what_is_flushed_can_be_read_to_its_end(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    end_us = feed(run, START_US, 2)
    run.flush(end_us)
    assert read_segments(tmp_path)[0].extent.end_us == end_us
    run.miss(end_us + 5_000_000, LossCause.FILE)
    run.close(feed(run, end_us + 5_000_000, 2))
    assert summary(tmp_path).gaps == (Gap(end_us, end_us + 5_000_000, "all", "egress"),)


def test_what_is_missing_between_two_publishers_is_counted(tmp_path: Path) -> None:
    first = a_run(tmp_path)
    first.close(feed(first, START_US, 2))
    assert first.gap_us == 0
    second = a_run(tmp_path, not_before_us=first.end_us)
    feed(second, first.end_us + 3_000_000, 1)
    assert second.gap_us == 3_000_000


def test_what_is_lost_is_counted_with_what_is_missing(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    middle_us = feed(run, START_US, 2)
    run.miss(middle_us + 1_000_000, LossCause.NETWORK)
    end_us = feed(run, middle_us + 1_000_000, 2)
    run.close(end_us)
    assert run.gap_us == pytest.approx(1_000_000, abs=40_000)


def test_what_came_is_soon_written(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    assert run.lag_us == 0
    feed(run, START_US, 3)
    assert 0 <= run.lag_us <= 1_000_000
