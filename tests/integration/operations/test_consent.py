"""What people say about being buffered holds at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.communities import SaidCommunities
from tests.support.household import ALICE, BOB, Household, a_household
from tests.support.session_rows import START_US

from lookback.access.audit import Action
from lookback.access.consent import EVERYWHERE, Statement
from lookback.errors import ConsentError
from lookback.sessions.admission import Admission, Ask
from lookback.sessions.consent import FORBIDDEN
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

FORBID = Statement(EVERYWHERE, "forbid")


@pytest.fixture
async def household(tmp_path: Path) -> AsyncIterator[Household]:
    async with a_household(tmp_path) as household:
        yield household


def an_admission(household: Household) -> Admission:
    return Admission(
        household.rows, SaidCommunities(), household.consents, household.audit, lambda: START_US, lambda: "new"
    )


@pytest.mark.parametrize("state", [s for s in SessionState if s.active])
async def test_forbidding_ends_what_runs_and_keeps_what_was_buffered(household: Household, state: SessionState) -> None:
    session = await household.has_session("alice", "s1", state)
    await household.has_session("bob", "s2", SessionState.RECORDING)
    assert await household.consent.say(ALICE, FORBID) == [FORBID]
    ended = await household.rows.get("s1")
    assert ended is not None
    assert (ended.state, ended.reason) == (SessionState.DRAINING, FORBIDDEN)
    assert household.buffers.directory(session).exists()
    assert await household.rows.active_of("bob") is not None, "it is hers alone"
    assert household.recorder.kinds == ["stop"]


async def test_forbidding_a_room_ends_what_runs_there_only(household: Household) -> None:
    await household.has_session("alice", "s1", SessionState.RECORDING)
    await household.consent.say(ALICE, Statement("elsewhere", "forbid"))
    assert await household.rows.active_of("alice") is not None
    await household.consent.say(ALICE, Statement("demo", "forbid"))
    assert await household.rows.active_of("alice") is None


async def test_what_is_allowed_in_a_room_goes_on_when_the_rest_is_forbidden(household: Household) -> None:
    await household.has_session("alice", "s1", SessionState.RECORDING)
    await household.consent.say(ALICE, Statement("demo", "allow"))
    await household.consent.say(ALICE, FORBID)
    assert await household.rows.active_of("alice") is not None


async def test_saying_it_again_and_saying_something_else_end_nothing(household: Household) -> None:
    await household.has_session("alice", "s1", SessionState.RECORDING)
    for statement in (Statement(EVERYWHERE, "allow"), Statement("demo", auto_start=False)):
        await household.consent.say(ALICE, statement)
    assert await household.rows.active_of("alice") is not None
    assert household.recorder.kinds == []


async def test_who_said_what_when_is_in_the_trail_with_the_end_it_made(household: Household) -> None:
    await household.has_session("alice", "s1", SessionState.RECORDING)
    await household.consent.say(ALICE, Statement("demo", "forbid", auto_start=True))
    said, ended = await household.trail()
    assert (said.action, said.actor, said.subject, said.room_name) == (
        Action.CONSENT_CHANGED,
        "alice",
        "alice",
        "demo",
    )
    assert said.facts == {"buffering": "forbid", "autoStart": True}
    assert (ended.action, ended.actor, ended.facts["cause"]) == (Action.SESSION_STOPPED, "alice", FORBIDDEN)


@pytest.mark.parametrize("source", ["whip", "synthetic"])
async def test_nothing_begins_that_is_forbidden(household: Household, source: str) -> None:
    await household.consent.say(ALICE, FORBID)
    with pytest.raises(ConsentError, match="You have forbidden to be buffered here"):
        await an_admission(household).admit(ALICE, Ask("demo", source))  # type: ignore[arg-type]
    with pytest.raises(ConsentError, match="This person does not want to be buffered"):
        await an_admission(household).admit(ALICE, Ask("demo", source, by_itself=True))  # type: ignore[arg-type]
    assert await household.rows.in_states(list(SessionState)) == []
    await household.consent.say(ALICE, Statement("demo", "allow"))
    assert (await an_admission(household).admit(ALICE, Ask("demo", source))).user_id == "alice"  # type: ignore[arg-type]


async def test_a_start_and_a_forbid_at_once_never_leave_a_session(household: Household) -> None:
    for number in range(20):
        who = BOB if number % 2 else ALICE
        await household.consent.say(who, Statement(EVERYWHERE, "allow"))
        await asyncio.gather(
            an_admission(household).admit(who, Ask("demo", "whip")),
            household.consent.say(who, FORBID),
            return_exceptions=True,
        )
        assert await household.rows.active_of(who.user_id) is None
        await household.rows.remove("new")
