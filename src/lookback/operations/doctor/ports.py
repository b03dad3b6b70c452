"""Whether the server can listen where it is told to."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.operations.doctor.findings import Finding, fine, wrong
from lookback.operations.doctor.remedies import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Kind = Literal["port", "media-port"]

_NAMES = {"port": "the API and the page", "media-port": "media"}
_WAYS = {"port": "TCP", "media-port": "UDP"}


@dataclass(frozen=True, slots=True)
class PortFacts:
    """One address to listen on. `fault`: errno of the attempt, 0 when it could be bound.

    `ours`: our own server or recorder holds it.
    """

    address: str
    port: int
    fault: int = 0
    ours: bool = False


def look_at_port(kind: Kind, address: str, port: int, *, ours: bool = False) -> PortFacts:
    """Try to bind; `ours`: our own program is running, and what it holds is held rightly."""
    if ours:
        return PortFacts(address, port, ours=True)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    way = socket.SOCK_STREAM if kind == "port" else socket.SOCK_DGRAM
    with socket.socket(family, way) as attempt:
        if kind == "port":
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((address, port))
            if kind == "port":
                attempt.listen(1)
        except OSError as error:
            return PortFacts(address, port, error.errno or errno.EINVAL)
    return PortFacts(address, port)


def judge_ports(kind: Kind, facts: Sequence[PortFacts]) -> Iterator[Finding]:
    """What is said of all addresses of one port."""
    failed = [fact for fact in facts if fact.fault]
    for fact in failed:
        yield _fault(kind, fact)
    if facts and not failed:
        held = "is held by this server" if facts[0].ours else "is free"
        yield fine(kind, f"{_WAYS[kind]} port {facts[0].port} for {_NAMES[kind]} {held}")


def _fault(kind: Kind, fact: PortFacts) -> Finding:
    where = f"{_WAYS[kind]} port {fact.port} on {fact.address}"
    if fact.fault == errno.EADDRINUSE:
        return wrong(Problem(f"{kind}.taken"), f"{where} is used by another program")
    if fact.fault in {errno.EACCES, errno.EPERM}:
        return wrong(Problem(f"{kind}.forbidden"), f"{where} may not be used by this user")
    return wrong(Problem(f"{kind}.address"), f"{fact.address} is no address of this machine")


def judge_reach(host: str, public: bool, advertised: Iterable[str]) -> Iterator[Finding]:
    """Whether publishers elsewhere can send. `public`: people reach the page at an address of its own."""
    elsewhere = public or not _is_local(host)
    if elsewhere and all(_is_local(address) for address in advertised):
        yield wrong(
            Problem.MEDIA_PORT_LOCAL, "The page can be reached from elsewhere, but media only from this machine itself"
        )


def _is_local(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host).is_loopback
