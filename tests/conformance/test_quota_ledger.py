"""What every QuotaLedger promises, together with the ClipRepository whose rows it counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from tests.support.clip_builders import a_clip, a_rendition
from tests.support.databases import DATABASES, a_database_of_kind
from tests.support.memory_clips import MemoryClipRepository

from lookback.clips.ports import ClipRepository, QuotaLedger, Reservation, Room
from lookback.db.clips import SqlClipRepository
from lookback.db.engine import connect
from lookback.db.quota import SqlQuotaLedger
from lookback.errors import QuotaExceededError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

ROOM = Room(default_bytes=100, now_us=50)


@dataclass
class Books:
    """Clips, and what they count."""

    clips: ClipRepository
    ledger: QuotaLedger

    async def used(self, user_id: str = "alice") -> int:
        balance = await self.ledger.balance(user_id, 50)
        return balance.used_bytes if balance is not None else 0

    async def reserved(self, user_id: str = "alice", now_us: int = 50) -> int:
        balance = await self.ledger.balance(user_id, now_us)
        return balance.reserved_bytes if balance is not None else 0

    async def hold(self, size_bytes: int, reservation_id: str = "r", **more: object) -> Room:
        held = Reservation(reservation_id, "alice", size_bytes, "here", 1000)
        await self.ledger.reserve(replace(held, **more), ROOM)  # type: ignore[arg-type]
        return replace(ROOM, reservation_id=reservation_id)


@pytest.fixture(params=["memory", *DATABASES])
async def books(request: pytest.FixtureRequest) -> AsyncIterator[Books]:
    if request.param == "memory":
        memory = MemoryClipRepository()
        yield Books(memory, memory.ledger)
        return
    async with a_database_of_kind(request.param, request) as engine:
        yield Books(SqlClipRepository(engine), SqlQuotaLedger(engine))


async def test_a_user_who_was_never_here_has_no_balance(books: Books) -> None:
    assert await books.ledger.balance("nobody", 50) is None


async def test_what_is_held_counts_until_it_is_given_back(books: Books) -> None:
    await books.hold(60)
    with pytest.raises(QuotaExceededError) as caught:
        await books.hold(41, "other")
    assert caught.value.facts == {"quotaBytes": 100, "usedBytes": 60, "neededBytes": 41}
    await books.hold(40, "other")
    assert await books.reserved() == 100
    await books.ledger.give_back("r")
    await books.ledger.give_back("r")
    assert await books.reserved() == 40


async def test_what_is_held_too_long_counts_no_more(books: Books) -> None:
    await books.hold(100, until_us=60)
    assert (await books.reserved(now_us=59), await books.reserved(now_us=60)) == (100, 0)
    with pytest.raises(QuotaExceededError):
        await books.hold(1, "early")
    await books.ledger.reserve(Reservation("late", "alice", 100, "here", 1000), replace(ROOM, now_us=60))


async def test_a_server_gives_back_what_it_held_and_nothing_of_others(books: Books) -> None:
    await books.hold(10, "a")
    await books.hold(20, "b")
    await books.hold(30, "c", holder="there")
    assert await books.ledger.give_back_all("here") == 2
    assert await books.ledger.give_back_all("here") == 0
    assert await books.reserved() == 30


async def test_a_clip_takes_the_place_of_its_reservation(books: Books) -> None:
    room = await books.hold(100)
    await books.clips.add(a_clip(size_bytes=100), room)
    assert (await books.used(), await books.reserved()) == (100, 0)


async def test_a_clip_larger_than_its_reservation_needs_room_for_all_of_it(books: Books) -> None:
    room = await books.hold(60)
    await books.hold(30, "other")
    with pytest.raises(QuotaExceededError):
        await books.clips.add(a_clip("a", size_bytes=71), room)
    assert await books.clips.get("a") is None
    assert (await books.used(), await books.reserved()) == (0, 90)
    await books.clips.add(a_clip("a", size_bytes=70), room)
    assert (await books.used(), await books.reserved()) == (70, 30)


async def test_a_clip_whose_reservation_is_over_needs_room_anew(books: Books) -> None:
    room = await books.hold(80, until_us=60)
    late = replace(room, now_us=70)
    await books.ledger.reserve(Reservation("other", "alice", 30, "here", 1000), replace(ROOM, now_us=65))
    with pytest.raises(QuotaExceededError):
        await books.clips.add(a_clip("a", size_bytes=80), late)
    await books.clips.add(a_clip("b", size_bytes=70), late)
    assert await books.used() == 70


async def test_nobody_uses_the_reservation_of_another(books: Books) -> None:
    room = await books.hold(100)
    await books.clips.add(a_clip(user_id="bob", size_bytes=90), room)
    assert (await books.reserved(), await books.used("bob")) == (100, 90)


async def test_deleting_gives_back_at_once_and_restoring_needs_room(books: Books) -> None:
    await books.clips.add(a_clip("a", size_bytes=60))
    await books.clips.update("a", deleted_at_us=5)
    assert await books.used() == 0
    await books.clips.add(a_clip("b", size_bytes=41), ROOM)
    with pytest.raises(QuotaExceededError):
        await books.clips.update("a", ROOM, deleted_at_us=None)
    still = await books.clips.get("a")
    assert still is not None
    assert still.deleted_at_us == 5
    await books.clips.remove("b")
    await books.clips.update("a", ROOM, deleted_at_us=None)
    assert await books.used() == 60


async def test_removing_what_is_deleted_gives_back_nothing_twice(books: Books) -> None:
    await books.clips.add(a_clip("a", size_bytes=60))
    await books.clips.add(a_clip("b", size_bytes=10))
    await books.clips.update("a", deleted_at_us=5)
    await books.clips.remove("a")
    assert await books.used() == 10


async def test_finished_renditions_count_until_they_go(books: Books) -> None:
    await books.clips.add(a_clip(size_bytes=60, container="webm"))
    await books.clips.put_rendition("clip-1", a_rendition("r", "running"))
    assert await books.used() == 60
    room = await books.hold(20, "rendition")
    with pytest.raises(QuotaExceededError):
        await books.clips.put_rendition("clip-1", a_rendition("r", "ready", size_bytes=41), room)
    await books.clips.put_rendition("clip-1", a_rendition("r", "ready", size_bytes=40), room)
    assert (await books.used(), await books.reserved()) == (100, 0)
    await books.clips.remove_rendition("clip-1", "r")
    assert await books.used() == 60


async def test_a_clip_whose_files_are_gone_counts_nothing(books: Books) -> None:
    await books.clips.add(a_clip(size_bytes=60))
    await books.clips.update("clip-1", status="failed")
    assert await books.used() == 0


async def test_what_is_found_on_disk_counts_even_if_there_is_no_room(books: Books) -> None:
    await books.clips.add(a_clip(size_bytes=1000))
    assert await books.used() == 1000


async def test_ones_own_quota_holds_in_place_of_the_default(books: Books) -> None:
    await books.ledger.set_quota("alice", 150, 1)
    await books.hold(150)
    await books.ledger.set_quota("alice", 10, 2)
    with pytest.raises(QuotaExceededError) as caught:
        await books.hold(1, "other")
    assert caught.value.facts["quotaBytes"] == 10
    await books.ledger.set_quota("alice", None, 3)
    await books.ledger.give_back("r")
    await books.hold(100, "other")


async def test_without_any_quota_everything_fits(books: Books) -> None:
    await books.ledger.reserve(Reservation("r", "alice", 1 << 60, "here", 1000), replace(ROOM, default_bytes=None))
    assert await books.reserved() == 1 << 60


async def test_many_at_once_never_use_a_byte_too_much(books: Books) -> None:
    async def save(number: int) -> bool:
        size = 7 + number % 5
        try:
            room = await books.hold(size, f"r{number}")
        except QuotaExceededError:
            return False
        try:
            if number % 3:
                await books.clips.add(a_clip(f"c{number}", size_bytes=size), room)
        finally:
            await books.ledger.give_back(f"r{number}")
        return True

    saved = await asyncio.gather(*(save(number) for number in range(40)))
    clips = await books.clips.all_clips()
    assert await books.used() == sum(clip.size_bytes for clip in clips)
    assert 0 < await books.used() <= 100
    assert not all(saved)
    assert await books.reserved() == 0


# ---- counting again: only a database can be miscounted


@pytest.fixture(params=DATABASES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    async with a_database_of_kind(request.param, request) as found:
        yield found


async def test_a_wrong_count_is_found_and_set_right(engine: AsyncEngine) -> None:
    clips, ledger = SqlClipRepository(engine), SqlQuotaLedger(engine)
    await clips.add(a_clip("a", size_bytes=60))
    await clips.add(a_clip("b", size_bytes=9, deleted_at_us=1))
    await clips.add(a_clip("c", size_bytes=5, user_id="bob"))
    assert await ledger.miscounted() == []
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE users SET used_bytes = 61 WHERE user_id = 'alice'"))
    assert await ledger.miscounted() == ["alice"]
    await ledger.recount("alice")
    assert await ledger.miscounted() == []
    balance = await ledger.balance("alice", 0)
    assert balance is not None
    assert balance.used_bytes == 60


async def test_two_servers_share_one_quota_to_the_byte(engine: AsyncEngine) -> None:
    engines = [connect(engine.url.render_as_string(hide_password=False)) for _ in range(3)]
    servers = [(SqlClipRepository(each), SqlQuotaLedger(each)) for each in engines]

    async def save(number: int) -> None:
        clips, ledger = servers[number % len(servers)]
        held = Reservation(f"r{number}", "alice", 10, f"server-{number % len(servers)}", 1000)
        await ledger.reserve(held, ROOM)
        await clips.add(a_clip(f"c{number}", size_bytes=10), replace(ROOM, reservation_id=held.reservation_id))

    results = await asyncio.gather(*(save(number) for number in range(60)), return_exceptions=True)
    assert [result for result in results if result is not None and not isinstance(result, QuotaExceededError)] == []
    assert results.count(None) == 10
    balance = await servers[0][1].balance("alice", 0)
    for each in engines:
        await each.dispose()
    assert balance is not None
    assert (balance.used_bytes, balance.reserved_bytes) == (100, 0)
