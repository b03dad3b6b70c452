from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from tests.support.audit import a_trail
from tests.support.session_rows import START_US, a_database, a_row

from lookback.db.models import ACTIVE_STATES
from lookback.db.sessions import SqlSessionRepository
from lookback.sessions.model import MOVES, SessionState
from lookback.sessions.moves import Moves
from lookback.sessions.story import SessionEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

STARTING, RECORDING, INTERRUPTED, DRAINING, EXPIRED, FAILED = SessionState
LEGAL = {
    (STARTING, RECORDING),
    (STARTING, DRAINING),
    (STARTING, FAILED),
    (RECORDING, INTERRUPTED),
    (RECORDING, DRAINING),
    (INTERRUPTED, RECORDING),
    (INTERRUPTED, DRAINING),
    (DRAINING, EXPIRED),
}


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncIterator[SqlSessionRepository]:
    async with a_database(tmp_path) as engine:
        yield SqlSessionRepository(engine)


def test_the_table_says_which_moves_are_legal() -> None:
    assert {(was, to) for was, targets in MOVES.items() for to in targets} == LEGAL
    assert set(MOVES) == set(SessionState)


def test_the_database_and_the_model_mean_the_same_by_active() -> None:
    assert set(ACTIVE_STATES) == {state.value for state in SessionState if state.active}
    assert {state for state in SessionState if state.capturable} == {RECORDING, INTERRUPTED, DRAINING}


def test_nothing_comes_back_to_life() -> None:
    for was, to in LEGAL:
        assert was.active or not to.active


async def test_every_move_is_made_exactly_if_it_is_legal(rows: SqlSessionRepository) -> None:
    moves = Moves(rows, lambda: START_US + 7, a_trail())
    for was, to in product(SessionState, repeat=2):
        name = f"{was}-{to}"
        session = await rows.add(a_row(name, was, user_id=name))
        moved = await moves.move(session, to, "Because")
        assert (moved is not None) == ((was, to) in LEGAL), name
        kept = await rows.get(name)
        assert kept is not None
        assert kept == (moved or session)
        if moved is not None:
            assert (moved.state, moved.since_us) == (to, START_US + 7)
            assert moved.reason == (None if to is RECORDING else "Because")


async def test_of_two_that_move_a_session_one_is_too_late(rows: SqlSessionRepository) -> None:
    moves = Moves(rows, lambda: START_US, a_trail())
    session = await rows.add(a_row())
    assert await moves.move(session, RECORDING, "A key frame came", width=640) is not None
    assert await moves.move(session, FAILED, "No key frame came") is None
    kept = await rows.get("s1")
    assert kept is not None
    assert (kept.state, kept.width, kept.reason) == (RECORDING, 640, None)


async def test_every_move_is_kept_for_the_session_s_story(rows: SqlSessionRepository) -> None:
    moves = Moves(rows, lambda: START_US + 7, a_trail())
    session = await rows.add(a_row())
    recorded = await moves.move(session, RECORDING, "A key frame came")
    assert recorded is not None
    await moves.move(recorded, FAILED, "That is no move")
    await moves.move(session, FAILED, "That is too late")
    await moves.move(recorded, INTERRUPTED, "The publisher left")
    assert await rows.events("s1") == [
        SessionEvent(START_US + 7, "recording", "A key frame came", 1),
        SessionEvent(START_US + 7, "interrupted", "The publisher left", 2),
    ]


async def test_what_is_noted_again_is_kept_once(rows: SqlSessionRepository) -> None:
    moves = Moves(rows, lambda: START_US, a_trail())
    session = await rows.add(a_row(state=RECORDING))
    for kind, cause, reason in (
        ("degraded", "No sound comes", "No sound comes"),
        ("degraded", "No sound comes", "No sound comes"),
        ("restored", "What comes is whole again", None),
        ("restored", "What comes is whole again", None),
    ):
        seen = await rows.get(session.session_id)
        assert seen is not None
        await moves.note(seen, kind, cause, reason)
    assert [(event.kind, event.number) for event in await rows.events("s1")] == [("degraded", 1), ("restored", 2)]
    kept = await rows.get("s1")
    assert kept == session
