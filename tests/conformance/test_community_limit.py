"""No more sessions run in a community than may, however many begin at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import pytest
from tests.support.session_rows import START_US, a_row

from lookback.access.audit import Action, Audit, Selection
from lookback.access.communities import InstanceRules
from lookback.access.community_book import CommunityBook
from lookback.access.consent import Consents
from lookback.access.ports import Room
from lookback.access.principal import Principal
from lookback.db.audit import SqlAuditRepository
from lookback.db.communities import SqlCommunityRepository
from lookback.db.consents import SqlConsentRepository
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import CommunityLimitError
from lookback.sessions.admission import Admission, Ask
from lookback.sessions.model import Session, SessionState

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.sessions.ports import SessionRepository

ACTIVE = [state for state in SessionState if state.active]


@pytest.fixture
def sessions(engine: AsyncEngine) -> SessionRepository:
    return SqlSessionRepository(engine)


def a_start(number: int, community_id: str | None = "c1", state: SessionState = SessionState.STARTING) -> Session:
    """A session of a user of its own."""
    return a_row(f"{community_id}-{number}", state, user_id=f"{community_id}-{number}", community_id=community_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of many starts."""

    started: list[Session]
    refused: list[CommunityLimitError]


async def all_at_once(sessions: SessionRepository, starts: list[Session], limit: int | None) -> Outcome:
    done = await asyncio.gather(*(sessions.add(start, limit) for start in starts), return_exceptions=True)
    outcome = Outcome(
        [found for found in done if isinstance(found, Session)],
        [found for found in done if isinstance(found, CommunityLimitError)],
    )
    assert len(outcome.started) + len(outcome.refused) == len(starts), done
    return outcome


async def test_of_a_hundred_that_start_at_once_where_five_may_exactly_five_run(sessions: SessionRepository) -> None:
    outcome = await all_at_once(sessions, [a_start(number) for number in range(100)], 5)
    assert len(outcome.started) == 5
    assert {error.detail for error in outcome.refused} == {"Community replay buffer limit reached"}
    assert all(error.facts == {"limit": 5, "used": 5, "retryAfter": 30} for error in outcome.refused)
    running = await sessions.in_states(ACTIVE)
    assert {session.session_id for session in running} == {session.session_id for session in outcome.started}


async def test_the_same_through_the_door_with_rules_consents_and_the_audit_trail(
    engine: AsyncEngine, sessions: SessionRepository
) -> None:
    communities = SqlCommunityRepository(engine)
    await communities.change("c1", lambda was: replace(was, settings={"max_concurrent": 5}), 1)
    await communities.put_room(Room("office", "c1", 1))
    book = CommunityBook(communities, InstanceRules(), None, None, lambda: START_US)
    trail, numbers = SqlAuditRepository(engine), count()
    consents = Consents(SqlConsentRepository(engine))
    admission = Admission(
        sessions, book, consents, Audit(trail, lambda: START_US), lambda: START_US, lambda: f"s{next(numbers)}"
    )
    done = await asyncio.gather(
        *(admission.admit(Principal(f"user-{number}"), Ask("office", "whip")) for number in range(100)),
        return_exceptions=True,
    )
    started = [found for found in done if isinstance(found, Session)]
    refused = [found for found in done if isinstance(found, CommunityLimitError)]
    assert (len(started), len(refused)) == (5, 95)
    assert len(await sessions.in_states(ACTIVE)) == 5
    told = await trail.page(Selection(action=Action.SESSION_STARTED), limit=100, before_id=None)
    assert {entry.target for entry in told} == {session.session_id for session in started}


async def test_communities_do_not_take_each_others_places(sessions: SessionRepository) -> None:
    starts = [a_start(number, place) for number in range(10) for place in ("c1", "c2", None)]
    outcome = await all_at_once(sessions, starts, 3)
    by_place = [sum(session.community_id == place for session in outcome.started) for place in ("c1", "c2", None)]
    assert by_place == [3, 3, 3]


@pytest.mark.parametrize("state", ACTIVE)
async def test_a_session_has_its_place_as_long_as_it_is_active(
    sessions: SessionRepository, state: SessionState
) -> None:
    await sessions.add(a_start(1, state=state), 1)
    with pytest.raises(CommunityLimitError):
        await sessions.add(a_start(2), 1)
    await sessions.change("c1-1", state, state=SessionState.DRAINING)
    assert await sessions.add(a_start(2), 1) == a_start(2)


async def test_a_lower_limit_ends_nothing_and_lets_nobody_in(sessions: SessionRepository) -> None:
    await all_at_once(sessions, [a_start(number) for number in range(4)], None)
    with pytest.raises(CommunityLimitError) as refusal:
        await sessions.add(a_start(9), 2)
    assert refusal.value.facts == {"limit": 2, "used": 4, "retryAfter": 30}
    assert len(await sessions.in_states(ACTIVE)) == 4


async def test_whoever_has_a_session_is_told_that_rather_than_the_limit(sessions: SessionRepository) -> None:
    first = await sessions.add(a_start(1), 1)
    again = a_row("again", user_id=first.user_id, community_id="c1")
    assert await sessions.add(again, 1) == first
