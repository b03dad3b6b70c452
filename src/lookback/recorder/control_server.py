"""The recorder's end of the control socket: requests in, one reply each, every event to everybody connected."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog
from pydantic import ValidationError as ParseError

from lookback.errors import LookbackError, MalformedError, ValidationError
from lookback.recorder.control import (
    MAX_LINE_BYTES,
    PROTOCOL_VERSION,
    Envelope,
    Event,
    Hello,
    Refused,
    Reply,
    Request,
    Welcome,
    from_line,
    to_line,
)
from lookback.recorder.socket_lock import owned_socket

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

log = structlog.get_logger(__name__)

MAX_UNREAD_BYTES = 4 << 20
"""A client that leaves more than this unread is hung; it is dropped, finds out, and asks for everything anew."""


class ControlHandler(Protocol):
    """What serves the requests of a control socket."""

    async def handle(self, request: Request) -> Reply:
        """Answer, or raise a LookbackError that is raised again on the other side."""

    def welcome(self) -> Welcome:
        """Who we are."""

    def moves(self) -> Iterable[Event]:
        """The last move of every session, for somebody who has seen none."""


class ControlServer:
    """Serves one control socket until cancelled."""

    def __init__(self, path: Path, handler: ControlHandler, now_s: Callable[[], float]) -> None:
        self._path = path
        self._handler = handler
        self._now_s = now_s
        self._connections: set[_Connection] = set()
        self._last_seen_s = now_s()
        self.ready = asyncio.Event()

    @property
    def lonely_s(self) -> float:
        """For how many seconds nobody has been connected; 0 while somebody is."""
        return 0.0 if self._connections else self._now_s() - self._last_seen_s

    def publish(self, event: Event) -> None:
        """Send to everybody connected; never waits for a slow reader."""
        line = to_line(Envelope(event=event))
        for connection in tuple(self._connections):
            connection.send(line)

    async def run(self) -> None:
        """Own the socket and serve it; raises NoCapacityError when another process does."""
        with owned_socket(self._path) as listener:
            await self._serve(listener)

    async def _serve(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        server = await asyncio.start_unix_server(self._connected, sock=listener, limit=MAX_LINE_BYTES)
        self.ready.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for connection in tuple(self._connections):
                connection.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer, self._handler.handle)
        try:
            if await connection.greeted(self._handler.welcome()):
                # No await between the last moves and joining the listeners, so that no move is missed or doubled.
                for event in self._handler.moves():
                    connection.send(to_line(Envelope(event=event)))
                self._connections.add(connection)
                await connection.serve()
        finally:
            self._connections.discard(connection)
            self._last_seen_s = self._now_s()
            connection.close()


class _Connection:
    """One client."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: Callable[[Request], Awaitable[Reply]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handle = handle

    def send(self, line: bytes) -> None:
        """Queue for the client, or drop the client when it does not read."""
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            log.warning("control.client_dropped", unread_bytes=self._writer.transport.get_write_buffer_size())
            self._writer.transport.abort()
            return
        self._writer.write(line)

    def close(self) -> None:
        """Hang up after what is queued."""
        self._writer.close()

    async def greeted(self, welcome: Welcome) -> bool:
        """Whether the client said a Hello of our version; it is told when not."""
        envelope = await self._next()
        if envelope is None or not isinstance(envelope.request, Hello):
            return False
        if envelope.request.version != PROTOCOL_VERSION:
            refusal = ValidationError(f"This recorder speaks version {PROTOCOL_VERSION} of the control protocol")
            self.send(to_line(Envelope(id=envelope.id, reply=Refused.of(refusal))))
            return False
        self.send(to_line(Envelope(id=envelope.id, reply=welcome)))
        return True

    async def serve(self) -> None:
        """Answer until the client hangs up. Requests overtake each other: a stop may wait for the disk."""
        async with asyncio.TaskGroup() as requests:
            while (envelope := await self._next()) is not None:
                if envelope.request is not None:
                    requests.create_task(self._answer(envelope.id, envelope.request))

    async def _answer(self, number: int | None, request: Request) -> None:
        self.send(to_line(Envelope(id=number, reply=await self._reply(request))))

    async def _reply(self, request: Request) -> Reply:
        try:
            return await self._handle(request)
        except LookbackError as error:
            return Refused.of(error)
        except Exception:  # the edge: one broken request must not end the others, and leaves its traceback here
            log.exception("control.request_failed", kind=request.kind)
            return Refused(code=LookbackError.code, detail=LookbackError.title)

    async def _next(self) -> Envelope | None:
        """The next line, or None when the client hung up or does not speak our language."""
        try:
            line = await self._reader.readuntil(b"\n")
            return from_line(line)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except (asyncio.LimitOverrunError, ParseError) as error:
            refusal = MalformedError("The recorder does not understand this request")
            log.warning("control.malformed", error=str(error)[:200])
            self.send(to_line(Envelope(reply=Refused.of(refusal))))
            return None
