"""Stop the writer after every write it makes, repair, and check what design.md promises."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape, EncodedClip, encoded_clip
from tests.support.media import decoded, record

from lookback.buffer.reader import read_segments
from lookback.buffer.repair import find_damage, repair_session
from lookback.media.index import parse_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = 90


class Crash(BaseException):
    """The process is gone: nothing after this runs."""


def crash_at(step: int, *, half: bool) -> Callable[[int, memoryview], int]:
    """A write that ends the process at call `step`, before it or in the middle of it."""
    calls = iter(range(1_000_000))

    def write(fd: int, data: memoryview) -> int:
        if next(calls) == step:
            if half:
                os.write(fd, data[: len(data) // 2])
            raise Crash
        return os.write(fd, data)

    return write


def writes_of(tmp_path: Path, codec: str) -> int:
    count = 0

    def write(fd: int, data: memoryview) -> int:
        nonlocal count
        count += 1
        return os.write(fd, data)

    record(tmp_path / "count", clip_of(codec), frames=FRAMES, write=write)
    return count


def clip_of(codec: str) -> EncodedClip:
    return encoded_clip(ClipShape(codec="vp8" if codec == "vp8" else "h264"))


@pytest.mark.parametrize("codec", ["h264", "vp8"])
@pytest.mark.parametrize("half", [False, True], ids=["before", "within"])
def test_a_crash_at_any_write_costs_at_most_what_was_being_written(tmp_path: Path, codec: str, half: bool) -> None:
    steps = writes_of(tmp_path, codec)
    assert steps >= 14
    for step in range(steps):
        directory = tmp_path / f"{step}"
        with pytest.raises(Crash):
            record(directory, clip_of(codec), frames=FRAMES, write=crash_at(step, half=half))
        before = [s.index.samples.tolist() for s in read_segments(directory)]
        predicted = find_damage(directory)
        assert repair_session(directory) == predicted
        assert repair_session(directory) == []
        assert [s.index.samples.tolist() for s in read_segments(directory)] == before
        check_whole(directory)


def check_whole(directory: Path) -> None:
    """Every file ends at a whole commit, and what the index names is what a player shows."""
    numbers: list[int] = []
    for segment in read_segments(directory):
        assert segment.media_path.stat().st_size == segment.index.media_bytes
        assert segment.index_path.stat().st_size == segment.index.good_bytes
        numbers += [number for _, number in decoded(segment.media_path)]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_any_torn_tail_is_cut_off(tmp_path: Path, codec: str) -> None:
    whole = tmp_path / "whole"
    record(whole, clip_of(codec), frames=30)
    (segment,) = read_segments(whole)
    media, index = segment.media_path.read_bytes(), segment.index_path.read_bytes()
    for cut in range(9, 64):
        for lost_media, lost_index, tail in ((cut, 0, b""), (0, cut, b""), (cut, cut, b""), (0, cut, b"\xff" * cut)):
            torn = parse_index(index[: len(index) - lost_index] + tail, len(media) - lost_media)
            assert torn.media_bytes <= len(media) - lost_media
            assert len(torn.commits) == len(segment.index.commits) - 1
    torn_dir = tmp_path / "torn"
    shutil.copytree(whole, torn_dir)
    with (torn_dir / segment.media_path.name).open("ab") as file:
        file.write(b"\xff" * 5_000)
    os.truncate(torn_dir / segment.index_path.name, len(index) - 7)
    (done,) = repair_session(torn_dir)
    assert done.action == "cut"
    assert done.lost_bytes > 5_000
    check_whole(torn_dir)


def test_what_nobody_can_read_is_set_aside_or_removed(tmp_path: Path) -> None:
    record(tmp_path, frames=300)
    paths = [s.media_path for s in read_segments(tmp_path)]
    paths[0].write_bytes(b"")
    paths[0].with_suffix(".idx").write_bytes(b"")
    paths[1].with_suffix(".idx").write_bytes(os.urandom(4_000))
    paths[2].with_suffix(".idx").unlink()
    paths[3].unlink()
    actions = [(r.number, r.action) for r in repair_session(tmp_path)]
    assert actions == [(1, "removed"), (2, "set-aside"), (3, "set-aside"), (4, "removed")]
    assert [s.number for s in read_segments(tmp_path)] == [5]
    assert sorted(p.name for p in tmp_path.glob("*.damaged")) == [
        "segment-000002.mp4.damaged",
        "segment-000003.mp4.damaged",
    ]


def test_a_missing_segment_in_the_middle_is_a_gap(tmp_path: Path) -> None:
    from lookback.buffer.reader import summary  # noqa: PLC0415

    record(tmp_path, frames=300)
    read_segments(tmp_path)[2].index_path.write_bytes(b"garbage")
    (gap,) = summary(tmp_path).gaps
    assert gap.cause == "damaged"
    assert gap.end_us - gap.start_us == pytest.approx(2_000_000, abs=50_000)
