"""What every AuditRepository promises, and that the database itself refuses to change the trail."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.support.audit import MemoryAuditRepository
from tests.support.session_rows import a_row

from lookback.access.audit import Action, AuditRepository, Entry, Nobody, Selection
from lookback.db.audit import SqlAuditRepository
from lookback.db.sessions import SqlSessionRepository

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

ALL = Selection()
FULL = Entry(
    at_us=1_000,
    action=Action.QUOTA_CHANGED,
    actor="../änne/" + "x" * 240,
    subject="bob",
    target="t1",
    community_id="c1",
    room_name="../räume\u202e",
    address="2001:db8::1",
    facts={"quotaBytes": {"from": None, "to": 5}, "roles": ["a", "b"]},
)


@pytest.fixture(params=["sql", "memory"])
def trail(request: pytest.FixtureRequest, engine: AsyncEngine) -> AuditRepository:
    return SqlAuditRepository(engine) if request.param == "sql" else MemoryAuditRepository()


@pytest.fixture
def sql(engine: AsyncEngine) -> SqlAuditRepository:
    return SqlAuditRepository(engine)


def an_entry(at: int = 1_000, action: Action = Action.CLIP_VIEWED, actor: str = "alice", **more: Any) -> Entry:
    return Entry(at_us=at, action=action, actor=actor, **more)


async def everything(trail: AuditRepository, wanted: Selection = ALL) -> list[Entry]:
    return [entry async for entry in trail.all(wanted)]


async def test_what_is_added_is_found_again_with_all_of_it(trail: AuditRepository) -> None:
    await trail.add(FULL)
    (found,) = await trail.page(ALL, limit=10, before_id=None)
    assert found == replace(FULL, entry_id=found.entry_id)
    assert found.entry_id > 0
    assert await everything(trail) == [found]


@pytest.mark.parametrize("actor", list(Nobody))
async def test_actors_may_be_nobody_in_particular(trail: AuditRepository, actor: Nobody) -> None:
    await trail.add(Entry(at_us=1, action=Action.SESSION_STOPPED, actor=actor))
    assert [entry.actor for entry in await everything(trail)] == [actor]


async def test_a_user_may_be_called_like_a_kind_of_nobody(trail: AuditRepository) -> None:
    await trail.add(an_entry(actor="server"))
    assert [entry.actor for entry in await everything(trail)] == ["server"]


async def test_pages_are_newest_first_and_join(trail: AuditRepository) -> None:
    for at in range(1, 8):
        await trail.add(an_entry(at))
    seen: list[int] = []
    before_id = None
    while page := await trail.page(ALL, limit=3, before_id=before_id):
        seen += [entry.at_us for entry in page]
        before_id = page[-1].entry_id
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_entries_that_come_meanwhile_do_not_shift_the_next_page(trail: AuditRepository) -> None:
    for at in range(1, 5):
        await trail.add(an_entry(at))
    first = await trail.page(ALL, limit=2, before_id=None)
    await trail.add(an_entry(9))
    assert [e.at_us for e in await trail.page(ALL, limit=2, before_id=first[-1].entry_id)] == [2, 1]


async def test_selections_narrow(trail: AuditRepository) -> None:
    await trail.add(an_entry(1, actor="alice", community_id="c1"))
    await trail.add(an_entry(2, actor="bob", subject="alice"))
    await trail.add(an_entry(3, Action.CLIP_DELETED, actor="bob", community_id="c1"))
    await trail.add(an_entry(4, actor="carol", community_id="c2"))

    async def at(**wanted: object) -> list[int]:
        return [entry.at_us for entry in await everything(trail, Selection(**wanted))]  # type: ignore[arg-type]

    assert await at() == [1, 2, 3, 4]
    assert await at(community_id="c1") == [1, 3]
    assert await at(user="alice") == [1, 2], "as actor and as subject"
    assert await at(user="nobody") == []
    assert await at(action=Action.CLIP_DELETED) == [3]
    assert await at(from_us=2, until_us=4) == [2, 3], "half-open"
    assert await at(community_id="c1", user="bob", action=Action.CLIP_DELETED, from_us=3, until_us=4) == [3]


async def test_all_of_a_long_trail_is_told_oldest_first_as_of_when_it_began(trail: AuditRepository) -> None:
    async with trail.together():
        for at in range(603):
            await trail.add(an_entry(at))
    told: list[int] = []
    async for entry in trail.all(ALL):
        told.append(entry.at_us)
        if len(told) == 1:
            await trail.add(an_entry(9_999))
    assert told == list(range(603))


async def test_pruning_removes_what_is_older_and_says_how_much(trail: AuditRepository) -> None:
    for at in (10, 20, 30):
        await trail.add(replace(an_entry(at), address="10.0.0.1"))
    assert await trail.prune(20) == 1
    assert [entry.at_us for entry in await everything(trail)] == [20, 30]
    assert await trail.prune(10) == 0, "never backwards"
    assert await trail.prune(100) == 2
    await trail.add(an_entry(200))
    assert [entry.at_us for entry in await everything(trail)] == [200]


async def test_ids_are_never_given_out_twice(sql: SqlAuditRepository) -> None:
    await sql.add(an_entry(10))
    (first,) = await everything(sql)
    assert await sql.prune(20) == 1
    await sql.add(an_entry(30))
    (second,) = await everything(sql)
    assert second.entry_id > first.entry_id


async def test_many_at_once_about_new_people_are_all_written(sql: SqlAuditRepository) -> None:
    await asyncio.gather(*(sql.add(an_entry(n, actor="alice", subject=f"user-{n % 3}")) for n in range(30)))
    found = await everything(sql)
    assert sorted(entry.at_us for entry in found) == list(range(30))
    assert {entry.actor for entry in found} == {"alice"}
    assert len(await everything(sql, Selection(user="user-1"))) == 10


async def test_an_entry_and_its_change_are_one_transaction(sql: SqlAuditRepository, engine: AsyncEngine) -> None:
    sessions = SqlSessionRepository(engine)

    async def failing() -> None:
        async with sql.together():
            await sessions.add(a_row("s1"))
            await sql.add(an_entry())
            raise LookupError

    with pytest.raises(LookupError):
        await failing()
    assert (await sessions.get("s1"), await everything(sql)) == (None, [])
    async with sql.together():
        await sessions.add(a_row("s1"))
        await sql.add(an_entry())
    assert (await sessions.get("s1"), len(await everything(sql))) == (a_row("s1"), 1)


async def test_an_entry_that_cannot_be_written_takes_its_change_back(
    sql: SqlAuditRepository, engine: AsyncEngine
) -> None:
    sessions = SqlSessionRepository(engine)

    async def change() -> None:
        async with sql.together():
            await sessions.add(a_row("s1"))
            await sql.add(replace(an_entry(), facts={"not": object()}))

    with pytest.raises(Exception, match="not JSON serializable"):
        await change()
    assert await sessions.get("s1") is None


TAMPERING = [
    "UPDATE audit_entries SET action = 'nothing'",
    "UPDATE audit_entries SET facts = '{}' WHERE entry_id = 1",
    "DELETE FROM audit_entries",
    "DELETE FROM audit_addresses",
    "UPDATE audit_addresses SET address = '::1'",
    "DELETE FROM audit_people",
    "UPDATE audit_people SET user_id = 'mallory'",
    "DELETE FROM audit_horizon",
    "INSERT INTO audit_horizon (horizon_id, before_us) VALUES (2, 9000000000000000)",
    "UPDATE audit_horizon SET before_us = 9000000000000000",
    "UPDATE audit_horizon SET before_us = -1",
    "UPDATE audit_horizon SET horizon_id = 2",
]
ON_SQLITE = [
    "REPLACE INTO audit_entries (entry_id, at_us, action, actor_kind, facts) VALUES (1, 1, 'x', 'server', '{}')",
    "REPLACE INTO audit_people (person_key, user_id) SELECT person_key, 'mallory' FROM audit_people",
    "UPDATE OR REPLACE audit_entries SET entry_id = entry_id + 1",
    "UPDATE OR REPLACE audit_people SET user_id = 'bob'",
]
ON_POSTGRESQL = [f"TRUNCATE {table}" for table in ("audit_entries", "audit_people", "audit_addresses", "audit_horizon")]


async def test_the_database_refuses_to_change_the_trail(sql: SqlAuditRepository, engine: AsyncEngine) -> None:
    await sql.add(FULL)
    before = await everything(sql)
    for statement in TAMPERING + (ON_SQLITE if engine.dialect.name == "sqlite" else ON_POSTGRESQL):
        with pytest.raises(DBAPIError, match="the audit trail is only added to"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    assert await everything(sql) == before


async def test_nobody_is_given_another_key(sql: SqlAuditRepository, engine: AsyncEngine) -> None:
    await sql.add(FULL)
    before = await everything(sql)
    insert = "REPLACE" if engine.dialect.name == "sqlite" else "INSERT"
    more = "" if engine.dialect.name == "sqlite" else " ON CONFLICT (user_id) DO NOTHING"
    async with engine.begin() as connection:
        await connection.execute(text(f"{insert} INTO audit_people (person_key, user_id) VALUES ('k', 'bob'){more}"))
    assert await everything(sql) == before


async def test_nobody_removes_what_is_younger_than_a_day(sql: SqlAuditRepository, engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        now = "strftime('%s', 'now')" if engine.dialect.name == "sqlite" else "extract(epoch FROM clock_timestamp())"
        now_us = int((await connection.execute(text(f"SELECT {now}"))).scalar_one()) * 1_000_000
    await sql.add(an_entry(now_us - 3_600_000_000))
    with pytest.raises(DBAPIError, match="the audit trail is only added to"):
        await sql.prune(now_us)
    assert len(await everything(sql)) == 1
