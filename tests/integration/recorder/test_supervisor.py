"""The recorder process as the API sees it: started, adopted, killed, hung, replaced, left alone."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from tests.support.sessions import a_session
from tests.support.supervised import now_us, supervised
from tests.support.waiting import eventually

from lookback.buffer.reader import read_segments, summary
from lookback.buffer.session_file import read_session
from lookback.errors import NoCapacityError
from lookback.recorder.control import GetStatus, StopSession
from lookback.recorder.process import WorkerProcess
from lookback.recorder.supervisor import Patience
from lookback.recorder.tracker import LOST_CAUSE

if TYPE_CHECKING:
    from pathlib import Path

SESSION = a_session("s1", source="synthetic")
OTHER = a_session("s2", source="synthetic", room_name="other")


async def test_it_records_and_stops_when_told(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        await api.synthesise(SESSION)
        recording = await api.sees(SESSION, "recording")
        assert (recording.video_codec, recording.audio_codec) == ("h264", "opus")
        status = await api.status()
        assert status.pid != os.getpid()
        assert status.rss_bytes > 10_000_000
        assert [s.session_id for s in status.sessions if s.recording and s.connected] == ["s1"]
        await api.supervisor.request(StopSession(session_id="s1", cause="Enough"))
        await api.sees(SESSION, "recording", "stopped")
        assert (await api.status()).sessions == []
        record = read_session(api.directory(SESSION))
        assert record.cause == "Enough"
        assert summary(api.directory(SESSION)).until_us is not None


async def test_the_recorder_outlives_the_api_and_is_adopted_without_a_gap(tmp_path: Path) -> None:
    async with supervised(tmp_path, leave_running=True) as api:
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording")
        pid = (await api.status()).pid
        assert os.getsid(pid) == pid
        await api.crash()
        directory = api.directory(SESSION)
        crashed_us = now_us()
        await eventually(lambda: (summary(directory).until_us or 0) > crashed_us + 500_000)
    async with supervised(tmp_path) as api:
        await api.sees(SESSION, "recording")
        assert (await api.status()).pid == pid
        assert api.supervisor.starts == 0
        adopted_us = now_us()
        await eventually(lambda: (summary(directory).until_us or 0) > adopted_us + 500_000)
        assert summary(directory).gaps == ()
        assert len({segment.extent.run_id for segment in read_segments(directory)}) == 1


async def test_a_killed_recorder_interrupts_its_sessions_and_is_restarted(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        for session in (SESSION, OTHER):
            await api.synthesise(session)
            await api.sees(session, "recording")
        pid = (await api.status()).pid
        os.kill(pid, signal.SIGKILL)
        for session in (SESSION, OTHER):
            assert (await api.sees(session, "recording", "interrupted")).cause == LOST_CAUSE
        await eventually(lambda: api.supervisor.connected)
        assert (await api.status()).pid != pid
        assert read_session(api.directory(SESSION)).cause == LOST_CAUSE
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording", "interrupted", "recording")
        assert [gap.cause for gap in summary(api.directory(SESSION)).gaps] == ["reconnect"]
        assert read_session(api.directory(SESSION)).ended_at_us is None


async def test_a_recorder_that_died_while_nobody_watched_is_noticed_by_the_same_api(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording")
        os.kill((await api.status()).pid, signal.SIGTERM)
        await api.sees(SESSION, "recording", "interrupted")
        await eventually(lambda: api.supervisor.connected)
        assert read_session(api.directory(SESSION)).cause == "The recorder was stopped"


async def test_a_hung_recorder_is_replaced(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording")
        pid = (await api.status()).pid
        os.kill(pid, signal.SIGSTOP)
        await api.sees(SESSION, "recording", "interrupted")
        await eventually(lambda: api.supervisor.connected)
        assert (await api.status()).pid != pid


async def test_a_hung_recorder_is_not_adopted(tmp_path: Path) -> None:
    async with supervised(tmp_path, leave_running=True) as api:
        pid = (await api.status()).pid
    os.kill(pid, signal.SIGSTOP)
    async with supervised(tmp_path) as api:
        await eventually(lambda: api.supervisor.connected, within=20)
        assert (await api.status()).pid != pid


async def test_a_recorder_with_other_settings_is_replaced_in_good_order(tmp_path: Path) -> None:
    async with supervised(tmp_path, leave_running=True) as api:
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording")
        pid = (await api.status()).pid
    async with supervised(tmp_path, segment_seconds=5.0) as api:
        assert (await api.status()).pid != pid
        assert read_session(api.directory(SESSION)).cause == "The recorder was stopped"


async def test_shutting_down_ends_the_recorder_and_closes_its_files(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording")
        pid = (await api.status()).pid
    assert WorkerProcess(pid).gone
    assert read_session(api.directory(SESSION)).ended_at_us is not None
    assert not api.config.socket_path.exists()


async def test_a_recorder_that_nobody_asks_for_ends(tmp_path: Path) -> None:
    async with supervised(tmp_path, orphan_seconds=0.5, leave_running=True) as api:
        worker = WorkerProcess((await api.status()).pid)
    assert await worker.wait_gone(10)


async def test_a_recorder_that_cannot_start_is_tried_again_and_requests_say_so(tmp_path: Path) -> None:
    (tmp_path / "buffer").write_text("no directory")
    async with supervised(tmp_path, patience=Patience(restart=1.0)) as api:
        with pytest.raises(NoCapacityError):
            await api.supervisor.request(GetStatus())
        await eventually(lambda: api.supervisor.starts >= 2)
        (tmp_path / "buffer").unlink()
        await eventually(lambda: api.supervisor.connected, within=20)


async def test_a_command_that_does_not_exist_is_no_crash(tmp_path: Path) -> None:
    async with supervised(tmp_path, command=("/nowhere/python",), patience=Patience(restart=0.3)) as api:
        with pytest.raises(NoCapacityError):
            await api.supervisor.request(GetStatus())
        assert not api.supervisor.connected


async def test_a_generator_that_dies_is_started_again(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording")
        (child,) = await eventually(lambda: children((api.supervisor.status and api.supervisor.status.pid) or 0))
        os.kill(child, signal.SIGKILL)
        await api.sees(SESSION, "recording", "interrupted", "recording")
        assert [gap.cause for gap in summary(api.directory(SESSION)).gaps] == ["reconnect"]


async def test_generators_end_with_their_recorder(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording")
        pid = (await api.status()).pid
        (child,) = await eventually(lambda: children(pid))
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: WorkerProcess(child).gone, what="the generator's end")


async def test_starting_twice_is_starting_once(tmp_path: Path) -> None:
    async with supervised(tmp_path) as api:
        await api.synthesise(SESSION)
        await api.synthesise(SESSION)
        await api.sees(SESSION, "recording")
        assert len(children((await api.status()).pid)) == 1


def children(pid: int) -> list[int]:
    """Process ids of the living children (proc(5))."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listing:  # noqa: PTH123
            return [int(child) for child in listing.read().split()]
    except FileNotFoundError:
        return []
