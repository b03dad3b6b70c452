"""Every private name of aioice we use still does what we use it for: the first tests to fail when aioice moves.

If one of these fails after an upgrade, src/lookback/recorder/livekit/agent.py is the only file to change.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aioice
import pytest
import uvloop
from tests.support.waiting import eventually

import lookback
from lookback.recorder.livekit.agent import Agent, IceLostError
from lookback.recorder.livekit.offer import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MEDIA = b"\x80\x60" + bytes(100)
DTLS = b"\x16\xfe\xfd" + bytes(20)


class Server:
    """What LiveKit is to the agent: a controlled agent of aioice's own, on loopback."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.ice = aioice.Connection(ice_controlling=False)

    async def answer(self) -> Answer:
        self.ice.remote_username, self.ice.remote_password = self._agent.ufrag, self._agent.pwd
        await self.ice.gather_candidates()
        for text in self._agent.candidates:
            await self.ice.add_remote_candidate(aioice.Candidate.from_sdp(text))
        await self.ice.add_remote_candidate(None)
        candidates = tuple(candidate.to_sdp() for candidate in self.ice.local_candidates)
        return Answer("server", (), self.ice.local_username, self.ice.local_password, False, candidates, {})


class Received:
    """What an agent handed on."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []
        self.heard = 0

    def hear(self) -> None:
        self.heard += 1


@asynccontextmanager
async def connected(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Agent, aioice.Connection, Received]]:
    received = Received()
    agent = Agent(received.datagrams.append, received.hear, loopback=True)
    server = Server(agent)
    try:
        await agent.gather()
        monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_families: ["127.0.0.1"])
        await agent.answered(await server.answer())
        async with asyncio.timeout(10):
            await asyncio.gather(agent.connect(), server.ice.connect())
        yield agent, server.ice, received
    finally:
        await agent.close()
        await server.ice.close()


def test_aioice_is_used_by_two_modules_and_its_private_names_by_one() -> None:
    package = Path(lookback.__file__).parent
    users = {path.name for path in package.rglob("*.py") if "import aioice" in path.read_text()}
    private = {
        path.name
        for path in package.rglob("*.py")
        if any(name in path.read_text() for name in ("_protocols", "_nominated", "get_component_candidates"))
    }
    assert users | {"stun.py"} == {"agent.py", "stun.py"}
    assert private == {"agent.py"}


def test_the_version_is_the_one_this_was_proved_with() -> None:
    assert importlib.metadata.version("aioice") == "0.13.0"


def test_candidates_are_gathered_by_a_method_that_takes_addresses() -> None:
    parameters = inspect.signature(aioice.Connection.get_component_candidates).parameters
    assert list(parameters) == ["self", "component", "addresses", "timeout"]


def _uvloop_and_asyncio() -> list[object]:
    return [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("new_loop", _uvloop_and_asyncio(), ids=["asyncio", "uvloop"])
def test_media_goes_around_aioice_and_stun_through_it(monkeypatch: pytest.MonkeyPatch, new_loop: object) -> None:
    async def exchange() -> None:
        async with connected(monkeypatch) as (agent, server, received):
            checks = received.heard
            assert checks > 0
            for datagram in (MEDIA, DTLS):
                await server.send(datagram)
            await eventually(lambda: received.datagrams == [MEDIA, DTLS])
            assert received.heard == checks + 2
            agent.send(MEDIA)
            async with asyncio.timeout(5):
                assert await server.recv() == MEDIA

    with asyncio.Runner(loop_factory=new_loop) as runner:  # type: ignore[arg-type]
        runner.run(exchange())


async def test_loopback_is_a_candidate_only_when_asked_for() -> None:
    for loopback in (True, False):
        agent = Agent(lambda _datagram: None, lambda: None, loopback=loopback)
        await agent.gather()
        assert any(" 127.0.0.1 " in candidate for candidate in agent.candidates) is loopback
        await agent.close()


async def test_what_is_sent_before_there_is_a_path_or_after_it_is_lost() -> None:
    agent = Agent(lambda _datagram: None, lambda: None, loopback=True)
    agent.send(MEDIA)
    await agent.gather()
    agent.send(MEDIA)
    await agent.close()
    agent.send(MEDIA)
    await agent.close()


async def test_candidates_that_are_no_use_are_skipped() -> None:
    agent = Agent(lambda _datagram: None, lambda: None, loopback=True)
    await agent.gather()
    for candidate in (
        "",
        "nonsense",
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
        "1 2 udp 1 ::1 9 typ host",
    ):
        await agent.add(candidate)
    await agent.close()


async def test_closing_ends_the_search_for_a_path() -> None:
    agent = Agent(lambda _datagram: None, lambda: None, loopback=True)
    await agent.gather()
    await agent.answered(Answer("server", (), "ufrag", "p" * 22, False, ("1 1 udp 1 127.0.0.1 9 typ host",), {}))
    connecting = asyncio.create_task(agent.connect())
    await asyncio.sleep(0)
    await agent.close()
    with pytest.raises(IceLostError):
        await connecting
