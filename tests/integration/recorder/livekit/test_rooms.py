"""One connection per room, however many share in it; and rooms know nothing of each other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from livekit import api
from tests.support.livekit_publisher import livekit_participant, livekit_sharing
from tests.support.livekit_recorder import RoomRecorder, a_room_recorder, assert_consecutive, share_of
from tests.support.livekit_server import LivekitServer, a_livekit_server
from tests.support.supervised import now_us
from tests.support.waiting import eventually

from lookback.errors import LookbackError

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {"size": (320, 180)}


async def test_two_sharers_of_a_room_share_a_recorder(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    alice, bob = share_of("alice", "two"), share_of("bob", "two")
    async with (
        livekit_sharing(livekit, "two", "alice", **SMALL) as first,
        livekit_sharing(livekit, "two", "bob", codec="vp8", **SMALL) as second,
    ):
        await asyncio.gather(recorder.record(alice), recorder.record(bob))
        await recorder.worker.sees(alice, "recording")
        await recorder.worker.sees(bob, "recording")
        assert len(await recorder.recorders("two")) == 1
        await recorder.reaches(alice, now_us() + 1_000_000)
        await recorder.stop(alice)
        await recorder.reaches(bob, now_us() + 1_000_000)
        assert len(await recorder.recorders("two")) == 1
        assert await recorder.is_recorded("two")
        await recorder.stop(bob)

        async def left() -> bool:
            return not await recorder.recorders("two") and not await recorder.is_recorded("two")

        await eventually(left, within=3.0)
    assert_consecutive(recorder.pictures(alice), first.began_us)
    assert_consecutive(recorder.pictures(bob), second.began_us)
    assert recorder.worker.moves_of(bob) == ["recording", "stopped"]


async def test_asking_again_for_what_is_recorded_changes_nothing(
    livekit: LivekitServer, recorder: RoomRecorder
) -> None:
    alice = share_of("alice", "same")
    async with livekit_sharing(livekit, "same", "alice", **SMALL):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await recorder.record(alice)
        await recorder.reaches(alice, now_us() + 500_000)
        assert recorder.worker.moves_of(alice) == ["recording"]
        await recorder.stop(alice)
    assert recorder.runs(alice) == 1


async def test_somebody_who_does_not_share_does_not_disturb_who_does(
    livekit: LivekitServer, recorder: RoomRecorder
) -> None:
    alice, bob = share_of("alice", "guest"), share_of("bob", "guest")
    async with livekit_sharing(livekit, "guest", "alice", **SMALL), livekit_participant(livekit, "guest", "bob"):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        refusals = await asyncio.gather(recorder.record(bob), recorder.record(bob), return_exceptions=True)
        assert [type(refusal).__name__ for refusal in refusals] == ["NobodySharingError"] * 2
        await recorder.reaches(alice, now_us() + 500_000)
        assert recorder.worker.moves_of(alice) == ["recording"]
        await recorder.stop(alice)


async def test_a_server_that_dies_does_not_disturb_the_other(
    livekit: LivekitServer, recorder: RoomRecorder, tmp_path: Path
) -> None:
    alice, bob = share_of("alice", "here"), share_of("bob", "there")
    async with (
        a_livekit_server(tmp_path / "livekit") as there,
        livekit_sharing(livekit, "here", "alice", **SMALL) as publisher,
        livekit_sharing(there, "there", "bob", **SMALL),
    ):
        elsewhere = RoomRecorder(recorder.worker, there)
        await recorder.record(alice)
        await elsewhere.record(bob)
        await recorder.worker.sees(alice, "recording")
        await recorder.worker.sees(bob, "recording")
        there.kill()
        await recorder.reaches(alice, now_us() + 3_000_000)
        assert recorder.worker.moves_of(alice) == ["recording"]
        await recorder.stop(bob)
        await recorder.stop(alice)
    assert_consecutive(recorder.pictures(alice), publisher.began_us)


async def test_a_worker_that_is_stopped_leaves_its_rooms(livekit: LivekitServer, tmp_path: Path) -> None:
    alice = share_of("alice", "over")
    async with livekit_sharing(livekit, "over", "alice", **SMALL):
        async with a_room_recorder(tmp_path, livekit) as recorder:
            await recorder.record(alice)
            await recorder.worker.sees(alice, "recording")
        assert await recorder.recorders("over") == []


async def test_no_token_is_written_to_the_log(
    livekit: LivekitServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    alice = share_of("alice", "log")
    async with (
        livekit_sharing(livekit, "log", "alice", **SMALL),
        a_room_recorder(tmp_path, livekit, log_level="debug") as recorder,
    ):
        token = recorder.token(alice)
        await recorder.record(alice, token=token)
        await recorder.worker.sees(alice, "recording")
        async with livekit.client() as client:
            await client.room.delete_room(api.DeleteRoomRequest(room="log"))
        await recorder.worker.sees(alice, "recording", "interrupted")
        with pytest.raises(LookbackError):
            await recorder.record(alice, token=token, url="ws://127.0.0.1:9")
    written = capfd.readouterr()
    assert "livekit.not_joined" in written.err
    assert "eyJ" not in written.err + written.out  # how every JWT begins
