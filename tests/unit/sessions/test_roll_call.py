from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from tests.support.audit import a_trail
from tests.support.session_rows import START_US, RememberingRecorder, a_database, a_row
from tests.support.session_services import a_service

from lookback.db.sessions import SqlSessionRepository
from lookback.recorder.control import SessionStats, StopSession
from lookback.sessions.model import Session, SessionState
from lookback.sessions.moves import Moves
from lookback.sessions.roll_call import FORGOTTEN, SILENT, UNASKED, Forgotten, RollCall, Silent, Unasked, call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

STARTING, RECORDING, INTERRUPTED, DRAINING, EXPIRED, FAILED = SessionState
SEGMENT_US = 10_000_000
SILENT_US = 30_000_000
HOUR_US = 3_600_000_000
MINE = a_row(state=RECORDING)


def stats(last_packet_us: int | None = START_US) -> SessionStats:
    return SessionStats(session_id="s1", connected=True, recording=True, last_packet_us=last_packet_us)


# ---- one look


@pytest.mark.parametrize("last_us", [None, START_US + 10 * HOUR_US - SILENT_US])
def test_a_share_that_lasts_ten_hours_is_as_it_should_be(last_us: int | None) -> None:
    found = call([MINE], {"s1": stats(last_us)}, now_us=START_US + 10 * HOUR_US, silent_us=SILENT_US)
    assert list(found) == []


def test_what_the_recorder_does_not_know_is_forgotten() -> None:
    assert list(call([MINE], {}, now_us=START_US, silent_us=SILENT_US)) == [Forgotten(MINE)]


def test_what_says_nothing_for_too_long_is_silent() -> None:
    found = call([MINE], {"s1": stats()}, now_us=START_US + SILENT_US + 1, silent_us=SILENT_US)
    assert list(found) == [Silent(MINE, START_US)]


@pytest.mark.parametrize("state", [STARTING, INTERRUPTED])
def test_what_waits_for_its_publisher_has_a_clock_of_its_own(state: SessionState) -> None:
    waiting = a_row(state=state)
    assert list(call([waiting], {}, now_us=START_US + HOUR_US, silent_us=SILENT_US)) == []
    assert list(call([waiting], {"s1": stats()}, now_us=START_US + HOUR_US, silent_us=SILENT_US)) == []


def test_what_no_row_asks_for_is_unasked() -> None:
    assert list(call([], {"s1": stats()}, now_us=START_US, silent_us=SILENT_US)) == [Unasked("s1")]


# ---- one look after the other


@dataclass(slots=True)
class Roll:
    """A roll call over rows and a recorder. `now_us` is its clock; `looks` makes it a minute later each time."""

    rows: SqlSessionRepository
    recorder: RememberingRecorder
    folder: Path
    now_us: int = START_US

    def clock(self) -> int:
        return self.now_us

    def call(self) -> RollCall:
        moves = Moves(self.rows, self.clock, a_trail())
        service = a_service(self.rows, self.recorder, self.folder, self.clock)
        return RollCall(self.rows, self.recorder, moves, service, clock=self.clock, segment_us=SEGMENT_US)

    async def look(self, call: RollCall) -> None:
        self.now_us += 60_000_000
        await call.look()

    async def row(self) -> Session:
        row = await self.rows.get("s1")
        assert row is not None
        return row

    @property
    def released(self) -> list[StopSession]:
        return [request for request in self.recorder.asked if isinstance(request, StopSession)]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with a_database(tmp_path) as engine:
        yield engine


@pytest.fixture
async def roll(engine: AsyncEngine, tmp_path: Path) -> Roll:
    roll = Roll(SqlSessionRepository(engine), RememberingRecorder(), tmp_path)
    await roll.rows.add(MINE)
    return roll


async def test_what_was_forgotten_twice_is_interrupted_and_set_going_or_ended_by_the_clock(roll: Roll) -> None:
    call = roll.call()
    await roll.look(call)
    assert (await roll.row()) == MINE
    await roll.look(call)
    assert ((await roll.row()).state, (await roll.row()).reason) == (INTERRUPTED, FORGOTTEN)


async def test_what_moved_between_two_looks_is_another_matter(roll: Roll) -> None:
    call = roll.call()
    await roll.look(call)
    await roll.rows.change("s1", RECORDING, since_us=roll.now_us)
    await roll.look(call)
    assert (await roll.row()).state is RECORDING


async def test_a_recorder_that_does_not_answer_has_forgotten_nothing(roll: Roll) -> None:
    call = roll.call()
    await roll.look(call)
    roll.recorder.connected = False
    await roll.look(call)
    roll.recorder.connected = True
    await roll.look(call)
    assert (await roll.row()).state is RECORDING


async def test_what_was_silent_twice_ends_as_of_its_last_packet_and_can_still_be_saved_from(roll: Roll) -> None:
    call = roll.call()
    roll.recorder.known, roll.recorder.heard_us = ["s1"], {"s1": START_US}
    await roll.look(call)
    assert (await roll.row()).state is RECORDING
    await roll.look(call)
    ended = await roll.row()
    assert (ended.state, ended.reason, ended.ended_at_us) == (DRAINING, SILENT, START_US)
    assert [request.cause for request in roll.released] == [SILENT]


async def test_one_packet_between_two_looks_is_a_sign_of_life(roll: Roll) -> None:
    call = roll.call()
    roll.recorder.known, roll.recorder.heard_us = ["s1"], {"s1": START_US}
    await roll.look(call)
    roll.recorder.heard_us["s1"] += 1
    await roll.look(call)
    assert await roll.row() == MINE


async def test_a_clock_that_was_set_forward_ends_nothing(roll: Roll) -> None:
    call = roll.call()
    roll.recorder.known, roll.recorder.heard_us = ["s1"], {"s1": START_US}
    roll.now_us += 24 * HOUR_US
    await roll.look(call)
    roll.recorder.heard_us["s1"] = roll.now_us
    await roll.look(call)
    assert await roll.row() == MINE


@pytest.mark.parametrize("state", [DRAINING, EXPIRED, FAILED])
async def test_a_recording_of_what_is_over_is_let_go(engine: AsyncEngine, tmp_path: Path, state: SessionState) -> None:
    roll = Roll(SqlSessionRepository(engine), RememberingRecorder(known=["s1"]), tmp_path)
    await roll.rows.add(replace(MINE, state=state))
    call = roll.call()
    await roll.look(call)
    assert roll.released == []
    await roll.look(call)
    assert roll.released == [StopSession(session_id="s1", cause=UNASKED)]
    assert (await roll.row()).state is state
