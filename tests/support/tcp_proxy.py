"""A TCP proxy whose connections a test can cut, as a router that forgets its connections does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class TcpProxy:
    """Forwards `port` on 127.0.0.1 to a target port there, each piece `delay_s` late.

    While `refusing`, new connections are cut at once.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.refusing = False
        self.delay_s = 0.0
        self.taken = 0

    def cut(self) -> None:
        """Reset every connection."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.taken += 1
        if self.refusing:
            writer.transport.abort()
            return
        with suppress(OSError):
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers |= {writer, target_writer}
            await asyncio.gather(self._pipe(reader, target_writer), self._pipe(target_reader, writer))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


@asynccontextmanager
async def a_tcp_proxy(target_port: int) -> AsyncIterator[TcpProxy]:
    """A proxy that is closed in the end."""
    proxy = TcpProxy(target_port)
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
