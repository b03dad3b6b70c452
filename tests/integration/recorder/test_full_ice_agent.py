"""The transport over a full ICE agent, as a client of a LiveKit room needs it: aioice finds and keeps the path."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aioice
from tests.support.waiting import eventually

from lookback.recorder.dtls import Certificate
from lookback.recorder.transport import MediaTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from lookback.recorder.answer import Role
    from lookback.recorder.sdp import Fingerprint

RTP = b"\x80\x60\x00\x01\x00\x00\x00\x00\x00\x00\x00\x2a" + b"payload" * 20
RTCP = b"\x80\xc9\x00\x01\x00\x00\x00\x2a"


class AgentPath:
    """A DatagramPath over an aioice connection."""

    def __init__(self, agent: aioice.Connection) -> None:
        self._agent = agent
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()

    def send(self, datagram: bytes) -> None:
        self._outgoing.put_nowait(datagram)

    async def sending(self) -> None:
        while True:
            await self._agent.send(await self._outgoing.get())

    async def receiving(self, transport: MediaTransport) -> None:
        while True:
            transport.received(await self._agent.recv())


class Peer:
    """One end: agent, path, transport, and what arrived."""

    def __init__(self, *, controlling: bool) -> None:
        self.agent = aioice.Connection(ice_controlling=controlling)
        self.path = AgentPath(self.agent)
        self.certificate = Certificate.generate()
        self.packets: list[bytes] = []

    def use(self, role: Role, fingerprint: Fingerprint) -> MediaTransport:
        self.transport = MediaTransport(
            self.path,
            certificate=self.certificate,
            role=role,
            fingerprints=[fingerprint],
            on_packet=lambda packet, _now_us: self.packets.append(packet),
            clock=lambda: time.time_ns() // 1000,
        )
        return self.transport


@asynccontextmanager
async def connected(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Peer, Peer]]:
    """Two ends that have found each other on loopback, which aioice leaves out."""
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_families: ["127.0.0.1"])
    ours, theirs = Peer(controlling=True), Peer(controlling=False)
    for one, other in ((ours, theirs), (theirs, ours)):
        await one.agent.gather_candidates()
        other.agent.remote_username, other.agent.remote_password = one.agent.local_username, one.agent.local_password
        for candidate in one.agent.local_candidates:
            await other.agent.add_remote_candidate(candidate)
        await other.agent.add_remote_candidate(None)
    async with asyncio.timeout(10):
        await asyncio.gather(ours.agent.connect(), theirs.agent.connect())
    try:
        yield ours, theirs
    finally:
        await asyncio.gather(ours.agent.close(), theirs.agent.close())


async def test_media_and_reports_flow_over_a_full_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(monkeypatch) as (ours, theirs), asyncio.TaskGroup() as tasks:
        server = ours.use("server", theirs.certificate.fingerprint)
        client = theirs.use("client", ours.certificate.fingerprint)
        moving = [
            tasks.create_task(work)
            for peer in (ours, theirs)
            for work in (peer.path.sending(), peer.path.receiving(peer.transport))
        ]
        async with asyncio.timeout(10):
            await asyncio.gather(server.connect(), client.connect())
            theirs.path.send(client._keys.protect(RTP))  # type: ignore[union-attr]
            server.send_rtcp(RTCP)
            await eventually(lambda: ours.packets and theirs.packets)
            await client.close()
            await server.ended.wait()
        assert (ours.packets, theirs.packets) == ([RTP], [RTCP])
        await server.close()
        for task in moving:
            task.cancel()
