"""The UDP port of a worker: every WHIP publisher on it, told apart by ufrag, then by address (ICE-lite, RFC 8445).

STUN is answered here, DTLS and SRTP go to the session's transport (RFC 7983). Order of checks for strangers: header,
name, password, each more costly than the one before and reached by fewer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from collections import Counter
from typing import TYPE_CHECKING, Self, cast

import structlog

from lookback.recorder import addresses, stun
from lookback.recorder.ice import IceSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from lookback.recorder.ice import Address, Route

log = structlog.get_logger(__name__)

RECEIVE_BUFFER_BYTES = 8 << 20  # one buffer for all: 20 streams of 4 Mbit/s fill it in 0.8 s
_SO_RCVBUFFORCE = getattr(sockets, "SO_RCVBUFFORCE", 33)  # Linux; passes net.core.rmem_max when allowed
_PORT_TRIES = 8


class Endpoint:
    """One UDP port on several local addresses.

    `bind` are local IP addresses; a wildcard stands for every address of that family, each with its own socket,
    because an answer must come from the address that was asked. `advertise` go into the candidates instead, best
    first (some publishers try only the first one). `tick_seconds` is the unit of idle times and rate limits.
    """

    def __init__(self, bind: Sequence[str], advertise: Sequence[str] = (), *, tick_seconds: float = 1.0) -> None:
        self._bind = addresses.to_bind(bind)
        self._advertise = addresses.to_advertise(bind, self._bind, advertise)
        self._tick_seconds = tick_seconds
        self._ticker: asyncio.TimerHandle | None = None
        self._sockets: list[_Socket] = []
        self._sessions: dict[bytes, IceSession] = {}
        self._sources: dict[bytes, IceSession] = {}
        self.port = 0
        self.counts: Counter[str] = Counter()

    async def open(self, port: int = 0) -> Self:
        """Bind every address to `port` (0: any that is free on all of them); raises OSError."""
        loop = asyncio.get_running_loop()
        for sock in _bind_all(self._bind, port):
            self.port = sock.getsockname()[1]
            _, socket = await loop.create_datagram_endpoint(self._new_socket, sock=sock)
            self._sockets.append(socket)
            granted = sock.getsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF)
        log.info("endpoint.opened", port=self.port, bound=self._bind, advertised=self._advertise, buffer_bytes=granted)
        self._ticker = loop.call_later(self._tick_seconds, self._tick)
        return self

    async def close(self) -> None:
        """Close the sockets; sessions that are still there fall silent."""
        if self._ticker is not None:
            self._ticker.cancel()
        for socket in self._sockets:
            await socket.close()
        self._sockets.clear()

    async def __aenter__(self) -> Self:
        return self if self._sockets else await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def candidates(self) -> tuple[str, ...]:
        """Values of `a=candidate`: host candidates in the order advertised (RFC 8445 section 5.1.2.1)."""
        return tuple(
            f"{place + 1} 1 udp {(126 << 24) + ((65535 - place) << 8) + 255} {address} {self.port} typ host"
            for place, address in enumerate(self._advertise)
        )

    def session(self) -> IceSession:
        """Make a place for one more publisher."""
        return IceSession(self._sessions, self._sources)

    def media_from_stranger(self, socket: _Socket, packet: bytes, address: Address) -> None:
        """Media from an unknown address: a known SSRC with a right tag is a publisher whose NAT has rebound."""
        session = self._sources.get(packet[8:12])
        if session is None or session.sink is None or not session.sink.media_received(packet):
            self.counts["stray"] += 1
            return
        self.counts["roamed"] += 1
        session.heard = True
        session.media_on(session.add_route(socket, address))

    def check_received(self, socket: _Socket, data: bytes, address: Address) -> None:
        """Answer a connectivity check, if it is one and the password is right."""
        if not stun.is_check(data):
            self.counts["junk"] += 1
            return
        ufrag = stun.addressed_ufrag(data)
        session = self._sessions.get(ufrag)
        if session is None:
            self.counts["unknown_ufrag"] += 1
            return
        route = socket.routes.get(address)
        verified = route is not None and route.session is session
        password = session.password_for_check(ufrag, verified=verified)
        check = stun.authentic_check(data, password) if password else None
        if password is None or check is None:
            self.counts["wrong_password" if password else "rate_limited"] += 1
            session.password_was_wrong(verified=verified)
        elif stun.is_role_conflict(check):
            socket.send(stun.role_conflict(check, password), address)
        elif self._may_use(session, route):
            route = route if verified and route is not None else session.add_route(socket, address)
            session.proved(ufrag, route, nominated=stun.nominates(check))
            socket.send(stun.success(check, address, password), address)

    def _may_use(self, session: IceSession, route: Route | None) -> bool:
        """Whether the address is free, the session's own, or that of a publisher long silent."""
        if route is None or route.session is session:
            return True
        if route.session.lively:
            self.counts["address_taken"] += 1
            return False
        route.session.remove_route(route)
        return True

    def _new_socket(self) -> _Socket:
        return _Socket(self)

    def _tick(self) -> None:
        self._ticker = asyncio.get_running_loop().call_later(self._tick_seconds, self._tick)
        for session in set(self._sessions.values()):
            session.tick()


class _Socket(asyncio.DatagramProtocol):
    """One bound address: sorts what arrives and knows which remote addresses proved themselves here."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lost = asyncio.get_running_loop().create_future()
        self.routes: dict[Address, Route] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._lost.set_result(None)

    def error_received(self, _error: Exception) -> None:
        self._endpoint.counts["socket_errors"] += 1

    def datagram_received(self, data: bytes, address: Address) -> None:
        first = data[0] if data else 255
        if 127 < first < 192:
            route = self.routes.get(address)
            if route is None:
                self._endpoint.media_from_stranger(self, data, address)
                return
            session = route.session
            if session.sink is not None and session.sink.media_received(data):
                session.heard = True
                if route is not session.media_route:
                    session.media_on(route)
        elif first < 4:
            self._endpoint.check_received(self, data, address)
        elif 19 < first < 64 and (route := self.routes.get(address)) and route.session.sink:
            route.session.sink.dtls_received(data)
        else:
            self._endpoint.counts["stray"] += 1

    def send(self, datagram: bytes, address: Address) -> None:
        if not self._transport.is_closing():
            with contextlib.suppress(OSError):  # a full buffer or a vanished network is a lost datagram
                self._transport.sendto(datagram, address)

    async def close(self) -> None:
        self._transport.close()
        await self._lost


def _bind_all(hosts: Sequence[str], port: int) -> list[sockets.socket]:
    """Sockets on one port of every host; with port 0, another port is tried when one of the hosts has it taken."""
    for _ in range(0 if port else _PORT_TRIES - 1):
        with contextlib.suppress(OSError):
            return _bind_once(hosts, port)
    return _bind_once(hosts, port)


def _bind_once(hosts: Sequence[str], port: int) -> list[sockets.socket]:
    with contextlib.ExitStack() as opened:
        bound = []
        for host in hosts:
            sock = opened.enter_context(_new_socket(host))
            sock.bind((host, port))
            port = sock.getsockname()[1]
            bound.append(sock)
        opened.pop_all()
    return bound


def _new_socket(host: str) -> sockets.socket:
    six = ":" in host
    sock = sockets.socket(sockets.AF_INET6 if six else sockets.AF_INET, sockets.SOCK_DGRAM)
    sock.setblocking(False)
    if six:
        sock.setsockopt(sockets.IPPROTO_IPV6, sockets.IPV6_V6ONLY, 1)
    for option in (sockets.SO_RCVBUF, _SO_RCVBUFFORCE):
        with contextlib.suppress(OSError):  # forcing needs CAP_NET_ADMIN; else net.core.rmem_max is the limit
            sock.setsockopt(sockets.SOL_SOCKET, option, RECEIVE_BUFFER_BYTES)
    return sock
