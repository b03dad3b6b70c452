"""What is promised about consent, revoked tokens and the rows of an erased person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lookback.access.audit import ERASED, Action, Entry, Selection
from lookback.access.consent import EVERYWHERE, Consents, Statement
from lookback.db.audit import SqlAuditRepository
from lookback.db.consents import SqlConsentRepository
from lookback.db.erasures import SqlErasureRepository
from lookback.db.roles import SqlRoleRepository
from lookback.db.users import SqlUserRepository

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


@pytest.fixture
def consents(engine: AsyncEngine) -> SqlConsentRepository:
    return SqlConsentRepository(engine)


@pytest.fixture
def erasures(engine: AsyncEngine) -> SqlErasureRepository:
    return SqlErasureRepository(engine)


async def test_what_was_said_is_found_again_room_by_room(consents: SqlConsentRepository) -> None:
    assert await consents.said("alice") == []
    await consents.say("alice", Statement("räume/../x", "forbid"), 1)
    await consents.say("alice", Statement(EVERYWHERE, auto_start=True), 2)
    await consents.say("bob", Statement(EVERYWHERE, "forbid"), 3)
    assert await consents.said("alice") == [
        Statement(EVERYWHERE, None, auto_start=True),
        Statement("räume/../x", "forbid"),
    ]


async def test_what_is_left_out_stays_as_it_was(consents: SqlConsentRepository) -> None:
    await consents.say("alice", Statement(EVERYWHERE, "forbid", auto_start=True), 1)
    await consents.say("alice", Statement(EVERYWHERE, "allow"), 2)
    assert await consents.said("alice") == [Statement(EVERYWHERE, "allow", auto_start=True)]
    await consents.say("alice", Statement(EVERYWHERE, auto_start=False), 3)
    assert await consents.said("alice") == [Statement(EVERYWHERE, "allow", auto_start=False)]


async def test_an_erasure_is_pending_until_it_is_finished(erasures: SqlErasureRepository) -> None:
    await erasures.begin("alice", 1, 5)
    await erasures.begin("bob", 2, 6)
    await erasures.begin("alice", 3, 7)
    assert await erasures.pending() == ["alice", "bob"]
    await erasures.finish("alice", 9)
    assert await erasures.pending() == ["bob"]


async def test_tokens_are_revoked_by_the_last_wish_and_stay_so(erasures: SqlErasureRepository) -> None:
    assert await erasures.not_before_us("alice") is None
    await erasures.begin("alice", 1, 5)
    await erasures.begin("alice", 2, 7)
    await erasures.finish("alice", 9)
    assert await erasures.not_before_us("alice") == 7
    assert await erasures.not_before_us("bob") is None


async def test_nothing_that_is_left_names_the_person(erasures: SqlErasureRepository, engine: AsyncEngine) -> None:
    users, consents = SqlUserRepository(engine), SqlConsentRepository(engine)
    await users.seen("alice@example.org", "Alice A.", 1)
    await consents.say("alice@example.org", Statement("r", "forbid"), 1)
    await SqlRoleRepository(engine).put_member("c1", "alice@example.org", ["member"])
    await SqlAuditRepository(engine).add(
        Entry(1, Action.CLIP_VIEWED, "alice@example.org", "bob", address="192.0.2.7", facts={})
    )
    await erasures.begin("alice@example.org", 2, 3)
    await erasures.remove_rows("alice@example.org")
    await erasures.finish("alice@example.org", 4)
    told = await everything_in(engine)
    assert "bob" in told
    for word in ("alice@example.org", "Alice A.", "192.0.2.7"):
        assert word not in told, word


async def everything_in(engine: AsyncEngine) -> str:
    """Every value of every table."""
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if engine.dialect.name == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    async with engine.connect() as connection:
        tables = (await connection.execute(text(names))).scalars().all()
        assert "audit_entries" in tables
        return repr([(await connection.execute(text(f'SELECT * FROM "{name}"'))).all() for name in tables])


async def test_the_trail_keeps_what_happened_under_one_name(
    erasures: SqlErasureRepository, engine: AsyncEngine
) -> None:
    trail = SqlAuditRepository(engine)
    await trail.add(Entry(1, Action.CLIP_VIEWED, "alice", "bob", address="192.0.2.7"))
    await trail.add(Entry(2, Action.QUOTA_CHANGED, "bob", "alice", address="192.0.2.8"))
    await erasures.begin("alice", 3, 4)
    await erasures.finish("alice", 5)
    first, second = [entry async for entry in trail.all(Selection())]
    assert isinstance(first.actor, str)
    assert first.actor.startswith(ERASED)
    assert second.subject == first.actor
    assert (first.address, second.address) == (None, "192.0.2.8"), "whose it was, not where others were"
    found = [entry.at_us async for entry in trail.all(Selection(user=first.actor))]
    assert found == [1, 2], "they can be asked for by that name"
    assert [entry async for entry in trail.all(Selection(user="alice"))] == []


async def test_the_trail_lets_go_of_nobody_who_is_not_being_erased(
    erasures: SqlErasureRepository, engine: AsyncEngine
) -> None:
    trail = SqlAuditRepository(engine)
    await trail.add(Entry(1, Action.CLIP_VIEWED, "bob", address="192.0.2.8"))
    await erasures.begin("alice", 1, 1)
    await erasures.finish("alice", 2)
    await erasures.begin("alice", 3, 3)
    for table in ("audit_people", "audit_addresses"):
        with pytest.raises(DBAPIError, match="the audit trail is only added to"):
            async with engine.begin() as connection:
                await connection.execute(text(f"DELETE FROM {table} WHERE person_key IS NOT NULL"))


async def test_nobody_buffers_an_erased_person_until_they_come_back(
    erasures: SqlErasureRepository, consents: SqlConsentRepository, engine: AsyncEngine
) -> None:
    asked, users = Consents(consents), SqlUserRepository(engine)
    await users.seen("alice", None, 1)
    assert not await asked.forbidden("alice", "r")
    await erasures.begin("alice", 2, 2)
    assert await asked.forbidden("alice", "r"), "while it is going on"
    await erasures.remove_rows("alice")
    await erasures.finish("alice", 3)
    assert await asked.forbidden("alice", "r"), "when it is done"
    await users.seen("alice", None, 4)
    assert not await asked.forbidden("alice", "r")
