"""Connectivity checks, ours and those of strangers."""

from __future__ import annotations

from typing import Any

import pytest
from aioice import stun as reference
from hypothesis import given
from hypothesis import strategies as st

from lookback.recorder import stun

PASSWORD = b"a" * 32


def a_check(user: str = "ours:theirs", *, key: bytes | None = PASSWORD, **attributes: Any) -> bytes:
    named = {"USERNAME": user, "PRIORITY": 1, "ICE-CONTROLLING": 1} | {
        k.replace("_", "-"): v for k, v in attributes.items()
    }
    message = reference.Message(reference.Method.BINDING, reference.Class.REQUEST, attributes=named)
    if key is not None:
        message.add_message_integrity(key)
    return bytes(message)


def test_a_check_is_recognised_and_says_for_whom_it_is() -> None:
    data = a_check()
    assert stun.is_check(data)
    assert stun.addressed_ufrag(data) == b"ours"


def test_the_name_is_found_behind_other_attributes() -> None:
    message = reference.Message(reference.Method.BINDING, reference.Class.REQUEST)
    message.attributes = {"SOFTWARE": "odd", "USERNAME": "ours:theirs"}
    assert stun.addressed_ufrag(bytes(message)) == b"ours"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x01", a_check()[:20], b"\x01\x01" + a_check()[2:], a_check()[:4] + bytes(4) + a_check()[8:]],
    ids=["empty", "short", "cut", "response", "no-cookie"],
)
def test_other_datagrams_are_no_checks(data: bytes) -> None:
    assert not stun.is_check(data)


def test_a_huge_message_is_no_check() -> None:
    assert not stun.is_check(a_check(SOFTWARE="x" * 1000))


def test_only_the_right_password_is_authentic() -> None:
    assert stun.authentic_check(a_check(), PASSWORD) is not None
    assert stun.authentic_check(a_check(), b"b" * 32) is None
    assert stun.authentic_check(a_check(key=None), PASSWORD) is None


def test_every_flipped_bit_is_noticed() -> None:
    data = a_check()
    for position in range(8, len(data) - 8):  # the fingerprint at the end is a checksum only
        for bit in range(8):
            broken = data[:position] + bytes((data[position] ^ 1 << bit,)) + data[position + 1 :]
            assert stun.authentic_check(broken, PASSWORD) is None


def test_attributes_after_the_integrity_do_not_count() -> None:
    """They are not authenticated: nobody may nominate with a captured check (RFC 8489 section 14.5)."""
    message = reference.Message(reference.Method.BINDING, reference.Class.REQUEST)
    message.attributes = {"USERNAME": "ours:theirs"}
    message.add_message_integrity(PASSWORD)
    del message.attributes["FINGERPRINT"]
    message.attributes["USE-CANDIDATE"] = None
    check = stun.authentic_check(bytes(message), PASSWORD)
    assert check is None or not stun.nominates(check)


def test_nomination_and_role_are_read() -> None:
    plain, nominating = (
        stun.authentic_check(a_check(), PASSWORD),
        stun.authentic_check(a_check(USE_CANDIDATE=None), PASSWORD),
    )
    assert plain is not None
    assert nominating is not None
    assert not stun.nominates(plain)
    assert stun.nominates(nominating)
    controlled = stun.authentic_check(a_check(ICE_CONTROLLED=1), PASSWORD)
    assert controlled is not None
    assert stun.is_role_conflict(controlled)
    assert not stun.is_role_conflict(plain)


@pytest.mark.parametrize("source", [("192.0.2.7", 4711), ("2001:db8::7", 4711, 0, 0), ("fe80::1%eth0", 4711, 0, 2)])
def test_a_response_carries_the_seen_address_integrity_and_fingerprint(source: tuple[Any, ...]) -> None:
    check = stun.authentic_check(a_check(), PASSWORD)
    assert check is not None
    reply = reference.parse_message(stun.success(check, source, PASSWORD))
    assert reply.transaction_id == check.transaction_id
    assert reply.message_class is reference.Class.RESPONSE
    assert list(reply.attributes) == ["XOR-MAPPED-ADDRESS", "MESSAGE-INTEGRITY", "FINGERPRINT"]
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == (source[0].partition("%")[0], 4711)
    assert reply.check_message_integrity(PASSWORD)


def test_a_role_conflict_is_told() -> None:
    check = stun.authentic_check(a_check(ICE_CONTROLLED=1), PASSWORD)
    assert check is not None
    data = stun.role_conflict(check, PASSWORD)
    reply = reference.parse_message(data)
    assert reply.error_code == 487
    assert reply.check_message_integrity(PASSWORD)
    assert len(data) <= len(a_check(ICE_CONTROLLED=1))  # no amplification


@given(st.binary(max_size=200))
def test_random_bytes_are_never_authentic(data: bytes) -> None:
    for candidate in (data, a_check()[:20] + data):
        assert stun.authentic_check(candidate, PASSWORD) is None
        stun.addressed_ufrag(candidate)


@given(st.lists(st.tuples(st.integers(20, 90), st.integers(0, 255)), min_size=1, max_size=5))
def test_mutated_checks_never_crash(changes: list[tuple[int, int]]) -> None:
    data = bytearray(a_check())
    for position, value in changes:
        data[position % len(data)] = value
    stun.authentic_check(bytes(data), PASSWORD)
    stun.addressed_ufrag(bytes(data))
