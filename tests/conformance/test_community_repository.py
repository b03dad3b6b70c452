"""What every CommunityRepository promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lookback.access.communities import Community
from lookback.access.ports import Room
from lookback.db.communities import SqlCommunityRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.ports import CommunityRepository


@pytest.fixture
def communities(engine: AsyncEngine) -> CommunityRepository:
    return SqlCommunityRepository(engine)


async def test_what_is_not_there_is_none(communities: CommunityRepository) -> None:
    assert await communities.get("c1") is None
    assert await communities.room("demo") is None
    assert await communities.all() == []
    await communities.remove_room("demo")


async def test_a_community_is_changed_and_found_again(communities: CommunityRepository) -> None:
    settings = {"enabled": False, "max_concurrent": None, "window_minutes": 2.5, "auto_start": "optIn"}
    changed = await communities.change("c1", lambda was: replace(was, name="Eins", settings=settings), 1)
    assert changed == Community("c1", "Eins", settings) == await communities.get("c1")
    seen: list[Community] = []

    def look(was: Community) -> Community:
        seen.append(was)
        return replace(was, name=None)

    await communities.change("c1", look, 2)
    assert seen == [changed]
    assert await communities.get("c1") == Community("c1", None, settings)


async def test_a_change_that_fails_changes_nothing(communities: CommunityRepository) -> None:
    def refuse(_: Community) -> Community:
        raise ValueError("silly")

    with pytest.raises(ValueError, match="silly"):
        await communities.change("c1", refuse, 1)
    assert await communities.get("c1") is None


async def test_of_many_changes_at_once_none_is_lost(communities: CommunityRepository) -> None:
    def adding(number: int) -> Callable[[Community], Community]:
        return lambda was: replace(was, settings={**was.settings, f"k{number}": number})

    await asyncio.gather(*(communities.change("c1", adding(number), 1) for number in range(20)))
    found = await communities.get("c1")
    assert found is not None
    assert found.settings == {f"k{n}": n for n in range(20)}


async def test_a_community_is_there_once_however_often_it_is_needed(communities: CommunityRepository) -> None:
    await communities.change("c1", lambda was: replace(was, name="One"), 1)
    await asyncio.gather(*(communities.ensure(name, 2) for name in ["c2", "c1", "c0"] * 5))
    assert await communities.all() == [Community("c0"), Community("c1", "One"), Community("c2")]


async def test_a_room_belongs_to_the_community_it_was_given_last(communities: CommunityRepository) -> None:
    room = Room("../Räume/" + "x" * 240, "c1", 1)
    await communities.put_room(room)
    assert await communities.room(room.room_name) == room
    await communities.put_room(replace(room, community_id="c2", registered_at_us=2))
    assert await communities.room(room.room_name) == replace(room, community_id="c2", registered_at_us=2)
    await communities.remove_room(room.room_name)
    assert await communities.room(room.room_name) is None


async def test_one_room_given_by_many_at_once_is_one(communities: CommunityRepository) -> None:
    await asyncio.gather(*(communities.put_room(Room("demo", f"c{n}", n)) for n in range(20)))
    found = await communities.room("demo")
    assert found is not None
    assert found.community_id == f"c{found.registered_at_us}"


async def test_rooms_are_listed_by_community_and_name_page_by_page(communities: CommunityRepository) -> None:
    for name in ("b", "d", "a", "c"):
        await communities.put_room(Room(name, "c1", 1))
    await communities.put_room(Room("elsewhere", "c2", 1))

    async def names(limit: int, after: str | None) -> list[str]:
        return [room.room_name for room in await communities.rooms_of("c1", limit=limit, after=after)]

    assert await names(10, None) == ["a", "b", "c", "d"]
    assert await names(2, None) == ["a", "b"]
    assert await names(2, "b") == ["c", "d"]
    assert await names(2, "d") == []
