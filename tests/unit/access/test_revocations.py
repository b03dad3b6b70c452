from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lookback.access.revocations import Revocations, digest
from lookback.access.signed_urls import MediaLinks
from lookback.access.tokens import TokenPolicy, Tokens
from lookback.errors import UnauthenticatedError

NOW_US = 1_795_384_759_000_000
SECRET = "s" * 32
HOUR_US = 3_600_000_000


@dataclass(slots=True)
class Instants:
    """Implements RevocationRepository."""

    by_user: dict[str, int] = field(default_factory=dict)

    async def not_before_us(self, user_id: str) -> int | None:
        return self.by_user.get(user_id)


def tokens_at(now_us: int, instants: Instants) -> Tokens:
    return Tokens(TokenPolicy(SECRET), lambda: now_us, Revocations(instants, lambda: now_us))


async def test_tokens_from_before_hold_no_more_and_those_from_after_do() -> None:
    instants = Instants()
    old = tokens_at(NOW_US, instants).mint("alice", valid_seconds=600)
    later = tokens_at(NOW_US + 10_000_000, instants)
    assert (await later.principal(old)).user_id == "alice"
    instants.by_user["alice"] = NOW_US + 5_000_000
    later = tokens_at(NOW_US + 10_000_000, instants)
    with pytest.raises(UnauthenticatedError, match="revoked; sign in again"):
        await later.principal(old)
    assert (await later.principal(later.mint("alice", valid_seconds=600))).user_id == "alice"
    assert (await later.principal(tokens_at(NOW_US, instants).mint("bob", valid_seconds=600))).user_id == "bob"


async def test_a_token_of_the_very_second_holds_no_more() -> None:
    instants = Instants({"alice": NOW_US})
    tokens = tokens_at(NOW_US, instants)
    with pytest.raises(UnauthenticatedError):
        await tokens.principal(tokens.mint("alice", valid_seconds=600))


async def test_what_does_not_say_when_it_was_issued_holds_for_nobody_who_was_revoked() -> None:
    revocations = Revocations(Instants({"alice": 1}), lambda: NOW_US)
    with pytest.raises(UnauthenticatedError):
        await revocations.require_later("alice", None)
    await revocations.require_later("bob", None)


async def test_a_revocation_is_seen_at_once_when_it_is_made_here() -> None:
    instants = Instants()
    revocations = Revocations(instants, lambda: NOW_US)
    await revocations.require_later("alice", 1)
    instants.by_user["alice"] = 5
    await revocations.require_later("alice", 1)  # remembered
    revocations.forget()
    with pytest.raises(UnauthenticatedError):
        await revocations.require_later("alice", 1)


async def test_a_link_is_taken_for_as_old_as_it_may_be() -> None:
    links = MediaLinks(SECRET, lambda: NOW_US)
    query = dict(part.split("=") for part in links.link("/p", "alice", "play").partition("?")[2].split("&"))
    assert NOW_US - 6 * HOUR_US < links.issued_us(query) <= NOW_US


def test_what_is_kept_of_an_id_does_not_tell_it() -> None:
    assert digest("alice") == digest("alice")
    assert digest("alice") != digest("bob")
    assert "alice" not in digest("alice")
    assert len(digest("\ud800")) == 64, "ids that no encoding takes, too"
