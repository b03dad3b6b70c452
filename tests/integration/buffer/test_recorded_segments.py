"""Segments as the writer leaves them, played by a decoder."""

from __future__ import annotations

import itertools
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import START_US, decoded, frame_data, record, writer_for

from lookback.buffer.reader import SegmentCache, read_segments, summary
from lookback.media.index import Flag

if TYPE_CHECKING:
    from pathlib import Path

CODECS = ["h264", "vp8"]


def shape(codec: str) -> ClipShape:
    return ClipShape(codec="vp8" if codec == "vp8" else "h264")


@pytest.mark.parametrize("codec", CODECS)
def test_every_segment_plays_alone_and_shows_every_frame(tmp_path: Path, codec: str) -> None:
    shown = record(tmp_path, encoded_clip(shape(codec)), frames=200)
    segments = read_segments(tmp_path)
    assert len(segments) == 4
    pictures = [picture for segment in segments for picture in decoded(segment.media_path)]
    assert [number for _, number in pictures] == [frame.number for frame in shown]
    off = [abs(seconds - frame.dts_us / 1e6) for (seconds, _), frame in zip(pictures, shown, strict=True)]
    assert max(off) < 0.001  # WebM counts milliseconds


@pytest.mark.parametrize("codec", CODECS)
def test_frames_whose_reference_is_lost_are_kept_but_never_shown(tmp_path: Path, codec: str) -> None:
    shown = record(tmp_path, encoded_clip(shape(codec)), frames=120, lost={40})
    assert len(shown) == 100  # the lost one and the rest up to the next key frame
    pictures = [number for s in read_segments(tmp_path) for _, number in decoded(s.media_path)]
    assert pictures == [frame.number for frame in shown]
    lost = [r for s in read_segments(tmp_path) for r in s.index.samples if r["flags"] & Flag.REFERENCE_LOST]
    assert sum(1 for r in lost if r["size"]) == 19
    gaps = summary(tmp_path).gaps
    assert [(g.track, g.cause) for g in gaps] == [("video", "loss")]
    assert gaps[0].end_us == START_US + 2_000_000


def test_audio_has_no_holes(tmp_path: Path) -> None:
    record(tmp_path, frames=150, silent=lambda us: 1_000_000 <= us - START_US < 3_000_000)
    rows = [r for s in read_segments(tmp_path) for r in s.index.samples if r["track"] == 2]
    rows.sort(key=lambda r: int(r["dts_us"]))
    steps = [int(b["dts_us"]) - int(a["dts_us"]) - int(a["duration_us"]) for a, b in itertools.pairwise(rows)]
    assert max(steps) < 5_000
    assert min(steps) >= 0
    assert sum(int(r["duration_us"]) for r in rows if r["flags"] & Flag.FILLER) == pytest.approx(2_000_000, abs=25_000)


def test_silence_stands_where_audio_never_comes(tmp_path: Path) -> None:
    record(tmp_path, frames=60, silent=lambda _: True)
    rows = [r for s in read_segments(tmp_path) for r in s.index.samples if r["track"] == 2]
    assert int(rows[0]["dts_us"]) == START_US
    assert all(r["flags"] & Flag.FILLER for r in rows)


def test_a_still_picture_is_no_gap_and_keeps_the_buffer_growing(tmp_path: Path) -> None:
    clip = encoded_clip()
    writer = writer_for(tmp_path, clip, audio=None)
    key, data = frame_data(clip, 0)
    writer.video(START_US, data, key=key)
    for tick in range(500):
        writer.tick(START_US + tick * 20_000)
    held = summary(tmp_path)
    assert held.until_us is not None
    assert held.until_us > START_US + 9_000_000
    assert held.gaps == ()
    _, data = frame_data(clip, 1)
    writer.video(START_US + 10_000_000, data, key=False)
    writer.close(START_US + 10_033_334)
    assert summary(tmp_path).gaps == ()
    assert [number for _, number in decoded(read_segments(tmp_path)[0].media_path)] == [0, 1]


def test_a_second_run_continues_the_numbers_and_the_hole_is_a_gap(tmp_path: Path) -> None:
    record(tmp_path, frames=60)
    record(tmp_path, frames=60, start_us=START_US + 5_000_000, run_id=b"run-0002")
    assert [s.number for s in read_segments(tmp_path)] == [1, 2]
    (gap,) = summary(tmp_path).gaps
    assert (gap.start_us, gap.end_us, gap.track, gap.cause) == (
        START_US + 2_000_000,
        START_US + 5_000_000,
        "all",
        "reconnect",
    )


def test_key_frames_without_parameter_sets_get_the_last_known_ones(tmp_path: Path) -> None:
    clip = encoded_clip()
    writer = writer_for(tmp_path, clip)
    for at in range(90):
        key, data = frame_data(clip, at)
        if key and at:
            data = b"".join(len(n).to_bytes(4, "big") + n for n in _nals(data) if n[0] & 31 not in {7, 8})
        writer.video(START_US + at * 33_334, data, key=key)
    writer.close(START_US + 90 * 33_334)
    segments = read_segments(tmp_path)
    assert len(segments) == 2
    assert [n for s in segments for _, n in decoded(s.media_path)] == list(range(90))


def _nals(frame: bytes) -> list[bytes]:
    units, at = [], 0
    while at < len(frame):
        size = int.from_bytes(frame[at : at + 4], "big")
        units.append(frame[at + 4 : at + 4 + size])
        at += 4 + size
    return units


def test_a_reader_in_another_process_sees_only_whole_commits(tmp_path: Path) -> None:
    record(tmp_path, frames=100, close=False)
    segments = read_segments(tmp_path)
    pictures = [n for s in segments for _, n in decoded(s.media_path)]
    assert pictures == list(range(len(pictures)))
    assert len(pictures) >= 100 - 16  # half a second may still wait


def test_the_cache_notices_a_segment_that_grew(tmp_path: Path) -> None:
    cache = SegmentCache()
    clip = encoded_clip()
    writer = writer_for(tmp_path, clip)
    seen = []
    for at in range(60):
        key, data = frame_data(clip, at)
        writer.video(START_US + at * 33_334, data, key=key)
        seen.append(sum(len(s.index.samples) for s in read_segments(tmp_path, cache=cache)))
    assert seen == sorted(seen)
    assert seen[-1] > seen[20] > 0
    assert read_segments(tmp_path, cache=cache)[0].index.samples.tolist() == (
        read_segments(tmp_path)[0].index.samples.tolist()
    )


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("length", [0, 0.5, 1, 2])
def test_a_media_file_that_was_overwritten_is_noticed(tmp_path: Path, length: float, cached: bool) -> None:
    record(tmp_path, frames=300)
    cache = SegmentCache() if cached else None
    before = read_segments(tmp_path, cache=cache)
    before[1].media_path.write_bytes(os.urandom(round(length * before[1].index.media_bytes)))
    after = read_segments(tmp_path, cache=cache)
    assert [segment.number for segment in after] == [s.number for s in before if s.number != before[1].number]


def test_a_copied_buffer_is_as_good_as_the_first(tmp_path: Path) -> None:
    record(tmp_path / "first", frames=300)
    shutil.copytree(tmp_path / "first", tmp_path / "copy", copy_function=shutil.copyfile)  # with times of its own
    wanted = [segment.index.samples.tolist() for segment in read_segments(tmp_path / "first")]
    assert [segment.index.samples.tolist() for segment in read_segments(tmp_path / "copy")] == wanted


def test_only_the_segments_that_a_range_needs_are_returned(tmp_path: Path) -> None:
    record(tmp_path, frames=300)
    numbers = [s.number for s in read_segments(tmp_path, START_US + 4_500_000, START_US + 6_000_000)]
    assert numbers == [3]
    assert [s.number for s in read_segments(tmp_path, START_US - 1, START_US + 1)] == [1]
    assert read_segments(tmp_path / "nowhere") == []
