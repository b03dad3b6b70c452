from __future__ import annotations

import asyncio
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.support.scripted_source import START_US, Bench, ScriptedSource, a_bench
from tests.support.waiting import eventually

from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import summary
from lookback.buffer.session_file import read_session
from lookback.errors import NoCapacityError
from lookback.media.samples import Codec
from lookback.recorder.recording import REPLACED
from lookback.recorder.session_directory import SessionDirectory, repair_buffer
from lookback.recorder.sources import SILENT
from lookback.recorder.tracker import LOST_CAUSE

if TYPE_CHECKING:
    from pathlib import Path


async def test_it_records_only_once_a_key_frame_is_on_disk(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        source = bench.attach(tasks)
        bench.wait(1)
        assert bench.states == []
        assert source.key_frame_requests > 40
        bench.play(source, 1)
        assert bench.states == ["recording"]
        move = bench.moves[0]
        assert (move.video_codec, move.audio_codec, move.width, move.height) == ("h264", "opus", 320, 180)
        assert summary(bench.directory.path).until_us is not None


async def test_a_publisher_that_vanishes_ends_the_run_where_it_was_last_heard(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        source = bench.attach(tasks)
        bench.play(source, 3)
        heard_us = bench.now_us
        bench.wait(15)
        source.cause.set_result(SILENT)
        await eventually(lambda: "interrupted" in bench.states)
        assert bench.moves[-1].cause == SILENT
        until_us = summary(bench.directory.path).until_us
        assert until_us is not None
        assert heard_us <= until_us <= heard_us + 3_000_000


async def test_a_still_picture_goes_on_while_its_publisher_is_alive(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        source = bench.attach(tasks)
        bench.play(source, 1)
        for _ in range(20):
            source.last_packet_us = bench.now_us
            bench.wait(1)
        buffered = summary(bench.directory.path)
        assert buffered.until_us is not None
        assert buffered.until_us >= bench.now_us - 1_000_000
        assert buffered.gaps == ()


async def test_what_is_held_pauses_and_goes_on_with_its_publisher(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        source = bench.attach(tasks)
        bench.play(source, 2)
        bench.recording.hold(held=True)
        bench.play(source, 3)
        assert bench.states == ["recording", "storage-failing"]
        held = summary(bench.directory.path)
        bench.play(source, 2)
        assert summary(bench.directory.path) == held
        bench.recording.hold(held=False)
        bench.play(source, 4)
        assert bench.states == ["recording", "storage-failing", "storage-recovered"]
        assert [gap.cause for gap in summary(bench.directory.path).gaps] == ["storage"]


async def test_a_publisher_that_comes_while_it_is_held_waits(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        bench.recording.hold(held=True)
        source = bench.attach(tasks)
        bench.play(source, 3)
        assert summary(bench.directory.path).segments == 0
        bench.recording.hold(held=False)
        bench.play(source, 3)
        assert bench.states == ["storage-failing", "recording", "storage-recovered"]


async def test_a_new_publisher_continues_the_session_as_a_new_run(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        bench.play(bench.attach(tasks), 2)
        second = bench.attach(tasks)
        bench.wait(1)
        bench.play(second, 2)
        assert bench.states == ["recording", "interrupted", "recording"]
        assert bench.moves[1].cause == REPLACED
        assert [gap.cause for gap in summary(bench.directory.path).gaps] == ["reconnect"]


async def test_the_end_of_a_replaced_publisher_says_nothing(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        first = bench.attach(tasks)
        bench.play(first, 1)
        second = bench.attach(tasks)
        first.cause.set_result(SILENT)
        await asyncio.sleep(0)
        bench.play(second, 1)
        assert bench.states == ["recording", "interrupted", "recording"]


async def test_a_publisher_that_never_delivered_failed_with_its_reason(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        bench.attach(tasks).cause.set_result("The handshake failed")
        await eventually(lambda: bench.states)
        assert [(move.to, move.cause) for move in bench.moves] == [("failed", "The handshake failed")]
        await bench.recording.leave("Nothing was recorded")
        assert not bench.directory.path.exists()


async def test_a_fault_in_a_source_interrupts_its_session_only(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        source = bench.attach(tasks)
        bench.play(source, 1)
        source.cause.set_exception(ZeroDivisionError())
        await eventually(lambda: bench.states[-1] == "interrupted")


async def test_a_source_that_will_come_again_has_not_failed(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, _):
        source = ScriptedSource()
        source.cause.set_result("Crashed")
        assert await bench.recording.follow(source, bench.recording.attach(source), again=True)
        assert bench.states == []


async def test_a_broken_session_is_given_up(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        source = bench.attach(tasks)
        bench.play(source, 1)
        bench.recording.abandon()
        assert bench.states == ["recording", "interrupted"]
        assert bench.recording.source is None
        await eventually(bench.followed[0].cancelled)


async def test_a_change_of_codec_is_told(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        source = bench.attach(tasks)
        bench.play(source, 2)
        bench.play(source, 2, Codec.VP8)
        assert [(move.to, move.video_codec) for move in bench.moves] == [("recording", "h264"), ("recording", "vp8")]


async def test_a_stopped_session_says_so_and_its_file_too(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        bench.play(bench.attach(tasks), 2)
        await bench.recording.close("stopped", "Enough")
        record = read_session(bench.directory.path)
        assert bench.states == ["recording", "stopped"]
        assert (record.ended_at_us, record.cause) == (bench.now_us, "Enough")
        assert (record.session_id, record.user_id) == (bench.spec.session_id, bench.spec.user_id)


async def test_a_continued_session_has_not_ended(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        bench.play(bench.attach(tasks), 2)
        await bench.recording.close("interrupted", "The recorder was stopped")
    async with a_bench(tmp_path) as (again, tasks):
        assert read_session(again.directory.path).ended_at_us is None
        again.now_us = START_US - 10_000_000  # the clock was set back meanwhile
        again.play(again.attach(tasks), 2)
        until_us = summary(again.directory.path).until_us
        assert until_us is not None
        assert until_us > START_US + 3_000_000


async def test_a_vanished_directory_is_a_fault_until_it_is_made_again(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as (bench, tasks):
        source = bench.attach(tasks)
        bench.play(source, 2)
        shutil.rmtree(bench.directory.path)
        bench.play(source, 1)
        assert bench.states == ["recording", "storage-failing"]
        assert "vanished" in bench.moves[-1].cause
        assert bench.recording.stats().storage_fault == bench.moves[-1].cause
        assert bench.recording.storage_move() is not None
        await eventually((bench.directory.path / "session.json").exists)
        bench.play(source, 3)
        assert bench.states == ["recording", "storage-failing", "storage-recovered"]
        assert bench.recording.storage_move() is None
        assert json.loads((bench.directory.path / "session.json").read_text())["ended_at_us"] is None


async def test_a_session_has_one_writer(tmp_path: Path) -> None:
    async with a_bench(tmp_path):
        with pytest.raises(NoCapacityError):
            await Bench(tmp_path).recording.open()


async def test_repair_leaves_a_living_recording_alone_and_ends_a_dead_one(tmp_path: Path) -> None:
    layout = BufferLayout(tmp_path)
    async with a_bench(tmp_path, session_id="dead") as (dead, tasks):
        dead.play(dead.attach(tasks), 2)
    async with a_bench(tmp_path, session_id="alive") as (alive, tasks):
        alive.play(alive.attach(tasks), 2)
        torn = {}
        for bench in (dead, alive):
            media = bench.directory.path / "segment-000001.mp4"
            with media.open("ab") as file:
                file.write(b"torn")
            torn[bench] = media.stat().st_size
        repair_buffer(layout)
        assert (dead.directory.path / "segment-000001.mp4").stat().st_size == torn[dead] - 4
        assert (alive.directory.path / "segment-000001.mp4").stat().st_size == torn[alive]
        assert read_session(alive.directory.path).ended_at_us is None
        record = read_session(dead.directory.path)
        assert record.cause == LOST_CAUSE
        assert record.ended_at_us == summary(dead.directory.path).until_us


def test_repair_survives_what_is_no_session(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / "room" / "user" / name
        folder.mkdir(parents=True)
        (folder / "session.json").write_text("{" if name == "a" else "[]")
    repair_buffer(BufferLayout(tmp_path))


async def test_a_session_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    root = tmp_path / "buffer"
    root.write_text("a file where a directory should be")
    with pytest.raises(OSError, match="Not a directory"):
        await Bench(root).recording.open()


def test_an_unclaimed_directory_holds_nothing(tmp_path: Path) -> None:
    directory = SessionDirectory(BufferLayout(tmp_path), Bench(tmp_path).spec)
    assert not directory.holds_segments
    assert directory.until_us() == 0
