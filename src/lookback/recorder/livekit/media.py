"""The media side of one visit to a room: the path to the server, the encrypted transport, and whose packet is whose."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING

import structlog

from lookback.recorder.answer import Identity
from lookback.recorder.dtls import Certificate, DtlsFailedError
from lookback.recorder.livekit.offer import write_offer
from lookback.recorder.livekit.streams import Streams
from lookback.recorder.transport import MediaTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookback.recorder.livekit.agent import Agent, NewAgent
    from lookback.recorder.livekit.offer import Answer, Kind

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 10.0
_CLOSE_S = 1.0
_MOST_SOURCES = 16_384  # every republished track has new ones, and a room lives for days

NO_PATH = (
    "LiveKit's media port cannot be reached: check that the recorder's host may send UDP to the address that LiveKit "
    "advertises"
)
ENDED = "LiveKit has closed the media connection"
BROKEN = "The recorder could not handle the media"


class MediaLostError(ConnectionError):
    """No media can come any more; the message is a sentence for people."""


class RoomMedia:
    """Receives all tracks of a room that were subscribed to. `clock` gives UTC microseconds.

    `prepare`, then send `offer(...)`, then give the answer to `answered`; again for an ICE restart. `run` must be
    running. `datagrams` counts what came from the server at all, STUN included. `attended`: the
    server tells us at once what the sharers do, so nothing new means that nothing happens.
    """

    def __init__(self, clock: Callable[[], int], new_agent: NewAgent) -> None:
        self._clock = clock
        self._new_agent = new_agent
        self._certificate = Certificate.generate()
        self._number = secrets.randbits(62)
        self._version = 0
        self._agents: list[Agent] = []  # the newest last: it is the one that offers and candidates are about
        self._agent: Agent | None = None  # the one in use
        self._unanswered = False
        self._answers: asyncio.Queue[tuple[Agent, Answer]] = asyncio.Queue()
        self._transport: MediaTransport | None = None
        self._up = asyncio.Event()
        self._failure: Exception | None = None
        self.streams = Streams()
        self.datagrams = 0
        self.attended = True

    @property
    def connected(self) -> bool:
        """Whether media can flow."""
        return self._up.is_set()

    async def prepare(self) -> None:
        """Open sockets for the next offer: the first one, or an ICE restart."""
        agent = self._new_agent(self._received, self._heard)
        self._agents.append(agent)
        await agent.gather()
        self._unanswered = True

    def offer(self, sections: Sequence[Kind]) -> str:
        """Our next offer as SDP."""
        agent = self._agents[-1]
        self._version += 1
        identity = Identity(agent.ufrag, agent.pwd, self._certificate.fingerprint, agent.candidates)
        role = self._transport.role if self._transport is not None else None
        return write_offer(sections, identity, role, self._number, self._version)

    def answered(self, answer: Answer) -> None:
        """Take the server's answer to the newest offer; connecting happens in `run`."""
        if self._unanswered:
            self._unanswered = False
            self._answers.put_nowait((self._agents[-1], answer))

    async def candidate(self, candidate: str) -> None:
        """Take a candidate that the server trickled."""
        if candidate and self._agents:
            await self._agents[-1].add(candidate)

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send; nothing happens while there is no connection."""
        if self._transport is not None:
            self._transport.send_rtcp(packet)

    def send(self, datagram: bytes) -> None:
        """See DatagramPath: over the agent of the moment."""
        if self._agent is not None:
            self._agent.send(datagram)

    async def run(self, on_connected: Callable[[], None]) -> None:
        """Connect with every answer that has new credentials; raises MediaLostError when one leads nowhere.

        `on_connected` is called each time. When it ends, nothing is held any more.
        """
        try:
            while True:
                await self._connect(*await self._answers.get())
                on_connected()
        finally:
            await self._close()

    async def watch(self) -> None:
        """Raise MediaLostError once the server has ended the connection, or we cannot handle what it sends."""
        await self._up.wait()
        if self._transport is not None:
            await self._transport.ended.wait()
        raise MediaLostError(BROKEN if self._failure else ENDED) from self._failure

    async def _connect(self, agent: Agent, answer: Answer) -> None:
        """Find a path, and use it from then on; the association is made once and outlives every path."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await agent.answered(answer)
                await agent.connect()
                self._agent = agent
                if self._transport is None:
                    self._transport = self._new_transport(answer)
                    await self._transport.connect()
        except (ConnectionError, TimeoutError) as error:
            raise MediaLostError(str(error) if isinstance(error, DtlsFailedError) else NO_PATH) from error
        self._up.set()
        while self._agents[0] is not agent:
            await self._agents.pop(0).close()

    def _new_transport(self, answer: Answer) -> MediaTransport:
        return MediaTransport(
            self,
            certificate=self._certificate,
            role=answer.role,
            fingerprints=answer.fingerprints,
            on_packet=self._packet,
            clock=self._clock,
            most_sources=_MOST_SOURCES,
        )

    async def _close(self) -> None:
        self._up.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                if self._transport is not None:
                    await self._transport.close()
        for agent in self._agents:
            await agent.close()

    def _heard(self) -> None:
        self.datagrams += 1

    def _received(self, datagram: bytes) -> None:
        if self._transport is not None:
            self._transport.received(datagram)

    def _packet(self, packet: bytes, now_us: int) -> None:
        try:
            self.streams.packet(packet, now_us)
        except Exception as error:  # it would end the socket's reader without anybody being told
            if self._failure is None and self._transport is not None:
                log.exception("livekit.packet_failed")
                self._failure = error
                self._transport.ended.set()
