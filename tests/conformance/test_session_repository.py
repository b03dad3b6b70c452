"""What every SessionRepository promises, and that the migrations make the tables of the models."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.support.session_rows import START_US, a_row

from lookback.db.engine import migrate
from lookback.db.models import Base
from lookback.db.sessions import SqlSessionRepository
from lookback.sessions.model import SessionState
from lookback.sessions.story import SessionEvent

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.sessions.ports import SessionRepository

RECORDING, INTERRUPTED, DRAINING = SessionState.RECORDING, SessionState.INTERRUPTED, SessionState.DRAINING
OVER = [DRAINING, SessionState.EXPIRED, SessionState.FAILED]


@pytest.fixture
def sessions(engine: AsyncEngine) -> SessionRepository:
    return SqlSessionRepository(engine)


async def test_what_is_added_is_found_again_with_all_of_it(sessions: SessionRepository) -> None:
    row = replace(
        a_row(room_name="../Räume\u202e/" + "x" * 250, community_id="c1", reason="why", state=DRAINING),
        ended_at_us=START_US + 1,
        drains_at_us=START_US + 2,
        video_codec="h264",
        audio_codec="opus",
        width=1920,
        height=1080,
        ice_etag='"e"',
        track_sid="TR_x",
        include_microphone=True,
    )
    assert await sessions.add(row) == row
    assert await sessions.get("s1") == row


async def test_what_is_not_there_is_none(sessions: SessionRepository) -> None:
    assert await sessions.get("nothing") is None
    assert await sessions.active_of("nobody") is None
    assert await sessions.change("nothing", RECORDING, reason="x") is None
    await sessions.remove("nothing")
    assert await sessions.in_states([]) == []


async def test_sessions_are_found_by_their_track_in_every_state(sessions: SessionRepository) -> None:
    for number, state in enumerate(SessionState):
        await sessions.add(a_row(f"s{number}", state, user_id=f"u{number}", track_sid=f"TR_{number % 2}"))
    assert {row.session_id for row in await sessions.of_tracks(["TR_0", "TR_9"])} == {"s0", "s2", "s4"}
    assert await sessions.of_tracks([]) == []
    await sessions.change("s0", SessionState.STARTING, track_sid="TR_9")
    assert [row.session_id for row in await sessions.of_tracks(["TR_9"])] == ["s0"]


async def test_of_fifty_sessions_begun_at_once_by_one_user_exactly_one_is(sessions: SessionRepository) -> None:
    rows = [a_row(f"s{number}") for number in range(50)]
    there = await asyncio.gather(*(sessions.add(row) for row in rows))
    assert len({session.session_id for session in there}) == 1, "all are told the same one"
    assert await sessions.in_states(list(SessionState)) == [there[0]]


async def test_fifty_users_begin_at_once(sessions: SessionRepository) -> None:
    rows = [a_row(f"s{number}", user_id=f"u{number}") for number in range(50)]
    assert await asyncio.gather(*(sessions.add(row) for row in rows)) == rows


@pytest.mark.parametrize("state", [state for state in SessionState if state.active])
async def test_a_user_with_an_active_session_gets_no_other(sessions: SessionRepository, state: SessionState) -> None:
    first = await sessions.add(a_row("first", state))
    assert await sessions.add(a_row("second")) == first
    assert await sessions.active_of("alice") == first
    assert await sessions.get("second") is None


async def test_sessions_that_are_over_take_no_place(sessions: SessionRepository) -> None:
    for number, state in enumerate(OVER * 2):
        await sessions.add(a_row(f"over-{number}", state))
    assert await sessions.active_of("alice") is None
    assert (await sessions.add(a_row("new"))).session_id == "new"


async def test_the_same_session_is_added_once(sessions: SessionRepository) -> None:
    first = await sessions.add(a_row(state=DRAINING))
    assert await sessions.add(a_row(state=DRAINING, room_name="other")) == first


async def test_a_change_needs_the_expected_state(sessions: SessionRepository) -> None:
    await sessions.add(a_row(state=RECORDING))
    assert await sessions.change("s1", INTERRUPTED, reason="x") is None
    changed = await sessions.change("s1", RECORDING, state=INTERRUPTED, reason="gone", since_us=START_US + 5)
    assert changed == a_row(state=INTERRUPTED, reason="gone", since_us=START_US + 5)
    assert await sessions.get("s1") == changed


async def test_of_many_changes_at_once_from_one_state_one_is_made(sessions: SessionRepository) -> None:
    await sessions.add(a_row(state=RECORDING))
    targets: list[Any] = [INTERRUPTED, DRAINING] * 10
    made = await asyncio.gather(*(sessions.change("s1", RECORDING, state=to, reason=to) for to in targets))
    winner = [session for session in made if session is not None]
    assert len(winner) == 1
    assert await sessions.get("s1") == winner[0]


async def test_sessions_are_found_by_state_user_and_room_newest_first(sessions: SessionRepository) -> None:
    await sessions.add(a_row("old", DRAINING, started_at_us=1))
    await sessions.add(a_row("new", RECORDING, started_at_us=3))
    await sessions.add(a_row("elsewhere", DRAINING, started_at_us=2, room_name="other"))
    await sessions.add(a_row("theirs", RECORDING, user_id="bob", started_at_us=4))

    async def ids(*states: SessionState, **where: str) -> list[str]:
        return [session.session_id for session in await sessions.in_states(states, **where)]

    assert await ids(DRAINING, RECORDING) == ["theirs", "new", "elsewhere", "old"]
    assert await ids(DRAINING, RECORDING, user_id="alice") == ["new", "elsewhere", "old"]
    assert await ids(DRAINING, RECORDING, user_id="alice", room_name="demo") == ["new", "old"]
    assert await ids(RECORDING, room_name="demo") == ["theirs", "new"]


async def test_pages_join_whatever_comes_and_goes_and_stale_failures_are_left_out(sessions: SessionRepository) -> None:
    for number, started_at_us in enumerate((1, 2, 2, 2, 3)):
        await sessions.add(a_row(f"s{number}", DRAINING, started_at_us=started_at_us))
    await sessions.add(a_row("stale", SessionState.FAILED, started_at_us=2, since_us=10))
    await sessions.add(a_row("fresh", SessionState.FAILED, started_at_us=2, since_us=11))
    await sessions.add(a_row("gone", SessionState.EXPIRED, started_at_us=2))

    async def ids(after: tuple[int, str] | None = None) -> list[str]:
        shown = {DRAINING, RECORDING, SessionState.FAILED}
        return [row.session_id for row in await sessions.page(shown, failed_after_us=10, limit=3, after=after)]

    assert await ids() == ["s4", "s3", "s2"]
    assert await ids((2, "s2")) == ["s1", "fresh", "s0"]
    await sessions.remove("s2")
    await sessions.add(a_row("new", RECORDING, started_at_us=4))
    assert await ids((2, "s2")) == ["s1", "fresh", "s0"]
    assert await ids((1, "s0")) == []


async def test_a_removed_session_is_gone_and_its_place_is_free(sessions: SessionRepository) -> None:
    await sessions.add(a_row())
    await sessions.remove("s1")
    assert await sessions.get("s1") is None
    assert (await sessions.add(a_row("s2"))).session_id == "s2"


async def test_the_first_and_the_last_events_of_a_session_are_kept_in_order_until_it_is_removed(
    sessions: SessionRepository,
) -> None:
    await sessions.add(a_row())
    await sessions.tell("s2", SessionEvent(1, "starting", "Another's"))
    for number in range(1, 206):
        await sessions.tell("s1", SessionEvent(number, "interrupted", f"Event {number}"))
    kept = await sessions.events("s1")
    assert [event.number for event in kept] == [*range(1, 21), *range(26, 206)]
    assert kept[20] == SessionEvent(26, "interrupted", "Event 26", 26)
    await sessions.remove("s1")
    assert await sessions.events("s1") == []
    assert await sessions.events("s2") == [SessionEvent(1, "starting", "Another's", 1)]


async def test_sessions_are_found_by_how_their_id_begins_newest_first(sessions: SessionRepository) -> None:
    for number, session_id in enumerate(("a_1", "a-2", "b")):
        await sessions.add(a_row(session_id, SessionState.FAILED, started_at_us=number))
    found = {start: await sessions.beginning_with(start, 2) for start in ("a", "a_", "", "%", "c")}
    assert {start: [row.session_id for row in rows] for start, rows in found.items()} == {
        "a": ["a-2", "a_1"],
        "a_": ["a_1"],
        "": ["b", "a-2"],
        "%": [],
        "c": [],
    }


async def test_the_migrations_make_the_tables_of_the_models(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_changes_nothing(engine: AsyncEngine, sessions: SessionRepository) -> None:
    await sessions.add(a_row())
    await migrate(engine)
    assert await sessions.get("s1") == a_row()
