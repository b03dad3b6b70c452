"""Every private name we use still does what we use it for: the first tests to fail when a library moves.

If one of these fails after an upgrade, src/lookback/recorder/dtls.py is the only file to change.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import RTCDtlsTransport
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib
from tests.support.waiting import eventually
from tests.support.wires import close, joined, shake_hands

import lookback
from lookback.recorder.dtls import Certificate, SrtpKeys

if TYPE_CHECKING:
    from OpenSSL import SSL

RTP = b"\x80\x60\x00\x01\x00\x00\x00\x00\x00\x00\x00\x2a" + b"payload" * 20
RTCP = b"\x80\xc9\x00\x01\x00\x00\x00\x2a"


@pytest.mark.parametrize(("library", "version"), [("aiortc", "1.16.0"), ("aioice", "0.13.0"), ("pylibsrtp", "1.0.0")])
def test_the_versions_are_the_ones_this_was_proved_with(library: str, version: str) -> None:
    assert importlib.metadata.version(library) == version


def test_private_names_are_used_in_one_module_only() -> None:
    package = Path(lookback.__file__).parent
    users = [
        path.name
        for path in package.rglob("*.py")
        if any(name in path.read_text() for name in ("aiortc", "pylibsrtp", "_rx_srtp", "_binding"))
    ]
    assert users == ["dtls.py"]


def test_the_transport_takes_its_role_before_it_starts() -> None:
    assert inspect.signature(RTCDtlsTransport._set_role).parameters.keys() == {"self", "role"}


async def test_the_transport_asks_only_for_recv_and_send() -> None:
    """Our wire has no more than these, a role and a state; anything else would raise here."""
    client, server = joined()
    await shake_hands(client, server)
    await close(client, server)


def test_a_certificate_makes_the_context_from_profiles() -> None:
    assert inspect.signature(RTCCertificate._create_ssl_context).parameters.keys() == {"self", "srtp_profiles"}


async def test_the_context_of_our_certificate_is_the_one_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Certificate] = []
    original = Certificate._create_ssl_context

    def noted(self: Certificate, srtp_profiles: list[object]) -> SSL.Context:
        made.append(self)
        return original(self, srtp_profiles)

    monkeypatch.setattr(Certificate, "_create_ssl_context", noted)
    client, server = joined()
    await shake_hands(client, server)
    await close(client, server)
    assert set(made) == {client.certificate, server.certificate}


async def test_srtp_sessions_appear_when_connected_and_decrypt_each_others_packets() -> None:
    client, server = joined()
    theirs, ours = await shake_hands(client, server)
    assert ours.unprotect(theirs.protect(RTP)) == RTP
    assert theirs.unprotect(ours.protect(RTP)) == RTP
    assert ours.unprotect(theirs.protect_rtcp(RTCP)) == RTCP
    assert theirs.unprotect(ours.protect_rtcp(RTCP)) == RTCP
    await close(client, server)


async def test_the_receive_session_guards_against_replay() -> None:
    """The path follows authentic media because a captured packet cannot be used again."""
    client, server = joined()
    theirs, ours = await shake_hands(client, server)
    packet = theirs.protect(RTP)
    assert ours.unprotect(packet) is not None
    assert ours.unprotect(packet) is None
    await close(client, server)


def test_the_c_functions_take_a_session_a_buffer_and_a_length() -> None:
    key = bytes(range(30))
    sender = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    receiver = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    protected = sender.protect(RTP)
    raw, length = ffi.new("char[]", 2048), ffi.new("int *")
    view = ffi.buffer(raw)
    view[0 : len(protected)] = protected
    length[0] = len(protected)
    assert lib.srtp_unprotect(receiver._srtp[0], raw, length) == 0
    assert view[0 : length[0]] == RTP
    assert isinstance(view[0 : length[0]], bytes)


def test_our_unprotect_gives_what_the_public_one_gives() -> None:
    key = bytes(range(30))
    sender = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    public = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    keys = SrtpKeys(Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND)), sender)
    for number in range(50):
        packet = keys.protect(RTP[:2] + number.to_bytes(2, "big") + RTP[4:])
        assert keys.unprotect(packet) == public.unprotect(packet)


async def test_stopping_cancels_the_transports_own_task() -> None:
    client, server = joined()
    await shake_hands(client, server)
    running = asyncio.all_tasks()
    await close(client, server)
    await eventually(lambda: not (asyncio.all_tasks() & running) - {asyncio.current_task()}, what="no task left")
