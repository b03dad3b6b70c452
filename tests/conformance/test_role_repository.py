"""What every RoleRepository promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from lookback.access.ports import Member
from lookback.access.roles import Permission
from lookback.db.roles import SqlRoleRepository
from lookback.db.users import SqlUserRepository

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.ports import RoleRepository

ENABLE, CAPTURE, ROOM, MANAGE, AUDIT = Permission


@pytest.fixture
def roles(engine: AsyncEngine) -> RoleRepository:
    return SqlRoleRepository(engine)


async def test_what_is_not_there_is_nothing(roles: RoleRepository) -> None:
    assert await roles.defined() == {}
    assert await roles.roles_of("alice") == {}
    assert await roles.member("c1", "alice") is None
    assert await roles.members(None, limit=10, after=None) == []
    await roles.remove_role(("c1", "speaker"))
    await roles.take_back("speaker")


async def test_roles_are_defined_everywhere_and_in_communities(roles: RoleRepository) -> None:
    await roles.put_role((None, "speaker"), frozenset({ENABLE}))
    await roles.put_role(("c1", "speaker"), frozenset())
    await roles.put_role(("c1", "speaker"), frozenset({ROOM, CAPTURE}))
    await roles.put_role(("c2", "Ä b"), frozenset(Permission))
    expected = {
        (None, "speaker"): {ENABLE},
        ("c1", "speaker"): {ROOM, CAPTURE},
        ("c2", "Ä b"): frozenset(Permission),
    }
    assert await roles.defined() == expected
    await roles.remove_role((None, "speaker"))
    del expected[None, "speaker"]
    assert await roles.defined() == expected


async def test_one_role_defined_by_many_at_once_is_one(roles: RoleRepository) -> None:
    await asyncio.gather(*(roles.put_role(("c1", "speaker"), frozenset({ENABLE})) for _ in range(20)))
    assert await roles.defined() == {("c1", "speaker"): {ENABLE}}


async def test_people_have_exactly_the_roles_they_were_given(roles: RoleRepository) -> None:
    await roles.put_member("c1", "alice", ["member", "auditor"])
    await roles.put_member(None, "alice", ["auditor"])
    await roles.put_member("c1", "bob", ["member"])
    assert await roles.roles_of("alice") == {"c1": ("auditor", "member"), None: ("auditor",)}
    await roles.put_member("c1", "alice", ["member", "moderator", "member"])
    assert await roles.roles_of("alice") == {"c1": ("member", "moderator"), None: ("auditor",)}
    await roles.put_member("c1", "alice", [])
    assert await roles.roles_of("alice") == {None: ("auditor",)}
    assert await roles.roles_of("bob") == {"c1": ("member",)}


async def test_the_same_roles_given_by_many_at_once_are_given(roles: RoleRepository) -> None:
    await asyncio.gather(*(roles.put_member("c1", "alice", ["member", "auditor"]) for _ in range(20)))
    assert await roles.roles_of("alice") == {"c1": ("auditor", "member")}


async def test_a_role_is_taken_from_everybody_where_it_means_nothing_any_more(roles: RoleRepository) -> None:
    for user in ("alice", "bob"):
        for place in ("c1", "c2", None):
            await roles.put_member(place, user, ["speaker", "member"])
    await roles.put_role((None, "speaker"), frozenset())
    await roles.put_role(("c2", "speaker"), frozenset())
    await roles.take_back("speaker")
    assert await roles.roles_of("bob") == dict.fromkeys(("c1", "c2", None), ("member", "speaker"))
    await roles.remove_role((None, "speaker"))
    await roles.take_back("speaker")
    left = {"c1": ("member",), "c2": ("member", "speaker"), None: ("member",)}
    assert await roles.roles_of("alice") == await roles.roles_of("bob") == left


async def test_people_are_listed_with_their_names_page_by_page(roles: RoleRepository, engine: AsyncEngine) -> None:
    await SqlUserRepository(engine).seen("bob", "Bob", 1)
    for user in ("carol", "bob", "alice"):
        await roles.put_member("c1", user, ["member"])
    await roles.put_member("c1", "bob", ["auditor", "member"])
    await roles.put_member(None, "dave", ["auditor"])
    alice, carol = Member("alice", None, ("member",)), Member("carol", None, ("member",))
    bob = Member("bob", "Bob", ("auditor", "member"))
    assert await roles.members("c1", limit=10, after=None) == [alice, bob, carol]
    assert await roles.members("c1", limit=2, after=None) == [alice, bob]
    assert await roles.members("c1", limit=2, after="bob") == [carol]
    assert await roles.members(None, limit=10, after=None) == [Member("dave", None, ("auditor",))]
    assert await roles.member("c1", "bob") == bob
    assert await roles.member("c2", "bob") is None
