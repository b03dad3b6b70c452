from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from tests.support.livekit_rooms import SaidLivekit, a_room, a_sharer, a_watcher
from tests.support.session_rows import START_US, RememberingRecorder, a_row
from tests.support.waiting import eventually

from lookback.errors import NobodySharingError, NoCapacityError
from lookback.recorder.control import RecordLivekit
from lookback.sessions.livekit_shares import LivekitStarter, Patience
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECOND = 1_000_000
INTERRUPTED = a_row(state=SessionState.INTERRUPTED, source="livekit")
PATIENCE = Patience()


@dataclass(slots=True)
class Room:
    """A starter for shares of a room. `now_us` is its clock."""

    livekit: SaidLivekit = field(default_factory=lambda: SaidLivekit([a_room(a_sharer())]))
    recorder: RememberingRecorder = field(default_factory=RememberingRecorder)
    now_us: int = START_US + 60 * SECOND

    def clock(self) -> int:
        return self.now_us

    @asynccontextmanager
    async def starter(self) -> AsyncIterator[LivekitStarter]:
        starter = LivekitStarter(self.recorder, self.livekit, "lookback-here", self.clock, PATIENCE)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(starter.run())
            yield starter
            running.cancel()

    async def tries(self, starter: LivekitStarter) -> int:
        """How often recording has been asked for, once everything that was begun is done."""
        await eventually(lambda: not any(attempt.running for attempt in starter._attempts.values()))
        return self.recorder.kinds.count("record_livekit")


async def test_what_is_begun_is_recorded_by_a_hidden_participant() -> None:
    room = Room()
    session = replace(INTERRUPTED, include_microphone=True, participant_identity="phone-1")
    async with room.starter() as starter:
        await starter.begin(session)
    (request,) = room.recorder.asked
    assert isinstance(request, RecordLivekit)
    assert (request.url, request.token) == ("ws://livekit", "lookback-here may record demo")
    assert (request.session.participant_identity, request.include_microphone) == ("phone-1", True)
    assert "may record" not in repr(request)


async def test_what_stands_against_it_is_raised() -> None:
    room = Room(recorder=RememberingRecorder(refusal=NobodySharingError("Nobody is sharing")))
    async with room.starter() as starter:
        with pytest.raises(NobodySharingError):
            await starter.begin(INTERRUPTED)


async def test_a_share_that_the_recorder_has_lost_is_recorded_again_at_once() -> None:
    room = Room(now_us=START_US)
    async with room.starter() as starter:
        await starter.resume(INTERRUPTED)
        assert await room.tries(starter) == 1


async def test_a_recorder_that_waits_in_the_room_is_first_left_to_itself() -> None:
    room = Room(now_us=START_US, recorder=RememberingRecorder(known=["s1"]))
    async with room.starter() as starter:
        await starter.resume(INTERRUPTED)
        assert await room.tries(starter) == 0
        room.now_us += PATIENCE.own_us
        await starter.resume(INTERRUPTED)
        assert await room.tries(starter) == 1, "it has missed that there is a share again"


@pytest.mark.parametrize("rooms", [[], [a_room()], [a_room(a_watcher("alice"))], [a_room(a_sharer("bob"))]])
async def test_nobody_joins_a_room_where_there_is_nothing_to_record(rooms: list[object]) -> None:
    room = Room(livekit=SaidLivekit(rooms))  # type: ignore[arg-type]
    async with room.starter() as starter:
        for _ in range(3):
            await starter.resume(INTERRUPTED)
            assert await room.tries(starter) == 0
            room.now_us += SECOND


async def test_asking_twice_a_second_asks_the_recorder_once() -> None:
    room = Room()
    async with room.starter() as starter:
        for _ in range(10):
            await starter.resume(INTERRUPTED)
        assert await room.tries(starter) == 1


async def test_what_fails_is_tried_again_later_and_later() -> None:
    room = Room(recorder=RememberingRecorder(refusal=NoCapacityError("Not now")))
    async with room.starter() as starter:
        tried_at: list[float] = []
        for tenth in range(400):
            room.now_us = START_US + 60 * SECOND + tenth * SECOND // 10
            await starter.resume(INTERRUPTED)
            if await room.tries(starter) > len(tried_at):
                tried_at.append(tenth / 10)
        assert tried_at == [0, 1, 3, 7, 15, 25, 35]
        room.recorder.refusal = None
        room.now_us += 10 * SECOND
        await starter.resume(INTERRUPTED)
        await room.tries(starter)
        assert starter._attempts == {}, "the next interruption begins anew"


async def test_a_server_that_does_not_answer_is_asked_again_later() -> None:
    room = Room(livekit=SaidLivekit([a_room(a_sharer())], away=True))
    async with room.starter() as starter:
        await starter.resume(INTERRUPTED)
        assert await room.tries(starter) == 0
        room.livekit.away = False
        room.now_us += SECOND
        await starter.resume(INTERRUPTED)
        assert await room.tries(starter) == 1
