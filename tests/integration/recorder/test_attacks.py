"""What strangers may send to the port, and what a publisher on it notices: nothing."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aioice import stun
from tests.support.encoded_clip import encoded_clip
from tests.support.receiving import Received, Receiving, receiving
from tests.support.sender_sdp import offer
from tests.support.waiting import eventually
from tests.support.whip_sender import WhipSender, playing

from lookback.media.samples import Track

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable


class Stranger:
    """A socket of somebody else; what it gets back is in `replies`."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.replies: list[bytes] = []
        self.sent = 0

    async def send(self, datagrams: Iterable[bytes]) -> None:
        """Send them all, giving the endpoint its turn now and then."""
        for number, datagram in enumerate(datagrams):
            self._socket.sendto(datagram, self._target)
            self.sent += 1
            if number % 50 == 49:
                await asyncio.sleep(0)
        await asyncio.sleep(0)

    def heard(self) -> list[bytes]:
        """Everything that came back so far."""
        while True:
            try:
                self.replies.append(self._socket.recv(2048))
            except BlockingIOError:
                return self.replies

    def close(self) -> None:
        self._socket.close()


class Scene:
    """A publisher that sends, and a stranger at the same port."""

    def __init__(self, here: Receiving, sender: WhipSender) -> None:
        self.here = here
        self.sender = sender
        self.got: Received = here.last
        self.stranger = Stranger(sender.remote)
        self.counts = here.endpoint.counts

    async def handled(self, *names: str, count: int) -> None:
        """Wait until the endpoint has counted that many datagrams."""
        await eventually(lambda: sum(self.counts[name] for name in names) >= count, what=f"{names} of {self.counts}")

    def path(self) -> Any:
        """The address that DTLS and RTCP go to."""
        route = self.got.publisher._ice.path
        return route and route.address

    async def assert_publisher_is_well(self) -> None:
        """It goes on, nothing was lost, and its path is its own."""
        self.got.frames.clear()
        await eventually(lambda: len(self.got.of(Track.VIDEO)) > 5)
        assert self.got.cause is None
        assert self.got.publisher.receiver.stats.video.lost == 0
        assert self.path()[1] == self.sender.local_port


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    async with receiving() as here:
        sender = WhipSender(encoded_clip())
        await sender.connect(here.exchange)
        set_up = Scene(here, sender)
        async with playing(sender):
            await eventually(lambda: len(set_up.got.frames) > 5)
            yield set_up
        set_up.stranger.close()
        await sender.close()


def a_check(user: str, key: bytes | None, *, role: str = "ICE-CONTROLLING") -> bytes:
    attributes = {"USERNAME": user, "PRIORITY": 1, role: 1, "USE-CANDIDATE": None}
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    if key is not None:
        message.add_message_integrity(key)
    return bytes(message)


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes((data[position] ^ 1,)) + data[position + 1 :]


@pytest.mark.parametrize(
    ("attack", "counted"),
    [
        (lambda _ufrag, _pwd: a_check("nobody:x", b"x" * 22), "unknown_ufrag"),
        (lambda ufrag, _pwd: a_check(f"{ufrag}:x", b"x" * 22), "wrong_password"),
        (lambda ufrag, _pwd: a_check(f"{ufrag}:x", None), "wrong_password"),
        (lambda ufrag, pwd: flipped(a_check(f"{ufrag}:x", pwd), 45), "wrong_password"),
        (lambda _ufrag, _pwd: b"\x00\x01" + bytes(18), "junk"),
        (lambda _ufrag, _pwd: b"\x01\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), "junk"),
        (lambda _ufrag, _pwd: b"\x16\xfe\xfd" + bytes(60), "stray"),
        (lambda _ufrag, _pwd: b"\x40" + bytes(60), "stray"),
        (lambda _ufrag, _pwd: b"", "stray"),
    ],
)
async def test_strangers_get_no_answer(attack: Callable[[str, bytes], bytes], counted: str) -> None:
    async with scene() as set_up:
        lead = set_up.sender.peer.sections[0]
        await set_up.stranger.send([attack(lead.ice_ufrag, lead.ice_pwd.encode())])
        await set_up.handled(counted, count=1)
        await set_up.assert_publisher_is_well()
        assert set_up.stranger.heard() == []


async def test_whoever_knows_the_password_gets_an_answer_no_longer_than_the_question() -> None:
    async with scene() as set_up:
        lead = set_up.sender.peer.sections[0]
        question = a_check(f"{lead.ice_ufrag}:x", lead.ice_pwd.encode(), role="ICE-CONTROLLED")
        await set_up.stranger.send([question])
        await eventually(set_up.stranger.heard)
        assert stun.parse_message(set_up.stranger.replies[0]).error_code == 487
        assert len(set_up.stranger.replies[0]) <= len(question)


async def test_a_captured_check_cannot_take_the_path_from_media_that_has_flowed() -> None:
    async with scene() as set_up:
        set_up.sender.mute()
        await set_up.stranger.send([set_up.sender.check()] * 5)
        await eventually(set_up.stranger.heard)
        assert set_up.path()[1] == set_up.sender.local_port
        set_up.sender.mute(False)
        await set_up.assert_publisher_is_well()


async def test_captured_media_cannot_take_the_path_either() -> None:
    async with scene() as set_up:
        captured: list[bytes] = []
        original = set_up.sender.send

        def listening(datagram: bytes) -> None:
            captured.append(datagram)
            original(datagram)

        set_up.sender._out._deliver = listening
        await eventually(lambda: len(captured) > 20)
        await set_up.stranger.send(captured[:20])
        await set_up.handled("stray", count=20)
        assert set_up.counts["roamed"] == 0
        await set_up.assert_publisher_is_well()


async def test_media_from_unknown_addresses_is_dropped() -> None:
    async with scene() as set_up:
        ssrc = struct.pack("!L", set_up.sender.video.ssrc)
        known = [b"\x80\x62" + os.urandom(6) + ssrc + os.urandom(800) for _ in range(500)]
        unknown = [b"\x80\x62" + os.urandom(1000) for _ in range(500)]
        rtcp = [b"\x80\xc8" + os.urandom(100) for _ in range(500)]
        await set_up.stranger.send([*known, *unknown, *rtcp, b"\x80", b"\x80\x62", b"\x80" * 3000])
        await set_up.handled("stray", count=1503)
        await set_up.assert_publisher_is_well()


@pytest.mark.skipif(os.geteuid() != 0, reason="spoofing needs a raw socket")
async def test_media_and_dtls_forged_from_the_publishers_own_address_change_nothing() -> None:
    async with scene() as set_up:
        port, target = set_up.sender.local_port, set_up.sender.remote
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
            for number in range(1500):
                first = random.choice([0x80, 0x80, 20, 21, 22, 23, 25])
                body = bytes((first, random.choice([98, 111, 200, 0xE2]))) + os.urandom(400)
                raw.sendto(struct.pack("!HHHH", port, target[1], 8 + len(body), 0) + body, target)
                if number % 50 == 49:
                    await asyncio.sleep(0)
        await eventually(lambda: set_up.got.publisher._transport.forged > 100)
        await set_up.assert_publisher_is_well()
        assert set_up.got.connections == 1


async def test_guessing_passwords_is_cut_off_and_the_publisher_still_answered() -> None:
    async with scene() as set_up:
        lead = set_up.sender.peer.sections[0]
        guess = a_check(f"{lead.ice_ufrag}:x", b"x" * 22)
        await set_up.stranger.send([guess] * 3000)
        await set_up.handled("wrong_password", "rate_limited", count=3000)
        assert set_up.counts["wrong_password"] <= 60  # 20 per second
        set_up.sender.forget_checks()
        set_up.sender.send(set_up.sender.check())
        await eventually(lambda: set_up.sender.checked)
        await set_up.assert_publisher_is_well()


async def test_another_publishers_live_address_cannot_be_claimed() -> None:
    """A second session proves its password from the first one's address: it may not have it."""
    async with scene() as set_up:
        second = WhipSender(encoded_clip())
        second.use_answer(await set_up.here.exchange(offer(second)))
        set_up.sender.send(second.check())
        await set_up.handled("address_taken", count=1)
        await set_up.assert_publisher_is_well()


async def test_mutated_checks_with_the_right_password_never_crash_the_endpoint() -> None:
    async with scene() as set_up:
        lead = set_up.sender.peer.sections[0]
        good = a_check(f"{lead.ice_ufrag}:x", lead.ice_pwd.encode())
        chance = random.Random(7)

        def mutated() -> bytes:
            data = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(20, len(data))] = chance.randrange(256)
            return bytes(data)

        await set_up.stranger.send(mutated() for _ in range(5000))
        await set_up.assert_publisher_is_well()


async def test_a_flood_leaves_memory_as_it_was() -> None:
    async with scene() as set_up:
        endpoint = set_up.here.endpoint

        def flood() -> Iterable[bytes]:
            for number in range(20_000):
                yield [
                    os.urandom(300),
                    a_check(f"{number:08x}:x", None),
                    b"\x80\x62" + os.urandom(300),
                    b"\x16\xfe\xfd" + os.urandom(300),
                ][number % 4]

        await set_up.stranger.send(list(flood())[:2000])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await set_up.stranger.send(flood())
        await set_up.assert_publisher_is_well()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16_384  # KiB
        assert len(endpoint._sessions) == 1
        assert len(endpoint._sources) <= 3
        assert sum(len(s.routes) for s in endpoint._sockets) == 1
