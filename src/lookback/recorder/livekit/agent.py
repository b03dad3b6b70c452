"""A full ICE agent by aioice: finds and keeps the path to the LiveKit server, and hands its datagrams on at once.

Private names of aioice, all of them here and proved by tests/integration/recorder/livekit/test_agent.py:
Connection._protocols and ._nominated; get_component_candidates is called with `component`, `addresses` and `timeout`,
and datagram_received is looked up on the instance.
"""

# ruff: noqa: SLF001  this is the one module that may

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import aioice

from lookback.recorder.endpoint import RECEIVE_BUFFER_BYTES

if TYPE_CHECKING:
    from lookback.recorder.livekit.offer import Answer

_SO_RCVBUFFORCE = getattr(socket, "SO_RCVBUFFORCE", 33)  # Linux; passes net.core.rmem_max when allowed
NewAgent = Callable[[Callable[[bytes], None], Callable[[], None]], "Agent"]
"""Makes an agent from `received` and `heard`; see Agent."""

_UDP, _RTP_COMPONENT = "udp", 1


class IceLostError(ConnectionError):
    """No path to the server was found."""


class Agent:
    """One ICE session; an ICE restart is another agent. Implements DatagramPath.

    `received(datagram)` gets everything that is not STUN; `heard()` is called for each datagram of any kind.
    `loopback`: gather 127.0.0.1 too, for a server on this machine.
    """

    def __init__(self, received: Callable[[bytes], None], heard: Callable[[], None], *, loopback: bool = False) -> None:
        self._received = received
        self._heard = heard
        self._ice = _Connection(loopback=loopback)

    @property
    def ufrag(self) -> str:
        """Our user name fragment."""
        return self._ice.local_username

    @property
    def pwd(self) -> str:
        """Our password."""
        return self._ice.local_password

    @property
    def candidates(self) -> tuple[str, ...]:
        """Values of `a=candidate`."""
        return tuple(candidate.to_sdp() for candidate in self._ice.local_candidates)

    async def gather(self) -> None:
        """Open a socket per local address; then `candidates` are known."""
        await self._ice.gather_candidates()
        for protocol in self._ice._protocols:
            self._take_over(protocol)
            _enlarge(protocol.transport.get_extra_info("socket"))

    async def answered(self, answer: Answer) -> None:
        """Take the server's credentials and candidates; then `connect`."""
        self._ice.remote_username, self._ice.remote_password = answer.ufrag, answer.pwd
        self._ice.remote_is_lite = answer.ice_lite
        for candidate in answer.candidates:
            await self.add(candidate)

    async def add(self, candidate: str) -> None:
        """Take a candidate of the server, one it trickles too; what is no use to us is skipped."""
        with contextlib.suppress(ValueError):  # not readable
            remote = aioice.Candidate.from_sdp(candidate.removeprefix("candidate:"))
            if remote.component == _RTP_COMPONENT and remote.transport.lower() == _UDP:
                await self._ice.add_remote_candidate(remote)

    async def connect(self) -> None:
        """Find a path; the caller limits the time. Raises IceLostError."""
        try:
            await self._ice.connect()
        except ConnectionError as error:
            raise IceLostError from error

    def send(self, datagram: bytes) -> None:
        """See DatagramPath."""
        pair = self._ice._nominated.get(_RTP_COMPONENT)
        if pair is not None and not pair.protocol.transport.is_closing():
            with contextlib.suppress(OSError):  # a full buffer or a vanished network is a lost datagram
                pair.protocol.transport.sendto(datagram, pair.remote_addr)

    async def close(self) -> None:
        """Close the sockets; may be called in any state, twice too."""
        await self._ice.close()

    def _take_over(self, protocol: Any) -> None:
        """Sort what a socket receives before aioice does: media would be parsed as STUN, then queued for a task."""
        stun_received, received, heard = protocol.datagram_received, self._received, self._heard

        def datagram_received(data: bytes, address: tuple[Any, ...]) -> None:
            heard()
            if data and data[0] > 3:  # RFC 7983 section 7
                received(data)
            else:
                stun_received(data, address)

        protocol.datagram_received = datagram_received


class _Connection(aioice.Connection):
    """Gathers a loopback address when asked to; aioice never does."""

    def __init__(self, *, loopback: bool) -> None:
        super().__init__(ice_controlling=True)
        self._loopback = loopback

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's signature
    ) -> list[aioice.Candidate]:
        more = [address for address in ("127.0.0.1",) if self._loopback and address not in addresses]
        return await super().get_component_candidates(component, [*addresses, *more], timeout)


def _enlarge(sock: Any) -> None:
    """Let a burst of key frames wait in the socket."""
    for option in (socket.SO_RCVBUF, _SO_RCVBUFFORCE):
        with contextlib.suppress(OSError):  # forcing needs CAP_NET_ADMIN; else net.core.rmem_max is the limit
            sock.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER_BYTES)
