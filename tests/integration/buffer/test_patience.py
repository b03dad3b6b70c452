"""While the disk is away, what comes is kept in memory and written when it is back."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from tests.support.encoded_clip import encoded_clip
from tests.support.media import AUDIO_STEP_US, START_US, decoded, frame_data, writer_for

from lookback.buffer.patience import LONGEST_US, RETRY_US, Memory, PatientWriter
from lookback.buffer.reader import read_segments, summary
from lookback.buffer.repair import find_damage
from lookback.media.cutting import pictures_until_us

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAME_US = 33_333
KEY_EVERY = 60


class Disk:
    """Writes that fail while it is away, or after so many bytes when it is nearly full."""

    def __init__(self) -> None:
        self.away = False
        self.room: int | None = None

    def write(self, fd: int, data: memoryview) -> int:
        if self.away or self.room == 0:
            raise OSError(errno.EIO if self.away else errno.ENOSPC, "no")
        if self.room is not None:
            data = data[: self.room]
            self.room -= len(data)
        return os.write(fd, data)


class Share:
    """A publisher with picture and sound, and the writer it goes to."""

    def __init__(self, folder: Path, memory: Memory | None = None) -> None:
        self.folder, self.disk, self.clip = folder, Disk(), encoded_clip()
        self.memory = memory or Memory()
        self.writer = PatientWriter(writer_for(folder, self.clip, write=self.disk.write), self.memory)
        self.frame = self.packet = 0

    def play(self, frames: int, each: Callable[[], None] = lambda: None) -> None:
        for _ in range(frames):
            now_us = START_US + self.frame * FRAME_US
            while self.packet * AUDIO_STEP_US <= self.frame * FRAME_US:
                sound = self.clip.audio[self.packet % len(self.clip.audio)]
                self.writer.audio(START_US + self.packet * AUDIO_STEP_US, sound)
                self.packet += 1
            key, data = frame_data(self.clip, self.frame)
            self.writer.video(now_us, data, key=key)
            self.writer.tick(now_us)
            self.frame += 1
            each()

    def end(self) -> None:
        self.writer.close(START_US + self.frame * FRAME_US)

    @property
    def missing_us(self) -> list[int]:
        return [gap.end_us - gap.start_us for gap in summary(self.folder).gaps if gap.track == "all"]

    @property
    def numbers(self) -> list[int]:
        """Of all pictures that a player shows, in order."""
        return [number for segment in read_segments(self.folder) for _, number in decoded(segment.media_path)]


def test_a_disk_that_was_away_costs_what_came_before_the_next_key_frame(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(100)
    share.disk.away = True
    share.play(200)
    assert share.writer.fault is not None
    assert share.writer.kept_bytes > 0
    share.disk.away = False
    share.play(60)
    assert share.writer.fault is None
    assert share.writer.kept_bytes == share.memory.used_bytes == 0
    share.end()
    assert find_damage(tmp_path) == []
    (missing_us,) = share.missing_us
    assert missing_us < (KEY_EVERY + 20) * FRAME_US, "and not the 200 frames for which it was away"
    clip_frames = len(share.clip.video)
    begin = share.numbers.index(120 % clip_frames, 50)
    assert share.numbers[begin:] == [number % clip_frames for number in range(120, 360)]


def test_the_sound_of_that_time_is_there(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(100)
    share.disk.away = True
    share.play(200)
    share.disk.away = False
    share.play(60)
    share.end()
    held = [gap for gap in summary(tmp_path).gaps if gap.track == "audio"]
    assert held == []


def test_only_so_much_time_is_kept(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(70)
    share.disk.away = True
    share.play(LONGEST_US // FRAME_US + 600)
    share.disk.away = False
    share.play(120)
    share.end()
    (missing_us,) = share.missing_us
    assert missing_us == pytest.approx(600 * FRAME_US, abs=2 * KEY_EVERY * FRAME_US)


def test_only_so_many_bytes_are_kept_by_all_together(tmp_path: Path) -> None:
    memory = Memory(limit_bytes=200_000)
    shares = [Share(tmp_path / name, memory) for name in "ab"]
    for share in shares:
        share.folder.mkdir()
        share.play(70)
        share.disk.away = True
    for _ in range(20):
        for share in shares:
            share.play(30, lambda: pytest.fail("too much") if memory.used_bytes > memory.limit_bytes else None)
    for share in shares:
        share.disk.away = False
        share.play(70)
        share.end()
        assert find_damage(share.folder) == []
    assert memory.used_bytes == 0


def test_a_disk_with_a_little_room_now_and_then_loses_nothing_of_what_is_kept(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(100)
    share.disk.room = 0

    def a_little() -> None:
        share.disk.room = 3_000 if share.frame % 20 == 0 else 0

    share.play(200, a_little)
    share.disk.room = None
    share.play(60)
    share.end()
    assert find_damage(tmp_path) == []
    assert share.numbers[-180:] == [number % len(share.clip.video) for number in range(180, 360)]


def test_nothing_is_kept_for_a_writer_that_is_held_on_purpose(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(70)
    share.writer.held = True
    share.play(130)
    assert share.writer.kept_bytes == 0
    share.writer.held = False
    share.play(120)
    share.end()
    (missing_us,) = share.missing_us
    assert missing_us >= 130 * FRAME_US


def test_holding_it_lets_go_of_what_was_kept(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.disk.away = True
    share.play(70)
    assert share.writer.kept_bytes > 0
    share.writer.held = True
    assert share.memory.used_bytes == 0


def test_what_is_kept_is_written_when_the_run_ends(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(100)
    share.disk.away = True
    share.play(100)
    share.disk.away = False
    share.end()
    assert share.numbers[-1] == 199 % len(share.clip.video)
    assert share.memory.used_bytes == 0


def test_a_disk_that_stays_away_takes_what_is_kept_with_it(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(100)
    share.disk.away = True
    share.play(100)
    share.end()
    assert share.memory.used_bytes == 0
    assert find_damage(tmp_path) == []


def test_it_is_tried_again_only_now_and_then(tmp_path: Path) -> None:
    share = Share(tmp_path)
    tries = 0

    def counted(_fd: int, _data: memoryview) -> int:
        nonlocal tries
        tries += 1
        raise OSError(errno.EIO, "no")

    share.writer = PatientWriter(writer_for(tmp_path, share.clip, write=counted), Memory())
    share.play(150)
    assert 10 < tries <= 150 * FRAME_US // RETRY_US + 2


def test_the_lag_grows_while_the_disk_is_away_and_is_made_up_for(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(60)
    assert share.writer.lag_us < 1_000_000
    share.disk.away = True
    share.play(90)
    assert share.writer.lag_us > 2_000_000
    share.disk.away = False
    share.play(60)
    assert share.writer.lag_us < 1_000_000


def test_what_a_broken_file_system_lost_is_part_of_the_gap(tmp_path: Path) -> None:
    share = Share(tmp_path)
    share.play(100)
    (segment,) = read_segments(tmp_path)[-1:]
    written_us = segment.extent.end_us
    share.disk.away = True
    share.play(100)
    with segment.media_path.open("r+b") as media:  # the disk comes back without its last fragments
        media.truncate(int(segment.index.commits["offset"][2]) + 100)
    share.disk.away = False
    share.play(60)
    share.end()
    assert find_damage(tmp_path) == [], "what was torn is cut off at once"
    (gap,) = [gap for gap in summary(tmp_path).gaps if gap.track == "all"]
    left = next(kept for kept in read_segments(tmp_path) if kept.number == segment.number)
    assert gap.cause == "storage"
    assert gap.start_us == pictures_until_us(left.index) < written_us - 400_000
    assert len(share.numbers) == pytest.approx(260 - (gap.end_us - gap.start_us) / FRAME_US, abs=1)


def test_what_a_read_only_disk_did_not_let_be_removed_is_no_damage(tmp_path: Path) -> None:
    share = Share(tmp_path)
    newest = tmp_path / "segment-000002.mp4"
    while not newest.exists():
        share.play(1)
    begun = newest.read_bytes(), newest.with_suffix(".idx").read_bytes()
    assert [segment.number for segment in read_segments(tmp_path)] == [1], "nothing of the second is committed yet"
    share.disk.away = True
    share.play(30)
    newest.write_bytes(begun[0])
    newest.with_suffix(".idx").write_bytes(begun[1])
    share.disk.away = False
    share.play(70)
    share.end()
    assert find_damage(tmp_path) == []
    assert {gap.cause for gap in summary(tmp_path).gaps} == {"storage"}
