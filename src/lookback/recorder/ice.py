"""One publisher of an ICE-lite endpoint: its credentials, the addresses it proved, and the path in use.

1. Nothing is sent to an address that has not proved the password or an SRTP key.
2. Before media flows the path is where the publisher nominates; afterwards it is where authentic media last came
   from. Media cannot be replayed, a captured check can: it must not be able to take the path away.
3. Whatever strangers send, the memory used is bounded per session.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

Address = tuple[Any, ...]

IDLE_TICKS = 15
_LIVELY_TICKS = 5
_MAX_ROUTES = 8  # a browser tries each of its addresses on each of ours
_WRONG_PASSWORDS_PER_TICK = 20  # an HMAC costs 14 us; more often than this nobody mistypes


class Socket(Protocol):
    """One of the endpoint's sockets."""

    routes: dict[Address, Route]

    def send(self, datagram: bytes, address: Address) -> None:
        """Send, or lose, one datagram."""


class MediaSink(Protocol):
    """Where a session's traffic goes: see MediaTransport."""

    def media_received(self, packet: bytes) -> bool:
        """Take SRTP or SRTCP; whether it was authentic."""

    def dtls_received(self, datagram: bytes) -> None:
        """Take DTLS."""


@dataclass(slots=True, eq=False)
class Route:
    """A verified remote address on one of our sockets."""

    session: IceSession
    socket: Socket
    address: Address


class IceSession:
    """A publisher's place at the endpoint; made by Endpoint.session(), closed by its owner.

    `on_silent` is called once, when 15 ticks of the endpoint (seconds) brought nothing authentic.
    """

    def __init__(self, sessions: dict[bytes, IceSession], sources: dict[bytes, IceSession]) -> None:
        self._sessions, self._sources = sessions, sources
        self._passwords: dict[bytes, bytes] = {}
        self._routes: list[Route] = []
        self._wrong = [0, 0]  # in this tick: from unverified addresses, from verified ones
        self._quiet_ticks = 0
        self.sink: MediaSink | None = None
        self.on_silent: Callable[[], None] = lambda: None
        self.path: Route | None = None
        self.media_route: Route | None = None
        self.heard = False
        self.reached = asyncio.Event()
        self.ufrag, self.pwd = "", ""
        self.restart()

    # ---- towards the owner

    def restart(self) -> None:
        """Make new credentials. The ones in use stay valid until the publisher uses the new ones."""
        in_use = next(iter(self._passwords), None)
        for unused in [ufrag for ufrag in self._passwords if ufrag != in_use]:
            self._drop(unused)
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(16)
        self._passwords[self.ufrag.encode()] = self.pwd.encode()
        self._sessions[self.ufrag.encode()] = self

    def send(self, datagram: bytes) -> None:
        """Send along the path, if there is one (DatagramPath)."""
        if self.path is not None:
            self.path.socket.send(datagram, self.path.address)

    def own_source(self, ssrc: bytes) -> None:
        """Note an authenticated SSRC: media with it may move the path to a new address."""
        self._sources.setdefault(ssrc, self)

    def close(self) -> None:
        """Leave the endpoint; nothing is received or sent any more."""
        for ufrag in list(self._passwords):
            self._drop(ufrag)
        for route in self._routes:
            self._unlist(route)
        self._routes.clear()
        for ssrc in [ssrc for ssrc, owner in self._sources.items() if owner is self]:
            del self._sources[ssrc]
        self.path = None

    # ---- towards the endpoint

    @property
    def lively(self) -> bool:
        """Whether the publisher was heard lately: its addresses are then not given away."""
        return self.heard or self._quiet_ticks < _LIVELY_TICKS

    def password_for_check(self, ufrag: bytes, *, verified: bool) -> bytes | None:
        """The password to check a request with; None when too many were wrong in this tick.

        The publisher's verified addresses have their own allowance, so a guesser elsewhere cannot lock it out.
        """
        return self._passwords[ufrag] if self._wrong[verified] < _WRONG_PASSWORDS_PER_TICK else None

    def password_was_wrong(self, *, verified: bool) -> None:
        """Count a failed check."""
        self._wrong[verified] += 1

    def proved(self, ufrag: bytes, route: Route, *, nominated: bool) -> None:
        """Note a right password: forget credentials from before a restart, and use the route if that is wanted."""
        if ufrag == self.ufrag.encode() and len(self._passwords) > 1:
            for old in [other for other in self._passwords if other != ufrag]:
                self._drop(old)
        self.heard = True
        if self.path is None or (nominated and self.media_route is None):
            self.path = route
        self.reached.set()

    def media_on(self, route: Route) -> None:
        """Note authentic media: that is where the publisher is."""
        self.path = self.media_route = route

    def add_route(self, socket: Socket, address: Address) -> Route:
        """Take an address that proved itself; beyond 8 the oldest one not in use is forgotten."""
        route = Route(self, socket, address)
        socket.routes[address] = route
        self._routes.append(route)
        if len(self._routes) > _MAX_ROUTES:
            oldest = next(other for other in self._routes if other is not self.path and other is not route)
            self.remove_route(oldest)
        return route

    def remove_route(self, route: Route) -> None:
        """Give an address up."""
        self._routes.remove(route)
        self._unlist(route)
        if self.path is route:
            self.path = self.media_route = None

    def tick(self) -> None:
        """A second has passed."""
        self._wrong = [0, 0]
        self._quiet_ticks = 0 if self.heard else self._quiet_ticks + 1
        self.heard = False
        if self._quiet_ticks == IDLE_TICKS:
            self.on_silent()

    def _drop(self, ufrag: bytes) -> None:
        del self._passwords[ufrag]
        del self._sessions[ufrag]

    @staticmethod
    def _unlist(route: Route) -> None:
        if route.socket.routes.get(route.address) is route:
            del route.socket.routes[route.address]
