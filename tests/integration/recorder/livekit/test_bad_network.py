"""Media over a network that loses packets, and over one that stops: the socket to the server stays."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.livekit_publisher import livekit_sharing
from tests.support.livekit_recorder import a_room_recorder, assert_consecutive, share_of
from tests.support.supervised import now_us
from tests.support.waiting import eventually

from lookback.buffer.reader import summary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.livekit_recorder import RoomRecorder
    from tests.support.livekit_server import LivekitServer

    from lookback.media.gaps import Gap

COMMAND = (sys.executable, "-m", "tests.support.impaired_recorder")
SMALL: dict[str, Any] = {"size": (320, 180)}


# LiveKit sends a packet again three times at most: of 10,000 packets, 10 % would lose one for good, 5 % hardly ever.
@pytest.mark.parametrize("loss", [0.02, 0.05])
async def test_no_picture_is_lost_with_lost_packets(tmp_path: Path, livekit: LivekitServer, loss: float) -> None:
    pictures, gaps, began_us = await recorded(tmp_path, livekit, loss)
    assert_consecutive(pictures, began_us)
    assert gaps == []


@pytest.mark.parametrize("loss", [0.1, 0.2])
async def test_what_resending_cannot_mend_is_told_exactly(tmp_path: Path, livekit: LivekitServer, loss: float) -> None:
    """From the end of the last picture that came whole to the next one, and nothing else is."""
    pictures, gaps, _ = await recorded(tmp_path, livekit, loss)
    missing = [(last, then) for (last, number), (then, following) in pairwise(pictures) if following != number + 1]
    newest_us = pictures[-1][0]
    told = [(gap.start_us, gap.end_us) for gap in gaps if gap.start_us < newest_us]
    for (began, ended), (last, then) in zip(told, missing, strict=True):
        assert 0 < began - last <= 500_000  # what the newest picture lasts is not known for longer
        assert abs(ended - then) < 1_000
    assert {(gap.track, gap.cause) for gap in gaps} <= {("video", "loss")}


async def recorded(folder: Path, livekit: LivekitServer, loss: float) -> tuple[list[tuple[int, int]], list[Gap], int]:
    """Record 8 s over a lossy way: the pictures, the gaps, and when the publisher's clock began, in UTC us."""
    alice = share_of("alice", f"loss-{loss}")
    more: dict[str, Any] = {"command": COMMAND, "environment": {"LOSS": str(loss)}}
    async with (
        livekit_sharing(livekit, alice.room_name, "alice", **SMALL) as publisher,
        a_room_recorder(folder, livekit, **more) as recorder,
    ):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        await recorder.reaches(alice, now_us() + 8_000_000)
        (stats,) = (await recorder.worker.status()).sessions
        await recorder.stop(alice)
        assert stats.retransmissions > 0
        return recorder.pictures(alice), list(summary(recorder.worker.directory(alice)).gaps), publisher.began_us


async def test_a_dead_path_is_replaced_within_the_same_connection(tmp_path: Path, livekit: LivekitServer) -> None:
    alice = share_of("alice", "path")
    deaf = tmp_path / "deaf"
    more: dict[str, Any] = {"command": COMMAND, "environment": {"DEAF": str(deaf)}}
    async with (
        livekit_sharing(livekit, "path", "alice", **SMALL),
        a_room_recorder(tmp_path, livekit, **more) as recorder,
    ):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        deaf.write_text("")
        died_us = now_us()
        await recorder.reaches(alice, died_us + 10_000_000)
        assert recorder.worker.moves_of(alice) == ["recording"]
        assert await participant(recorder, "path") == 1
        await recorder.stop(alice)
    gaps = summary(recorder.worker.directory(alice)).gaps
    assert max(gap.end_us for gap in gaps) - died_us < 8_000_000, gaps
    assert min(gap.start_us for gap in gaps) >= died_us - 500_000, gaps


async def test_a_network_that_stays_away_ends_in_another_connection(tmp_path: Path, livekit: LivekitServer) -> None:
    alice = share_of("alice", "network")
    deaf = tmp_path / "deaf"
    more: dict[str, Any] = {"command": COMMAND, "environment": {"DEAF": str(deaf)}}
    async with (
        livekit_sharing(livekit, "network", "alice", **SMALL),
        a_room_recorder(tmp_path, livekit, **more) as recorder,
    ):
        await recorder.record(alice)
        await recorder.worker.sees(alice, "recording")
        deaf.write_text("all")
        await recorder.worker.sees(alice, "recording", "interrupted", within=20)
        deaf.unlink()
        await recorder.worker.sees(alice, "recording", "interrupted", "recording", within=20)
        await eventually(lambda: only_one(recorder, "network"))
        await recorder.stop(alice)


async def participant(recorder: RoomRecorder, room: str) -> int:
    """How many recorders LiveKit knows in a room."""
    return len(await recorder.recorders(room))


async def only_one(recorder: RoomRecorder, room: str) -> bool:
    """Whether the earlier participants of the recorder are gone."""
    return await participant(recorder, room) == 1
