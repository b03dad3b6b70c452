"""Whatever breaks between recorder and LiveKit, the session goes on by itself; whoever sends us away is obeyed."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from livekit import api
from tests.support.livekit_publisher import livekit_participant, livekit_sharing
from tests.support.livekit_recorder import RoomRecorder, a_room_recorder, assert_consecutive, share_of
from tests.support.livekit_server import LivekitServer, a_livekit_server
from tests.support.supervised import now_us
from tests.support.tcp_proxy import a_tcp_proxy
from tests.support.waiting import eventually

from lookback.buffer.reader import summary
from lookback.recorder.livekit.leaving import LOST
from lookback.recorder.livekit.place import LEFT

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {"size": (320, 180)}


async def test_no_picture_is_lost_when_the_signalling_socket_is_cut(
    livekit: LivekitServer, recorder: RoomRecorder
) -> None:
    alice = share_of("alice", "cut")
    async with (
        a_tcp_proxy(urlsplit(livekit.url).port or 0) as proxy,
        livekit_sharing(livekit, "cut", "alice", **SMALL) as publisher,
    ):
        await recorder.record(alice, url=f"ws://127.0.0.1:{proxy.port}")
        await recorder.worker.sees(alice, "recording")
        proxy.cut()
        await eventually(lambda: proxy.taken >= 2, what="another socket")
        await recorder.reaches(alice, now_us() + 2_000_000)
        assert recorder.worker.moves_of(alice) == ["recording"]
        # What happens in the room is heard over the new socket.
        await publisher.unpublish()
        await recorder.worker.sees(alice, "recording", "interrupted")
        await recorder.stop(alice)
    assert_consecutive(recorder.pictures(alice), publisher.began_us)
    assert recorder.runs(alice) == 1


async def test_what_happened_while_the_socket_was_away_is_caught_up(
    livekit: LivekitServer, recorder: RoomRecorder
) -> None:
    alice = share_of("alice", "away")
    async with (
        a_tcp_proxy(urlsplit(livekit.url).port or 0) as proxy,
        livekit_participant(livekit, "away", "bob"),
        livekit_sharing(livekit, "away", "alice", **SMALL) as publisher,
    ):
        await recorder.record(alice, url=f"ws://127.0.0.1:{proxy.port}")
        await recorder.worker.sees(alice, "recording")
        proxy.refusing = True
        proxy.cut()
        await publisher.leave()
        await eventually(lambda: proxy.taken >= 4, what="tries to come back")
        proxy.refusing = False
        await recorder.worker.sees(alice, "recording", "interrupted")
        async with livekit_sharing(livekit, "away", "alice", **SMALL):
            await recorder.worker.sees(alice, "recording", "interrupted", "recording")
        await recorder.stop(alice)


async def test_a_server_that_is_killed_and_restarted(tmp_path: Path) -> None:
    alice = share_of("alice", "restart")
    async with (
        a_livekit_server(tmp_path / "livekit") as server,
        a_room_recorder(tmp_path, server) as recorder,
        livekit_sharing(server, "restart", "alice", **SMALL) as publisher,
    ):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await recorder.reaches(alice)
        server.kill()
        killed_us = now_us()
        await server.start()
        up = time.monotonic()
        await publisher.hears("reconnected")
        back = time.monotonic()
        move = await recorder.worker.sees(alice, "recording", "interrupted", "recording")
        assert time.monotonic() - up < 5 or time.monotonic() - back < 2
        assert [m.cause for m in recorder.worker.moves if m.to == "interrupted"] == [LOST]
        await recorder.reaches(alice)
        (gap,) = summary(recorder.worker.directory(alice)).gaps
        assert abs(gap.start_us - killed_us) < 500_000
        assert move.at_us - gap.end_us < 2_000_000
        assert await recorder.recorders("restart") == [f"recorder-{alice.session_id}"]
        await recorder.stop(alice)


async def test_a_recorder_that_is_removed_stays_away(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    alice = share_of("alice", "removed")
    async with livekit_sharing(livekit, "removed", "alice", **SMALL), livekit.client() as client:
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        (identity,) = await recorder.recorders("removed")
        await client.room.remove_participant(api.RoomParticipantIdentity(room="removed", identity=identity))
        move = await recorder.worker.sees(alice, "recording", "interrupted")
        assert move.cause == "The recorder was removed from the room"
        assert await recorder.recorders("removed") == []
        # Whoever asks for it again gets it again, in the same session.
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording", "interrupted", "recording")
        await recorder.stop(alice)


async def test_a_room_that_is_deleted(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    alice = share_of("alice", "deleted")
    async with (
        a_tcp_proxy(urlsplit(livekit.url).port or 0) as proxy,
        livekit_sharing(livekit, "deleted", "alice", **SMALL),
        livekit.client() as client,
    ):
        await recorder.record(alice, url=f"ws://127.0.0.1:{proxy.port}")
        await recorder.worker.sees(alice, "recording")
        proxy.delay_s = 0.4  # media is closed before it is said why
        await client.room.delete_room(api.DeleteRoomRequest(room="deleted"))
        move = await recorder.worker.sees(alice, "recording", "interrupted")
        assert move.cause in {LEFT, "The room was deleted"}  # LiveKit sends everybody away, in any order

        async def gone() -> bool:
            return not (await client.room.list_rooms(api.ListRoomsRequest(names=["deleted"]))).rooms

        await eventually(gone)


async def test_another_recorder_with_the_same_name_takes_over(
    livekit: LivekitServer, recorder: RoomRecorder, tmp_path: Path
) -> None:
    alice = share_of("alice", "twice")
    async with (
        livekit_sharing(livekit, "twice", "alice", **SMALL),
        a_room_recorder(tmp_path / "other", livekit) as other,
    ):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await other.record(alice)
        await other.worker.sees(alice, "recording")
        move = await recorder.worker.sees(alice, "recording", "interrupted")
        assert move.cause == "Another recorder took this recorder's place in the room"
        await other.reaches(alice, now_us() + 1_000_000)
        assert other.worker.moves_of(alice) == ["recording"]


async def test_a_killed_recorder_continues_the_session(livekit: LivekitServer, recorder: RoomRecorder) -> None:
    alice = share_of("alice", "killed")
    async with livekit_sharing(livekit, "killed", "alice", **SMALL):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        before = (await recorder.worker.status()).pid
        os.kill(before, signal.SIGKILL)
        await recorder.worker.sees(alice, "recording", "interrupted")
        await eventually(lambda: recorder.worker.supervisor.connected)
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording", "interrupted", "recording")
        assert len(await recorder.recorders("killed")) == 1
        await recorder.stop(alice)
    assert recorder.runs(alice) == 2
