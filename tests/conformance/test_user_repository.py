"""What every UserRepository promises, and that it is asked no more than needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.support.databases import DATABASES, a_database_of_kind

from lookback.access.known_users import KnownUsers, UserRepository
from lookback.access.principal import Principal
from lookback.db.users import SqlUserRepository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(slots=True)
class MemoryUsers:
    names: dict[str, str | None] = field(default_factory=dict)
    writes: int = 0

    async def seen(self, user_id: str, name: str | None, now_us: int) -> None:
        del now_us
        self.writes += 1
        self.names[user_id] = name

    async def name_of(self, user_id: str) -> str | None:
        return self.names.get(user_id)


@pytest.fixture(params=["memory", *DATABASES])
async def users(request: pytest.FixtureRequest) -> AsyncIterator[UserRepository]:
    if request.param == "memory":
        yield MemoryUsers()
        return
    async with a_database_of_kind(request.param, request) as engine:
        yield SqlUserRepository(engine)


async def test_who_was_seen_is_known_by_the_last_name(users: UserRepository) -> None:
    assert await users.name_of("alice") is None
    await users.seen("alice", "Alice", 1)
    await users.seen("bob", None, 2)
    await users.seen("alice", "Alice B.", 3)
    assert await users.name_of("alice") == "Alice B."
    assert await users.name_of("bob") is None


async def test_the_same_user_many_times_at_once_is_one(users: UserRepository) -> None:
    await asyncio.gather(*(users.seen("alice", "Alice", 1) for _ in range(20)))
    assert await users.name_of("alice") == "Alice"


class NamedTokens:
    """Tokens that are `user:name`."""

    async def principal(self, token: str) -> Principal:
        user_id, _, name = token.partition(":")
        return Principal(user_id, name or None)


async def test_rows_are_written_for_the_new_and_the_renamed_only() -> None:
    rows = MemoryUsers()
    known = KnownUsers(NamedTokens(), rows, lambda: 1)
    for token in ("alice:", "alice:", "alice:Alice", "alice:Alice", "bob:Bob", "alice:Alice"):
        assert (await known.principal(token)).user_id == token.partition(":")[0]
    assert rows.names == {"alice": "Alice", "bob": "Bob"}
    assert rows.writes == 3


async def test_when_somebody_was_here_last_is_known_to_some_minutes() -> None:
    rows, now = MemoryUsers(), [0]
    known = KnownUsers(NamedTokens(), rows, lambda: now[0])
    for minute in range(11):
        now[0] = minute * 60_000_000
        await known.principal("alice:Alice")
    assert rows.writes == 3  # at the start, after five minutes and after ten
