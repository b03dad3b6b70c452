from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.access.principal import Grant, Permission, Principal
from lookback.access.roles import BUILT_IN, EVERYBODY, RoleBook, parse_permissions, with_implied
from lookback.errors import PermissionDeniedError

if TYPE_CHECKING:
    from lookback.access.roles import RoleKey

ENABLE, CAPTURE, ROOM, MANAGE, AUDIT = Permission
NOBODY_BY_DEFAULT: dict[RoleKey, frozenset[Permission]] = {(None, EVERYBODY): frozenset()}
PLACES = st.sampled_from([None, "c1", "c2"])
ROLES = st.sampled_from([*BUILT_IN, "speaker", "guest"])
SETS = st.frozensets(st.sampled_from(list(Permission))).map(with_implied)
BOOKS = st.dictionaries(st.tuples(PLACES, ROLES), SETS).map(RoleBook)


def a_principal(**more: object) -> Principal:
    """Alice in an instance where nobody may anything by default."""
    known: dict[str, object] = {"book": RoleBook(NOBODY_BY_DEFAULT)}
    return Principal("alice", **(known | more))  # type: ignore[arg-type]


def test_everybody_may_keep_and_save_their_own_unless_somebody_says_otherwise() -> None:
    alice = Principal("alice")
    assert [p for p in Permission if alice.allowed(p)] == [ENABLE, CAPTURE, ROOM]
    assert list(alice.grants(ENABLE)) == [Grant("default")]
    assert not [p for p in Permission if a_principal().allowed(p)]


@pytest.mark.parametrize("permission", [ENABLE, CAPTURE, MANAGE, AUDIT])
def test_a_refusal_names_the_permission_and_the_roles_that_would_give_it(permission: Permission) -> None:
    with pytest.raises(PermissionDeniedError) as refusal:
        a_principal().require(permission, "c1")
    assert refusal.value.detail == f"Permission denied - {permission.value}"
    expected = {
        ENABLE: ["member", "moderator"],
        CAPTURE: ["member", "moderator"],
        MANAGE: ["moderator"],
        AUDIT: ["auditor"],
    }
    assert refusal.value.facts == {"grantedBy": expected[permission]}


def test_a_refusal_names_roles_that_a_community_made() -> None:
    book = RoleBook({**NOBODY_BY_DEFAULT, ("c1", "speaker"): frozenset({ENABLE}), ("c1", "member"): frozenset()})
    with pytest.raises(PermissionDeniedError) as refusal:
        a_principal(book=book).require(ENABLE, "c1")
    assert refusal.value.facts == {"grantedBy": ["moderator", "speaker"]}


@pytest.mark.parametrize(("permission", "place"), list(product(Permission, [None, "c1"])))
def test_an_administrator_may_everything_everywhere(permission: Permission, place: str | None) -> None:
    assert list(a_principal(admin=True).grants(permission, place)) == [Grant("admin")]


def test_a_role_in_a_community_holds_there_only() -> None:
    alice = a_principal(roles={"c1": ("moderator",)})
    assert alice.allowed(MANAGE, "c1")
    assert not alice.allowed(MANAGE, "c2")
    assert not alice.allowed(MANAGE)


def test_a_role_of_the_instance_holds_in_every_community() -> None:
    alice = a_principal(roles={None: ("auditor",)})
    assert all(alice.allowed(AUDIT, place) for place in (None, "c1", "c2"))
    assert not alice.allowed(ENABLE, "c1")


def test_what_the_token_says_is_merged_with_the_database() -> None:
    alice = a_principal(
        roles={"c1": ("auditor",)},
        communities={"c1": ("member",), "c2": ("moderator",)},
        token_roles=("auditor",),
        token_permissions={None: frozenset({ENABLE}), "c3": frozenset({MANAGE})},
    )
    assert alice.belongs_to == {"c1", "c2", "c3"}
    assert list(alice.grants(AUDIT, "c1")) == [Grant("token", "auditor"), Grant("role", "auditor")]
    assert list(alice.grants(ENABLE, "c1")) == [Grant("token"), Grant("token", "member")]
    assert list(alice.grants(MANAGE, "c2")) == [Grant("token", "moderator")]
    assert list(alice.grants(MANAGE, "c3")) == [Grant("token")]
    assert not alice.allowed(MANAGE, "c1")


def test_a_communitys_definition_stands_before_the_instances_and_that_before_the_built_in() -> None:
    book = RoleBook({(None, "member"): frozenset({AUDIT}), ("c1", "member"): frozenset({MANAGE})})
    assert book.permissions("member", "c1") == {MANAGE}
    assert book.permissions("member", "c2") == {AUDIT}
    assert RoleBook().permissions("member", "c2") == BUILT_IN["member"]


def test_a_role_of_the_instance_means_what_the_instance_says_also_in_a_community_that_says_otherwise() -> None:
    book = RoleBook({("c1", "auditor"): frozenset(), (None, EVERYBODY): frozenset()})
    assert a_principal(book=book, roles={None: ("auditor",)}).allowed(AUDIT, "c1")
    assert not a_principal(book=book, roles={"c1": ("auditor",)}).allowed(AUDIT, "c1")


def test_a_community_can_give_everybody_less_or_more() -> None:
    book = RoleBook({("c1", EVERYBODY): frozenset(), ("c2", EVERYBODY): frozenset({AUDIT})})
    alice = Principal("alice", book=book)
    assert not alice.allowed(ENABLE, "c1")
    assert alice.allowed(ENABLE, "c3")
    assert alice.allowed(AUDIT, "c2")
    assert not alice.allowed(AUDIT)


def test_a_role_that_nobody_defined_allows_nothing() -> None:
    assert not a_principal(roles={"c1": ("speaker",)}, communities={"c1": ("guest",)}).permissions("c1")


def test_saving_what_others_share_contains_saving_ones_own() -> None:
    assert with_implied({ROOM}) == {ROOM, CAPTURE}
    assert with_implied({CAPTURE}) == {CAPTURE}


def test_names_of_another_version_mean_nothing() -> None:
    assert parse_permissions(["ENABLE_REPLAY_BUFFER", "FLY", 3, None, {}, "admin"]) == {ENABLE}


@given(book=BOOKS, roles=st.dictionaries(PLACES, st.lists(ROLES).map(tuple)), place=PLACES)
def test_one_is_allowed_exactly_what_something_grants(
    book: RoleBook, roles: dict[str | None, tuple[str, ...]], place: str | None
) -> None:
    alice = Principal("alice", book=book, roles=roles)
    here = set().union(*(book.permissions(role, place) for role in roles.get(place, ())))
    everywhere = set().union(*(book.permissions(role) for role in roles.get(None, ())))
    expected = here | everywhere | book.permissions(EVERYBODY, place)
    assert {p for p in Permission if alice.allowed(p, place)} == expected == set(alice.permissions(place))


@given(book=BOOKS, permission=st.sampled_from(list(Permission)), place=PLACES)
def test_whoever_is_given_a_role_that_a_refusal_names_is_not_refused_again(
    book: RoleBook, permission: Permission, place: str | None
) -> None:
    for role in book.granting(permission, place):
        assert Principal("alice", book=book, roles={place: (role,)}).allowed(permission, place)
