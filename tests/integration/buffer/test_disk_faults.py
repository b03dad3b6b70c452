"""A disk that refuses costs the seconds it refuses for."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import encoded_clip
from tests.support.media import START_US, decoded, frame_data, record, writer_for

from lookback.buffer.reader import read_segments, summary
from lookback.buffer.repair import find_damage

if TYPE_CHECKING:
    from pathlib import Path


class Disk:
    """Writes that fail while it is full, after writing a part as a full disk does."""

    def __init__(self) -> None:
        self.full = False

    def write(self, fd: int, data: memoryview) -> int:
        if self.full and len(data) > 10:
            return os.write(fd, data[:10])
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(fd, data)


def test_a_writer_that_is_held_costs_the_seconds_it_was_held(tmp_path: Path) -> None:
    clip = encoded_clip()
    writer = writer_for(tmp_path, clip)
    for at in range(300):
        now_us = START_US + at * 33_333
        writer.held = 100 <= at < 160
        key, data = frame_data(clip, at)
        writer.video(now_us, data, key=key)
        writer.tick(now_us)
        if at == 130:
            size_bytes = sum(path.stat().st_size for path in tmp_path.iterdir())
        if at == 150:
            assert writer.fault is not None
            assert writer.fault.errno == errno.ENOSPC
            assert sum(path.stat().st_size for path in tmp_path.iterdir()) == size_bytes
    writer.close(START_US + 300 * 33_333)
    assert writer.fault is None
    assert find_damage(tmp_path) == []
    (gap,) = summary(tmp_path).gaps
    assert (gap.track, gap.cause) == ("all", "storage")
    assert gap.end_us == START_US + 180 * 33_333


def test_a_full_disk_costs_the_seconds_it_was_full(tmp_path: Path) -> None:
    clip, disk = encoded_clip(), Disk()
    writer = writer_for(tmp_path, clip, write=disk.write)
    for at in range(300):
        now_us = START_US + at * 33_333
        disk.full = 100 <= at < 160
        key, data = frame_data(clip, at)
        writer.video(now_us, data, key=key)
        writer.audio(now_us, clip.audio[at % len(clip.audio)])
        writer.tick(now_us)
        if at == 150:
            assert writer.fault is not None
            assert writer.fault.errno == errno.ENOSPC
            assert writer.wants_key_frame
    writer.close(START_US + 300 * 33_333)
    assert writer.fault is None
    assert not writer.wants_key_frame
    assert find_damage(tmp_path) == []
    (gap,) = summary(tmp_path).gaps
    assert (gap.track, gap.cause) == ("all", "storage")
    assert gap.end_us == START_US + 180 * 33_333  # the first key frame after it
    numbers = [n for s in read_segments(tmp_path) for _, n in decoded(s.media_path)]
    missing = [at for at in range(300) if at % 120 not in numbers[: len(numbers)]]
    assert missing == []
    assert len(numbers) >= 300 - 80 - 16


def test_a_directory_that_vanishes_is_noticed(tmp_path: Path) -> None:
    directory = tmp_path / "session"
    directory.mkdir()
    clip = encoded_clip()
    writer = writer_for(directory, clip)
    for at in range(120):
        if at == 40:
            shutil.rmtree(directory)
        if at == 80:
            assert isinstance(writer.fault, FileNotFoundError)
            directory.mkdir()
        key, data = frame_data(clip, at)
        writer.video(START_US + at * 33_333, data, key=key)
    writer.close(START_US + 120 * 33_333)
    assert writer.fault is None
    numbers = [n for s in read_segments(directory) for _, n in decoded(s.media_path)]
    assert numbers == list(range(90, 120))


def test_files_are_not_readable_by_everybody(tmp_path: Path) -> None:
    record(tmp_path, frames=30)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o007 == 0


def test_a_refused_first_write_leaves_no_file(tmp_path: Path) -> None:
    disk = Disk()
    disk.full = True
    record(tmp_path, frames=60, write=disk.write)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("root", ["missing", "file"])
def test_a_buffer_that_is_not_there_is_empty(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_text("")
    if root == "missing":
        assert summary(tmp_path / root).segments == 0
    else:
        with pytest.raises(NotADirectoryError):
            summary(tmp_path / root)


def test_a_directory_that_is_moved_away_is_noticed(tmp_path: Path) -> None:
    directory = tmp_path / "session"
    directory.mkdir()
    clip = encoded_clip()
    writer = writer_for(directory, clip)
    for at in range(40):
        key, data = frame_data(clip, at)
        writer.video(START_US + at * 33_333, data, key=key)
        if at == 2:
            directory.rename(tmp_path / "elsewhere")
    assert isinstance(writer.fault, FileNotFoundError)
    assert read_segments(tmp_path / "elsewhere") == []


def test_files_that_grow_no_further_are_a_fault(tmp_path: Path) -> None:
    """The limit holds for a whole process, so one of its own records; its signal is ignored as Python does."""
    script = f"""
import resource, pathlib
from tests.support.encoded_clip import encoded_clip
from tests.support.media import START_US, frame_data, writer_for
clip = encoded_clip()
writer = writer_for(pathlib.Path({str(tmp_path)!r}), clip, segment_us=60_000_000)
for at in range(150):
    if at == 60:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    if at == 90:
        assert writer.fault is not None, "no fault"
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    key, data = frame_data(clip, at)
    writer.video(START_US + at * 33_333, data, key=key)
writer.close(START_US + 150 * 33_333)
assert writer.fault is None, writer.fault
"""
    encoded_clip()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert find_damage(tmp_path) == []
    (gap,) = summary(tmp_path).gaps
    assert (gap.track, gap.cause) == ("all", "storage")
    numbers = [n for s in read_segments(tmp_path) for _, n in decoded(s.media_path)]
    assert numbers[-60:] == [*range(90, 120), *range(30)]
    assert numbers[:-60] == list(range(len(numbers) - 60))
    assert len(numbers) > 60 + 30


def test_a_segment_ends_before_offsets_overflow(tmp_path: Path) -> None:
    clip = encoded_clip()
    writer = writer_for(tmp_path, clip, segment_us=60_000_000)
    for at in range(90):
        key, data = frame_data(clip, at)
        writer.video(START_US + at * 33_333, data, key=key)
        if at == 20:
            assert writer._file is not None
            os.truncate(tmp_path / "segment-000001.mp4", 2**32 - 5_000)
            writer._file.media_size = 2**32 - 5_000
    writer.close(START_US + 90 * 33_333)
    assert [s.number for s in read_segments(tmp_path)] == [1, 2]
    assert [n for _, n in decoded(read_segments(tmp_path)[1].media_path)] == list(range(60, 90))


def test_names_that_are_taken_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "segment-000001.idx").mkdir()
    record(tmp_path, frames=30)
    assert [s.number for s in read_segments(tmp_path)] == [2]
    assert (tmp_path / "segment-000001.idx").is_dir()
