"""Stop the writer after every write it makes, repair, and check what design.md promises."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import ClipShape, EncodedClip, encoded_clip
from tests.support.media import decoded, record

from lookback.buffer.reader import read_segments, summary
from lookback.buffer.repair import find_damage, repair_session

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


TAIL = 200


def torn_files(data: bytes, cut: int) -> dict[str, bytes]:
    """What a file may be after a crash `cut` bytes before its end: shorter, or with pages that were never written."""
    whole = data[: len(data) - cut]
    if cut % 9:
        return {"cut": whole}
    return {"cut": whole, "zeros": whole + bytes(cut), "longer": whole + bytes(4096), "garbage": whole + b"\xa5" * cut}


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_any_torn_tail_is_cut_off_and_nothing_before_it(tmp_path: Path, codec: str) -> None:
    whole = tmp_path / "whole"
    record(whole, clip_of(codec), frames=30)
    (segment,) = read_segments(whole)
    media, index = segment.media_path.read_bytes(), segment.index_path.read_bytes()
    ends = [int(end) for end in segment.index.commits["offset"] + segment.index.commits["size"]]
    torn = tmp_path / "torn"
    shutil.copytree(whole, torn)
    media_path, index_path = torn / segment.media_path.name, torn / segment.index_path.name
    for cut in range(1, TAIL):
        for shape, content in torn_files(index, cut).items():
            media_path.write_bytes(media)
            index_path.write_bytes(content)
            repair_session(torn)
            assert repair_session(torn) == [], shape
            assert index.startswith(index_path.read_bytes()[:-3])  # the last three bytes mean nothing
            assert media_path.stat().st_size in {*ends, segment.index.header.init_size}
    for cut in range(1, TAIL):
        for shape, content in torn_files(media, cut).items():
            media_path.write_bytes(content)
            index_path.write_bytes(index)
            done = repair_session(torn)
            assert repair_session(torn) == [], shape
            whole_commits = len(ends) - (not content.startswith(media))
            assert len(done) == (content != media)
            assert media_path.read_bytes() == media[: ends[whole_commits - 1]]
            assert len(read_segments(torn)[0].index.commits) == whole_commits


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_fragments_whose_bytes_never_reached_the_disk_are_cut_off(tmp_path: Path, codec: str) -> None:
    record(tmp_path, clip_of(codec), frames=115)
    *_, segment = read_segments(tmp_path)
    media = segment.media_path.read_bytes()
    third = segment.index.commits[2]
    at, size = int(third["offset"]), int(third["size"])
    segment.media_path.write_bytes(media[: at + size // 2] + bytes(len(media) - at - size // 2))
    assert find_damage(tmp_path) == repair_session(tmp_path)
    assert repair_session(tmp_path) == []
    assert len(read_segments(tmp_path)[-1].index.commits) == 2
    check_whole(tmp_path)


@pytest.mark.parametrize("done", ["index cut", "index gone", "media set aside"])
def test_a_repair_may_itself_be_interrupted(tmp_path: Path, done: str) -> None:
    record(tmp_path, frames=60)
    (segment,) = read_segments(tmp_path)
    if done == "index cut":
        os.truncate(segment.index_path, segment.index.good_bytes - 32 * (int(segment.index.commits[-1][3]) + 1))
    else:
        segment.index_path.unlink()
    if done == "media set aside":
        segment.media_path.rename(segment.media_path.with_name(segment.media_path.name + ".damaged"))
    repair_session(tmp_path)
    assert repair_session(tmp_path) == []
    check_whole(tmp_path)
    assert len(read_segments(tmp_path)) == (1 if done == "index cut" else 0)


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
    record(tmp_path, frames=300)
    read_segments(tmp_path)[2].index_path.write_bytes(b"garbage")
    (gap,) = summary(tmp_path).gaps
    assert gap.cause == "damaged"
    assert gap.end_us - gap.start_us == pytest.approx(2_000_000, abs=50_000)
