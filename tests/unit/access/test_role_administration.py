from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.support.audit import MemoryAuditRepository, a_trail
from tests.support.session_rows import a_database

from lookback.access.audit import Action
from lookback.access.communities import Community
from lookback.access.grants import RoleGrants
from lookback.access.ports import Member
from lookback.access.principal import Permission, Principal
from lookback.access.role_administration import RoleAdministration
from lookback.access.roles import BUILT_IN, EVERYBODY
from lookback.db.communities import SqlCommunityRepository
from lookback.db.roles import SqlRoleRepository
from lookback.errors import NotFoundError, PermissionDeniedError, UnauthenticatedError, ValidationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

ENABLE, CAPTURE, ROOM, MANAGE, AUDIT = Permission
ROOT, BOB = Principal("root", admin=True), Principal("bob")


class TokensOf:
    """Tokens that are names of known people."""

    def __init__(self, *people: Principal) -> None:
        self._people = {who.user_id: who for who in people}

    async def principal(self, token: str) -> Principal:
        if token not in self._people:
            raise UnauthenticatedError("Nobody")
        return self._people[token]


@dataclass(slots=True)
class Office:
    """Where roles are administered. `sees` is what a request of that user is let do."""

    engine: AsyncEngine
    trail: MemoryAuditRepository = field(default_factory=MemoryAuditRepository)
    grants: RoleGrants = field(init=False)
    communities: SqlCommunityRepository = field(init=False)
    roles: RoleAdministration = field(init=False)

    def __post_init__(self) -> None:
        people = [BOB, Principal("alice"), Principal("mod", communities={"c1": ("moderator",)})]
        rows = SqlRoleRepository(self.engine)
        self.grants = RoleGrants(TokensOf(*people), rows, lambda: 1)
        self.communities = SqlCommunityRepository(self.engine)
        self.roles = RoleAdministration(rows, self.communities, self.grants, a_trail(self.trail), lambda: 1)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with a_database(tmp_path) as engine:
        yield Office(engine)


async def test_a_role_that_is_given_holds_at_the_next_request(office: Office) -> None:
    bob = await office.grants.principal("bob")
    assert not bob.allowed(MANAGE, "c1")
    given = await office.roles.put_member(ROOT, "c1", "bob", ["moderator", "member"])
    assert given == Member("bob", None, ("member", "moderator"))
    bob = await office.grants.principal("bob")
    assert bob.allowed(MANAGE, "c1")
    assert not bob.allowed(MANAGE, "c2")
    assert (await office.grants.of("bob")).allowed(MANAGE, "c1"), "also without a token"
    await office.roles.remove_member(ROOT, "c1", "bob")
    assert not (await office.grants.principal("bob")).allowed(MANAGE, "c1")
    assert await office.communities.get("c1") == Community("c1"), "whoever has members is a community"


async def test_what_everybody_may_is_a_role_that_can_be_changed(office: Office) -> None:
    await office.roles.put_role(ROOT, None, EVERYBODY, [])
    bob = await office.grants.principal("bob")
    assert not bob.permissions()
    await office.roles.put_role(ROOT, "c1", EVERYBODY, [ENABLE])
    bob = await office.grants.principal("bob")
    assert list(bob.permissions("c1")) == [ENABLE]
    await office.roles.remove_role(ROOT, None, EVERYBODY)
    assert list((await office.grants.principal("bob")).permissions()) == [ENABLE, CAPTURE, ROOM]


async def test_a_role_contains_what_its_permissions_contain(office: Office) -> None:
    role = await office.roles.put_role(ROOT, "c1", "viewer", [ROOM])
    assert role.permissions == {ROOM, CAPTURE}
    assert (role.defined_here, role.built_in) == (True, False)


async def test_only_managers_administer_and_only_their_own_community(office: Office) -> None:
    mod = await office.grants.principal("mod")
    assert [role.name for role in await office.roles.roles(mod, "c1")] == sorted(BUILT_IN)
    for who, place in [(BOB, "c1"), (BOB, None), (mod, "c2"), (mod, None)]:
        for refused in (
            office.roles.roles(who, place),
            office.roles.put_role(who, place, "speaker", []),
            office.roles.remove_role(who, place, "speaker"),
            office.roles.members(who, place, limit=1, after=None),
            office.roles.put_member(who, place, "bob", []),
            office.roles.remove_member(who, place, "bob"),
        ):
            with pytest.raises(PermissionDeniedError, match=r"^Permission denied - MANAGE_REPLAY_LIMITS$"):
                await refused
    assert office.trail.entries == []


async def test_nobody_gives_more_than_they_have(office: Office) -> None:
    mod = await office.grants.principal("mod")
    with pytest.raises(PermissionDeniedError, match=r"^Permission denied - VIEW_AUDIT$"):
        await office.roles.put_role(mod, "c1", "member", [ENABLE, AUDIT])
    with pytest.raises(PermissionDeniedError, match=r"^Permission denied - VIEW_AUDIT$"):
        await office.roles.put_member(mod, "c1", "mod", ["moderator", "auditor"])
    await office.roles.put_member(ROOT, "c1", "alice", ["auditor"])
    kept = await office.roles.put_member(mod, "c1", "alice", ["auditor", "member"])
    assert kept.roles == ("auditor", "member"), "what somebody else gave is left alone"


async def test_roles_that_there_are_not_cannot_be_given(office: Office) -> None:
    await office.roles.put_role(ROOT, "c1", "speaker", [ENABLE])
    for place, role in [("c1", "guest"), ("c2", "speaker"), (None, "speaker"), ("c1", EVERYBODY)]:
        with pytest.raises(ValidationError):
            await office.roles.put_member(ROOT, place, "bob", [role])
    assert (await office.roles.put_member(ROOT, "c1", "bob", ["speaker"])).roles == ("speaker",)


async def test_whoever_had_a_role_that_is_gone_does_not_get_the_next_of_that_name(office: Office) -> None:
    await office.roles.put_role(ROOT, "c1", "speaker", [ENABLE])
    await office.roles.put_member(ROOT, "c1", "bob", ["speaker", "member"])
    await office.roles.remove_role(ROOT, "c1", "speaker")
    await office.roles.put_role(ROOT, "c1", "speaker", [AUDIT])
    assert not (await office.grants.principal("bob")).allowed(AUDIT, "c1")
    assert await office.roles.members(ROOT, "c1", limit=9, after=None) == [Member("bob", None, ("member",))]


async def test_a_role_that_goes_on_to_mean_something_stays_with_its_people(office: Office) -> None:
    await office.roles.put_role(ROOT, None, "speaker", [ENABLE])
    await office.roles.put_role(ROOT, "c1", "speaker", [AUDIT])
    await office.roles.put_role(ROOT, "c1", "member", [AUDIT])
    await office.roles.put_member(ROOT, "c1", "bob", ["speaker", "member"])
    await office.roles.remove_role(ROOT, "c1", "speaker")
    await office.roles.remove_role(ROOT, "c1", "member")
    bob = await office.grants.principal("bob")
    assert bob.roles == {"c1": ("member", "speaker")}
    assert not bob.allowed(AUDIT, "c1")


async def test_a_role_of_the_instance_that_is_gone_is_gone_in_communities_without_their_own(office: Office) -> None:
    await office.roles.put_role(ROOT, None, "speaker", [ENABLE])
    await office.roles.put_role(ROOT, "c2", "speaker", [CAPTURE])
    for place in ("c1", "c2", None):
        await office.roles.put_member(ROOT, place, "bob", ["speaker"])
    await office.roles.remove_role(ROOT, None, "speaker")
    assert (await office.grants.principal("bob")).roles == {"c2": ("speaker",)}


async def test_what_is_not_there_cannot_be_removed(office: Office) -> None:
    await office.roles.put_role(ROOT, None, "speaker", [ENABLE])
    for place, role in [(None, "member"), ("c1", "speaker"), ("c1", "guest")]:
        with pytest.raises(NotFoundError):
            await office.roles.remove_role(ROOT, place, role)
    with pytest.raises(NotFoundError):
        await office.roles.remove_member(ROOT, "c1", "bob")


async def test_every_change_is_in_the_audit_trail(office: Office) -> None:
    await office.roles.put_role(ROOT, "c1", "speaker", [ENABLE])
    await office.roles.put_member(ROOT, "c1", "bob", ["speaker"])
    await office.roles.remove_member(ROOT, "c1", "bob")
    await office.roles.remove_role(ROOT, "c1", "speaker")
    assert office.trail.actions == [
        Action.ROLE_CHANGED,
        Action.MEMBER_CHANGED,
        Action.MEMBER_REMOVED,
        Action.ROLE_REMOVED,
    ]
    assert {(entry.actor, entry.community_id) for entry in office.trail.entries} == {("root", "c1")}
    assert [entry.subject for entry in office.trail.entries] == [None, "bob", "bob", None]
    assert office.trail.entries[0].facts == {"permissions": ["ENABLE_REPLAY_BUFFER"]}


async def test_a_token_that_does_not_hold_gets_no_roles(office: Office) -> None:
    with pytest.raises(UnauthenticatedError):
        await office.grants.principal("nobody")
