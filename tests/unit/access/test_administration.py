from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.support.audit import MemoryAuditRepository, a_trail
from tests.support.session_rows import a_database

from lookback.access.administration import CommunityAdministration
from lookback.access.audit import Action
from lookback.access.communities import Community, CommunityConfig, InstanceRules
from lookback.access.community_book import CommunityBook
from lookback.access.principal import Principal
from lookback.db.communities import SqlCommunityRepository
from lookback.errors import InvalidConfigError, LivekitUnavailableError, NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

ROOT, BOB = Principal("root", admin=True), Principal("bob")
MOD, MEMBER = (Principal("who", communities={"c1": (role,)}) for role in ("moderator", "member"))
RULES = InstanceRules(CommunityConfig(max_concurrent=7), CommunityConfig(window_minutes=3), 30)
PATTERN = re.compile(r"(?P<community>c\d):.*")


@dataclass(slots=True)
class SaidMetadata:
    """Implements access.ports.RoomMetadata."""

    said: dict[str, str] = field(default_factory=dict)
    away: bool = False

    async def metadata_of(self, room_name: str) -> str | None:
        if self.away:
            raise LivekitUnavailableError("LiveKit does not answer")
        return self.said.get(room_name)


@dataclass(slots=True)
class Town:
    """Communities that are administered."""

    engine: AsyncEngine
    livekit: SaidMetadata = field(default_factory=SaidMetadata)
    trail: MemoryAuditRepository = field(default_factory=MemoryAuditRepository)
    book: CommunityBook = field(init=False)
    hall: CommunityAdministration = field(init=False)

    def __post_init__(self) -> None:
        rows = SqlCommunityRepository(self.engine)
        self.book = CommunityBook(rows, RULES, PATTERN, self.livekit, lambda: 1)
        self.hall = CommunityAdministration(rows, self.book, RULES, a_trail(self.trail), lambda: 9)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with a_database(tmp_path) as engine:
        yield Town(engine)


async def refused(doing: Awaitable[object]) -> None:
    with pytest.raises(PermissionDeniedError, match=r"^Permission denied - MANAGE_REPLAY_LIMITS$"):
        await doing


# ---- rules


async def test_a_community_that_nobody_knows_has_the_operators_defaults(town: Town) -> None:
    assert await town.book.config_of("c1") == RULES.defaults
    assert await town.book.config_of(None) == RULES.without_community
    rules = await town.hall.config(MOD, "c1")
    assert (rules.community_id, rules.name, rules.config) == ("c1", None, RULES.defaults)


async def test_a_change_holds_at_once_and_is_in_the_audit_trail(town: Town) -> None:
    assert (await town.book.config_of("c1")).enabled
    changed = await town.hall.change(MOD, "c1", {"enabled": False, "name": "Eins"})
    assert (changed.name, changed.config.enabled, changed.config.max_concurrent) == ("Eins", False, 7)
    assert not (await town.book.config_of("c1")).enabled
    await town.hall.change(MOD, "c1", {"max_concurrent": None})
    assert await town.book.config_of("c1") == CommunityConfig(enabled=False, max_concurrent=None)
    (first, second) = town.trail.entries
    assert (first.action, first.actor, first.community_id) == (Action.CONFIG_CHANGED, "who", "c1")
    facts = {"enabled": {"from": True, "to": False}, "name": "changed"}
    assert first.facts == facts, "names are what people wrote"
    assert second.facts == {"maxConcurrent": {"from": 7, "to": None}}


async def test_a_change_that_makes_no_sense_changes_nothing(town: Town) -> None:
    with pytest.raises(InvalidConfigError, match="at most 30"):
        await town.hall.change(MOD, "c1", {"enabled": False, "window_minutes": 31})
    assert (await town.hall.config(MOD, "c1")).config == RULES.defaults
    assert town.trail.entries == []


async def test_others_neither_see_nor_change_rules(town: Town) -> None:
    for who, place in [(BOB, "c1"), (MEMBER, "c1"), (MOD, "c2")]:
        await refused(town.hall.config(who, place))
        await refused(town.hall.change(who, place, {"enabled": False}))
        await refused(town.hall.rooms(who, place, limit=1, after=None))


async def test_everybody_lists_their_communities_and_who_manages_everything_all(town: Town) -> None:
    await town.hall.change(ROOT, "c1", {"name": "Eins"})
    await town.hall.change(ROOT, "c3", {"name": "Drei"})
    visitor = Principal("v", communities={"c1": (), "c2": ("member",)})
    assert await town.hall.communities(visitor) == [Community("c1", "Eins"), Community("c2")]
    assert await town.hall.communities(BOB) == []
    assert await town.hall.communities(ROOT) == [Community("c1", "Eins"), Community("c3", "Drei")]
    everywhere = Principal("m", roles={None: ("moderator",), "c9": ("member",)})
    assert [row.community_id for row in await town.hall.communities(everywhere)] == ["c1", "c3", "c9"]


async def test_clips_are_kept_for_ever_unless_a_community_says_otherwise(town: Town) -> None:
    await town.hall.change(ROOT, "c1", {"clip_retention_days": 30})
    await town.hall.change(ROOT, "c2", {"clip_retention_days": None})
    assert await town.book.clip_retentions() == {"c1": 30}


# ---- rooms


async def test_a_room_belongs_where_it_was_registered_else_where_livekit_or_its_name_says(town: Town) -> None:
    town.livekit.said = {"c2:daily": '{"communityId": "c3"}', "c2:other": "nonsense"}
    assert await town.book.community_of_room("c2:daily") == "c3"
    assert await town.book.community_of_room("c2:other") == "c2"
    assert await town.book.community_of_room("daily") is None
    await town.hall.register(ROOT, "c2:daily", "c1")
    assert await town.book.community_of_room("c2:daily") == "c1"
    await town.hall.forget_room(ROOT, "c2:daily")
    assert await town.book.community_of_room("c2:daily") == "c3"


async def test_what_livekit_knows_is_not_guessed_while_it_is_away(town: Town) -> None:
    town.livekit.away = True
    with pytest.raises(LivekitUnavailableError):
        await town.book.community_of_room("c2:daily")
    with pytest.raises(LivekitUnavailableError):
        await town.hall.register(MOD, "daily", "c1")


async def test_managers_register_rooms_of_nobody_and_take_none_from_others(town: Town) -> None:
    room = await town.hall.register(MOD, "daily", "c1")
    assert (room.room_name, room.community_id, room.registered_at_us) == ("daily", "c1", 9)
    await refused(town.hall.register(MOD, "weekly", "c2"))
    await refused(town.hall.register(MOD, "c2:weekly", "c1"))
    await refused(town.hall.register(Principal("o", communities={"c2": ("moderator",)}), "daily", "c2"))
    both = Principal("b", communities={"c1": ("moderator",), "c2": ("moderator",)})
    assert (await town.hall.register(both, "daily", "c2")).community_id == "c2"
    assert town.trail.actions == [Action.ROOM_REGISTERED] * 2


async def test_a_room_is_shown_to_those_who_belong_there(town: Town) -> None:
    await town.hall.register(MOD, "daily", "c1")
    for who in (MOD, MEMBER, ROOT):
        assert (await town.hall.room(who, "daily")).community_id == "c1"
    assert (await town.hall.room(ROOT, "c2:daily")).registered_at_us is None
    for who, room in [(BOB, "daily"), (MEMBER, "c2:daily"), (ROOT, "of nobody")]:
        with pytest.raises(NotFoundError):
            await town.hall.room(who, room)


async def test_a_room_is_forgotten_by_its_managers_only(town: Town) -> None:
    await town.hall.register(MOD, "daily", "c1")
    with pytest.raises(NotFoundError):
        await town.hall.forget_room(BOB, "daily")
    await refused(town.hall.forget_room(MEMBER, "daily"))
    await town.hall.forget_room(MOD, "daily")
    for room in ("daily", "c1:not registered"):
        with pytest.raises(NotFoundError):
            await town.hall.forget_room(MOD, room)
    assert town.trail.actions == [Action.ROOM_REGISTERED, Action.ROOM_REMOVED]


async def test_registered_rooms_are_listed(town: Town) -> None:
    for name in ("b", "a"):
        await town.hall.register(MOD, name, "c1")
    assert [room.room_name for room in await town.hall.rooms(MOD, "c1", limit=9, after=None)] == ["a", "b"]
