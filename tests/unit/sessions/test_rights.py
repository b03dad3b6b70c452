from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from tests.support.communities import SaidCommunities
from tests.support.said_rooms import SaidRooms, somebody
from tests.support.session_rows import a_row

from lookback.access.communities import CommunityConfig
from lookback.access.principal import Permission, Principal
from lookback.access.roles import EVERYBODY, RoleBook
from lookback.sessions.rights import SessionRights, manages

ALICES = a_row(room_name="office", community_id="c1")
BOB, MEMBER = Principal("bob"), Principal("bob", communities={"c1": ("member",)})


@dataclass(slots=True)
class World:
    """A community whose viewers may save, and a LiveKit server."""

    communities: SaidCommunities = field(
        default_factory=lambda: SaidCommunities({"c1": CommunityConfig(viewers_may_capture=True)})
    )
    livekit: SaidRooms = field(default_factory=SaidRooms)

    @property
    def rights(self) -> SessionRights:
        return SessionRights(self.communities, self.livekit)

    @property
    def rights_without_livekit(self) -> SessionRights:
        return SessionRights(self.communities)


@pytest.fixture
def world() -> World:
    return World()


def test_a_session_is_its_users_and_in_its_communitys_managers_care() -> None:
    assert manages(Principal("alice"), ALICES)
    assert manages(Principal("root", admin=True), ALICES)
    assert manages(Principal("bob", roles={"c1": ("moderator",)}), ALICES)
    assert manages(Principal("bob", roles={None: ("moderator",)}), ALICES)
    assert not manages(MEMBER, ALICES)
    assert not manages(Principal("bob", roles={"c2": ("moderator",)}), ALICES)
    assert not manages(Principal("bob", roles={"c1": ("moderator",)}), a_row(community_id=None))


async def test_ones_own_needs_no_permission_and_no_livekit(world: World) -> None:
    world.livekit.away = True
    nothing = RoleBook({(None, EVERYBODY): frozenset()})
    assert await world.rights.seen(Principal("alice", book=nothing), [ALICES])


async def test_viewers_in_the_room_save_from_others_where_the_community_lets_them(world: World) -> None:
    world.livekit.says("office", somebody("alice", shares=True), somebody("bob"))
    assert await world.rights.seen(BOB, [ALICES])
    assert not await world.rights.seen(Principal("carol"), [ALICES]), "not in the room"
    world.communities.configs["c1"] = CommunityConfig(viewers_may_capture=False)
    assert not await world.rights.seen(BOB, [ALICES])


async def test_viewers_need_the_permission_for_the_room(world: World) -> None:
    world.livekit.says("office", somebody("bob"))
    own_only = RoleBook({("c1", EVERYBODY): frozenset({Permission.CAPTURE_REPLAY})})
    assert not await world.rights.seen(Principal("bob", book=own_only), [ALICES])
    assert await world.rights.seen(Principal("bob", book=own_only, roles={"c1": ("member",)}), [ALICES])


async def test_where_nobody_knows_who_is_in_the_room_viewers_need_a_place_in_the_community(world: World) -> None:
    for rights in (world.rights, world.rights_without_livekit):
        assert not await rights.seen(BOB, [ALICES])
        assert await rights.seen(MEMBER, [ALICES])


async def test_nobody_saves_from_others_in_rooms_without_a_community(world: World) -> None:
    world.communities.configs[None] = CommunityConfig(viewers_may_capture=True)
    world.livekit.says("office", somebody("bob"))
    assert not await world.rights.seen(BOB, [a_row(room_name="office", community_id=None)])


async def test_a_livekit_that_does_not_answer_lets_nobody_in(world: World) -> None:
    world.livekit.away = True
    assert not await world.rights.seen(MEMBER, [ALICES])
    assert not await world.rights.may_know(MEMBER, "office")


async def test_everybody_in_a_room_may_know_that_buffers_run_there(world: World) -> None:
    world.livekit.says("office", somebody("laptop", attributes={"userId": "bob"}))
    assert await world.rights.may_know(BOB, "office")
    assert not await world.rights.may_know(Principal("carol"), "office")
    assert await world.rights.may_know(Principal("carol"), "a room that LiveKit does not know")
    assert await world.rights_without_livekit.may_know(Principal("carol"), "office")


async def test_livekit_is_asked_once_for_a_room_with_many_buffers(world: World) -> None:
    world.livekit.says("office", somebody("bob"))
    rows = [a_row(f"s{number}", room_name="office", community_id="c1", user_id=f"u{number}") for number in range(9)]
    assert await world.rights.seen(BOB, rows) == rows
    assert world.livekit.asked == ["office"]
