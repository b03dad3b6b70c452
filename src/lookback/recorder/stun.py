"""STUN binding requests of ICE and our replies, message by message (RFC 8489, RFC 8445 section 7.3)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from aioice import stun

if TYPE_CHECKING:
    Check = stun.Message

MAX_BYTES = 1000  # real checks have 92 to 130; RFC 8489 section 6.1 keeps messages below the path's MTU
_HEADER_BYTES = 20
_USERNAME = 0x0006
_BINDING_REQUEST = b"\x00\x01"
_COOKIE = b"\x21\x12\xa4\x42"
_ATTRIBUTE = struct.Struct("!HH")


def is_check(data: bytes) -> bool:
    """Whether `data` has the header of a binding request."""
    return data[0:2] == _BINDING_REQUEST and data[4:8] == _COOKIE and _HEADER_BYTES < len(data) <= MAX_BYTES


def addressed_ufrag(data: bytes) -> bytes:
    """Our half of a request's USERNAME, b"" without one.

    Looks at nothing else, so that a flood with guessed names costs 3 us a packet and no HMAC.
    """
    position, end = _HEADER_BYTES, len(data)
    while position + 4 <= end:
        kind, size = _ATTRIBUTE.unpack_from(data, position)
        if kind == _USERNAME:
            return data[position + 4 : position + 4 + size].partition(b":")[0]
        position += 4 + (size + 3 & ~3)
    return b""


def authentic_check(data: bytes, password: bytes) -> Check | None:
    """The request when its MESSAGE-INTEGRITY is made with `password`, else None."""
    try:
        message = stun.parse_message(data)
        return message if message.check_message_integrity(password) else None
    except (ValueError, struct.error, IndexError):  # bytes of strangers: attributes cut short, unknown methods
        return None


def nominates(check: Check) -> bool:
    """Whether the peer wants to use the path this request came on (RFC 8445 section 7.1.2)."""
    return "USE-CANDIDATE" in check.attributes


def is_role_conflict(check: Check) -> bool:
    """Whether the peer thinks it is the controlled agent, which an ICE-lite agent always is."""
    return "ICE-CONTROLLED" in check.attributes


def success(check: Check, source: tuple[Any, ...], password: bytes) -> bytes:
    """The response to a check that came from `source` (host, port, ...).

    Chromium needs MESSAGE-INTEGRITY and FINGERPRINT in it (measured), others XOR-MAPPED-ADDRESS by the RFC.
    """
    return _reply(check, stun.Class.RESPONSE, {"XOR-MAPPED-ADDRESS": source[:2]}, password)


def role_conflict(check: Check, password: bytes) -> bytes:
    """The error response that makes the peer switch its role (RFC 8445 section 7.3.1.1)."""
    return _reply(check, stun.Class.ERROR, {"ERROR-CODE": (487, "Role Conflict")}, password)


def _reply(check: Check, kind: stun.Class, attributes: dict[str, Any], password: bytes) -> bytes:
    reply = stun.Message(stun.Method.BINDING, kind, check.transaction_id, attributes)
    reply.add_message_integrity(password)
    return bytes(reply)
