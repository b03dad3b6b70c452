from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from lookback.access.principal import Link, Permission, Principal
from lookback.access.signed_urls import MediaLinks
from lookback.errors import PermissionDeniedError, UnauthenticatedError

PATH = "/livekit-replay/clips/c1/video"
HOUR_US = 3_600_000_000
NOW_US = 1_795_384_759_000_000
PLAY = frozenset({"play"})


def links(now_us: int = NOW_US, secret: str = "s" * 32, base: str = "") -> MediaLinks:
    return MediaLinks(secret, lambda: now_us, base)


def query_of(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query, strict_parsing=True))


@pytest.mark.parametrize("user", ["alice", "a&for=x", "ä\u202e\0 / %41", "x" * 255])
def test_a_link_speaks_for_its_user(user: str) -> None:
    who = links().principal(PATH, query_of(links().link(PATH, user, "play")), PLAY)
    assert (who.user_id, who.admin) == (user, False)


def test_a_link_has_the_public_address_in_front() -> None:
    assert (
        links(base="https://replay.example.org")
        .link(PATH, "alice", "play")
        .startswith(f"https://replay.example.org{PATH}?")
    )


@pytest.mark.parametrize(
    "change",
    [
        {"user": "bob"},
        {"user": ""},
        {"expires": "99999999999"},
        {"expires": "-1"},
        {"expires": "1e12"},
        {"expires": "9" * 5000},
        {"expires": "\u0663\u0663"},
        {"expires": ""},
        {"for": "download"},
        {"for": "delete"},
        {"for": ""},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "ä"},
    ],
)
def test_nothing_of_a_link_can_be_changed(change: dict[str, str]) -> None:
    query = query_of(links().link(PATH, "alice", "play")) | change
    with pytest.raises(UnauthenticatedError):
        links().principal(PATH, query, frozenset({"play", "download"}))


@pytest.mark.parametrize("member", ["user", "expires", "for", "signature"])
def test_nothing_of_a_link_can_be_left_out(member: str) -> None:
    query = query_of(links().link(PATH, "alice", "play"))
    del query[member]
    with pytest.raises(UnauthenticatedError):
        links().principal(PATH, query, PLAY)


@pytest.mark.parametrize("path", ["/livekit-replay/clips/c2/video", PATH + "/", "", PATH.upper()])
def test_a_link_opens_its_own_path_only(path: str) -> None:
    with pytest.raises(UnauthenticatedError):
        links().principal(path, query_of(links().link(PATH, "alice", "play")), PLAY)


def test_a_purpose_that_is_not_asked_for_does_not_hold() -> None:
    with pytest.raises(UnauthenticatedError):
        links().principal(PATH, query_of(links().link(PATH, "alice", "download")), PLAY)


def test_another_secret_does_not_hold() -> None:
    with pytest.raises(UnauthenticatedError):
        links(secret="t" * 32).principal(PATH, query_of(links().link(PATH, "alice", "play")), PLAY)


def test_a_link_holds_for_hours_and_then_says_that_it_has_expired() -> None:
    query = query_of(links().link(PATH, "alice", "play"))
    assert links(NOW_US + 6 * HOUR_US).principal(PATH, query, PLAY).user_id == "alice"
    with pytest.raises(UnauthenticatedError, match="expired"):
        links(NOW_US + 12 * HOUR_US).principal(PATH, query, PLAY)
    with pytest.raises(UnauthenticatedError, match="expired"):
        links(int(query["expires"]) * 1_000_000).principal(PATH, query, PLAY)


def test_a_link_stays_the_same_for_a_while() -> None:
    assert links().link(PATH, "alice", "play") == links(NOW_US + 1_000_000).link(PATH, "alice", "play")


def test_everybody_may_keep_and_save_and_only_administrators_look_after_others() -> None:
    for permission in (Permission.ENABLE_REPLAY_BUFFER, Permission.CAPTURE_REPLAY):
        Principal("alice").require(permission)
    for permission in (Permission.MANAGE_REPLAY_LIMITS, Permission.VIEW_AUDIT):
        Principal("root", admin=True).require(permission, "c1")
        with pytest.raises(PermissionDeniedError, match=f"Permission denied - {permission}"):
            Principal("alice").require(permission, "c1")


@pytest.mark.parametrize("by", [Link("member"), Link("link", "key"), Link("a\0b", "c\0d")])
def test_a_link_says_by_which_right_it_was_given(by: Link) -> None:
    query = query_of(links().link(PATH, "bob", "play", by))
    assert links().principal(PATH, query, PLAY).link == by


@pytest.mark.parametrize(
    "change", [{"by": "manager"}, {"by": ""}, {"key": "other"}, {"key": ""}, {"user": "alice"}, {"user": "bob\0"}]
)
def test_nobody_gives_a_link_another_right(change: dict[str, str]) -> None:
    query = query_of(links().link(PATH, "bob", "play", Link("link", "key"))) | change
    with pytest.raises(UnauthenticatedError):
        links().principal(PATH, query, PLAY)


def test_a_right_is_neither_added_to_a_link_nor_taken_away() -> None:
    plain = query_of(links().link(PATH, "bob", "play"))
    with pytest.raises(UnauthenticatedError):
        links().principal(PATH, plain | {"by": "manager"}, PLAY)
    given = query_of(links().link(PATH, "bob", "play", Link("member")))
    del given["by"]
    with pytest.raises(UnauthenticatedError):
        links().principal(PATH, given, PLAY)


def test_a_users_id_cannot_pretend_to_be_a_right() -> None:
    link = query_of(links().link(PATH, "victim\0001795384759\0play", "play"))
    forged = {"user": "victim", "expires": "1795384759", "for": "play", "by": link["expires"], "key": "play"}
    with pytest.raises(UnauthenticatedError):
        links().principal(PATH, forged | {"signature": link["signature"]}, PLAY)
