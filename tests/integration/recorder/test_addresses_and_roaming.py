"""Several local addresses on one port, and publishers whose address changes."""

from __future__ import annotations

import asyncio
import re
import socket

import pytest
from tests.support.encoded_clip import encoded_clip
from tests.support.receiving import Receiving, receiving
from tests.support.relay import relay_to
from tests.support.waiting import eventually
from tests.support.whip_sender import WhipSender, playing

from lookback.media.samples import Track
from lookback.recorder.endpoint import Endpoint


def through(here: Receiving, port: int) -> WhipSender:
    """A publisher that is told another port: that of the NAT in front of it."""
    sender = WhipSender(encoded_clip())
    original = sender.use_answer

    def use_answer(answer: str) -> None:
        original(answer.replace(f" {here.endpoint.port} typ", f" {port} typ"))

    sender.use_answer = use_answer  # type: ignore[method-assign]
    return sender


async def test_a_rebound_nat_costs_nothing() -> None:
    """Without roaming it cost a browser 1.6 s and FFmpeg 4.1 s (measured)."""
    async with receiving() as here, relay_to(here.endpoint.port) as nat:
        sender = through(here, nat.port)
        await sender.connect(here.exchange)
        got = here.last
        async with playing(sender):
            for times in range(1, 4):
                await eventually(lambda: len(got.of(Track.VIDEO)) > 10)
                await nat.rebind()
                got.frames.clear()
                await eventually(lambda times=times: here.endpoint.counts["roamed"] == times)  # type: ignore[misc]
            await eventually(lambda: len(got.of(Track.VIDEO)) > 10)
            route = got.publisher._ice.path
            assert route is not None
            assert route.address[1] in nat.outer_ports
            reports = sender.counts["reports"]
            await eventually(lambda: sender.counts["reports"] > reports, what="RTCP on the new path")
        assert got.publisher.receiver.stats.video.lost == 0
        await sender.close()
        await eventually(lambda: got.cause)


async def test_every_local_address_answers_from_itself() -> None:
    async with receiving("127.0.0.1", "127.0.0.2", "127.0.0.3") as here:
        candidates = [candidate.split() for candidate in here.endpoint.candidates]
        assert [fields[4] for fields in candidates] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        assert {fields[5] for fields in candidates} == {str(here.endpoint.port)}
        assert sorted((int(fields[3]) for fields in candidates), reverse=True) == [int(f[3]) for f in candidates]
        for host in ("127.0.0.3", "127.0.0.2"):
            sender = WhipSender(encoded_clip())
            sender.offered_host = host
            await sender.connect(here.exchange)
            assert sender.answered_from == (host, here.endpoint.port)
            await sender.close()


async def test_a_publisher_may_move_between_our_addresses() -> None:
    """Chromium does, within one session and from one port of its own."""
    async with receiving("127.0.0.1", "127.0.0.2") as here:
        sender = WhipSender(encoded_clip())
        await sender.connect(here.exchange, bind="0.0.0.0")
        got = here.last
        async with playing(sender):
            await eventually(lambda: len(got.frames) > 10)
            sender.remote = ("127.0.0.2", here.endpoint.port)
            sender.send(sender.check())
            got.frames.clear()
            await eventually(lambda: len(got.frames) > 10)
            path = got.publisher._ice.path
            assert path is not None
            assert path.socket is here.endpoint._sockets[1]
        assert got.publisher.receiver.stats.video.lost == 0
        await sender.close()


async def test_advertised_addresses_stand_in_for_the_bound_ones() -> None:
    async with receiving("127.0.0.2", advertise=["192.0.2.2", "2001:db8::2"]) as here:
        fields = [candidate.split() for candidate in here.endpoint.candidates]
        assert [(f[4], f[7]) for f in fields] == [("192.0.2.2", "host"), ("2001:db8::2", "host")]


async def test_a_wildcard_answers_on_loopback_too() -> None:
    """Loopback is bound although candidates name only what others can reach."""
    async with receiving("0.0.0.0") as here:

        async def exchange(offer: str) -> str:
            return re.sub(r"\d+(\.\d+){3} (\d+) typ", r"127.0.0.1 \2 typ", await here.exchange(offer))

        sender = WhipSender(encoded_clip())
        await sender.connect(exchange)
        assert sender.answered_from == ("127.0.0.1", here.endpoint.port)
        await sender.close()


async def test_ipv6_works() -> None:
    if not _has_ipv6():
        pytest.skip("no IPv6 loopback here")
    async with receiving("::1", "127.0.0.1") as here:
        sender = WhipSender(encoded_clip())
        await sender.connect(here.exchange, bind="::1")
        async with playing(sender):
            await eventually(lambda: here.last.frames)
        await sender.close()


async def test_the_receive_buffer_is_large() -> None:
    async with receiving() as here:
        sock = here.endpoint._sockets[0]._transport.get_extra_info("socket")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as usual:
            default = usual.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= default * 2


async def test_a_port_in_use_is_an_error_and_leaves_no_socket() -> None:
    async with receiving("127.0.0.2") as here:
        with pytest.raises(OSError, match="in use"):
            await Endpoint(["127.0.0.1", "127.0.0.2"]).open(here.endpoint.port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", here.endpoint.port))


async def test_a_closed_endpoint_gives_its_port_back() -> None:
    endpoint = await Endpoint(["127.0.0.1"]).open()
    port = endpoint.port
    await endpoint.close()
    await (await Endpoint(["127.0.0.1"]).open(port)).close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True
