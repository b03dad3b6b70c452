"""A NAT in front of a publisher: forwards UDP to one target from a port of its own per client, and can change it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Address = tuple[Any, ...]


class _Port(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Address], None]) -> None:
        self._take = take
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: Address) -> None:
        self._take(data, address)

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost.set_result(None)

    async def close(self) -> None:
        self.transport.close()
        await self.lost


class Relay:
    """What the publisher sees is `port` on 127.0.0.1; the target sees one outer port per client."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._outer: dict[Address, _Port] = {}
        self._opening: dict[Address, list[bytes]] = {}
        self.port = 0

    async def open(self) -> None:
        """Bind the inner port."""
        self._inner = await _open(self._from_client)
        self.port = self._inner.transport.get_extra_info("sockname")[1]

    async def close(self) -> None:
        """Close every port."""
        for port in (self._inner, *self._outer.values()):
            await port.close()

    async def rebind(self) -> None:
        """Forget the mapping: every client continues from another outer port."""
        for client, old in list(self._outer.items()):
            self._outer[client] = await self._new_outer(client)
            await old.close()

    @property
    def outer_ports(self) -> list[int]:
        """The ports in use towards the target."""
        return [port.transport.get_extra_info("sockname")[1] for port in self._outer.values()]

    def _from_client(self, data: bytes, client: Address) -> None:
        outer = self._outer.get(client)
        if outer is not None:
            outer.transport.sendto(data, self._target)
        elif client in self._opening:
            self._opening[client].append(data)
        else:
            self._opening[client] = [data]
            self._task = asyncio.create_task(self._admit(client))

    async def _admit(self, client: Address) -> None:
        self._outer[client] = outer = await self._new_outer(client)
        for data in self._opening.pop(client):
            outer.transport.sendto(data, self._target)

    async def _new_outer(self, client: Address) -> _Port:
        return await _open(lambda data, _from: self._inner.transport.sendto(data, client))


async def _open(take: Callable[[bytes, Address], None]) -> _Port:
    loop = asyncio.get_running_loop()
    _, port = await loop.create_datagram_endpoint(lambda: _Port(take), local_addr=("127.0.0.1", 0))
    return port


@asynccontextmanager
async def relay_to(target_port: int) -> AsyncIterator[Relay]:
    """A relay that is closed in the end."""
    relay = Relay(target_port)
    await relay.open()
    try:
        yield relay
    finally:
        await relay.close()
