"""Who sees which clip by which right: the one table that everything else follows from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.clip_builders import a_clip

from lookback.access.principal import Link, Principal
from lookback.clips.model import Visibility
from lookback.clips.visibility import Sight, changeable, sight_of, visible
from lookback.errors import NotFoundError, PermissionDeniedError

PRIVATE = a_clip(community_id="c1")
SHOWN = replace(PRIVATE, visibility=Visibility.COMMUNITY)
LINKED = replace(PRIVATE, visibility=Visibility.LINK, share_key="key")
ALONE = replace(LINKED, community_id=None)

OWNER = Principal("alice")
ADMIN = Principal("root", admin=True)
MODERATOR = Principal("mo", communities={"c1": ("moderator",)})
ELSEWHERE = Principal("mo", communities={"c2": ("moderator",)})
MEMBER = Principal("mia", communities={"c1": ()})
BOB = Principal("bob")
VISITOR = Principal("", link=Link("link", "key"))
WRONG_KEY = Principal("", link=Link("link", "other"))
NO_KEY = Principal("", link=Link("link"))
OWNERS_PLAYER = Principal("alice", link=None)
MODERATORS_PLAYER = Principal("mo", link=Link("manager"))
MEMBERS_PLAYER = Principal("mia", link=Link("member"))
UNKNOWN_RIGHT = Principal("bob", link=Link("owner"))


@pytest.mark.parametrize(
    ("who", "rights"),
    [
        (OWNER, (Sight.OWNER, Sight.OWNER, Sight.OWNER, Sight.OWNER)),
        (ADMIN, (Sight.MANAGER, Sight.MANAGER, Sight.MANAGER, Sight.MANAGER)),
        (MODERATOR, (Sight.MANAGER, Sight.MANAGER, Sight.MANAGER, None)),
        (ELSEWHERE, (None, None, None, None)),
        (MEMBER, (None, Sight.MEMBER, None, None)),
        (BOB, (None, None, None, None)),
        (VISITOR, (None, None, Sight.LINK, Sight.LINK)),
        (WRONG_KEY, (None, None, None, None)),
        (NO_KEY, (None, None, None, None)),
        (OWNERS_PLAYER, (Sight.OWNER, Sight.OWNER, Sight.OWNER, Sight.OWNER)),
        (MODERATORS_PLAYER, (Sight.MANAGER, Sight.MANAGER, Sight.MANAGER, Sight.MANAGER)),
        (MEMBERS_PLAYER, (None, Sight.MEMBER, None, None)),
        (UNKNOWN_RIGHT, (None, None, None, None)),
    ],
)
def test_who_sees_what_by_which_right(who: Principal, rights: tuple[Sight | None, ...]) -> None:
    assert tuple(sight_of(who, clip) for clip in (PRIVATE, SHOWN, LINKED, ALONE)) == rights


@pytest.mark.parametrize("who", [OWNER, ADMIN, MODERATOR])
def test_owners_and_managers_change_a_clip(who: Principal) -> None:
    assert changeable(who, SHOWN) is SHOWN


def test_others_who_see_it_are_told_that_they_may_not_change_it() -> None:
    with pytest.raises(PermissionDeniedError):
        changeable(MEMBER, SHOWN)
    with pytest.raises(PermissionDeniedError):
        changeable(VISITOR, LINKED)
    with pytest.raises(NotFoundError):
        changeable(MEMBER, PRIVATE)


@pytest.mark.parametrize("who", [OWNER, ADMIN, MEMBER])
def test_what_is_deleted_is_absent_for_everybody(who: Principal) -> None:
    gone = replace(SHOWN, deleted_at_us=1)
    with pytest.raises(NotFoundError):
        visible(who, gone)
    assert visible(who, gone, deleted=True) is gone


def test_a_key_that_is_left_over_opens_nothing() -> None:
    assert sight_of(VISITOR, replace(LINKED, visibility=Visibility.PRIVATE)) is None
