"""Which local addresses an endpoint binds, and which it tells publishers about."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import ifaddr

from lookback.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def to_bind(wanted: Sequence[str]) -> tuple[str, ...]:
    """Wildcards replaced by every local address of their family, loopback last; raises SettingsError."""
    found: dict[str, None] = {}
    for text in wanted:
        address = _address(text)
        locals_ = _local(address.version) if address.is_unspecified else [address]
        found |= dict.fromkeys(map(str, locals_))
    if not found:
        raise SettingsError("No local IP address to receive media on")
    return tuple(found)


def to_advertise(wanted: Sequence[str], bound: Sequence[str], advertise: Sequence[str]) -> tuple[str, ...]:
    """Addresses for the candidates: those given, else those bound; raises SettingsError.

    Where a wildcard was expanded, loopback is left out unless it is all there is: nobody else could use it.
    """
    if advertise:
        given = [_address(text) for text in advertise]
        if any(address.is_unspecified for address in given):
            raise SettingsError("A wildcard address cannot be advertised to publishers")
        return tuple(map(str, given))
    remote = tuple(text for text in bound if text in wanted or not ipaddress.ip_address(text).is_loopback)
    return remote or tuple(bound)


def _address(text: str) -> IpAddress:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise SettingsError(f"{text} is not an IP address") from error


def _local(version: int) -> list[IpAddress]:
    """Every address of this machine but link-local IPv6, which needs an interface name."""
    usable = [a for a in _interfaces() if a.version == version and not (version == 6 and a.is_link_local)]
    return sorted(usable, key=lambda address: address.is_loopback)


def _interfaces() -> Iterator[IpAddress]:
    ips: Iterable[ifaddr.IP] = (ip for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    for ip in ips:
        yield ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
