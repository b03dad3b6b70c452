"""The API's end of the control socket."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import structlog
from pydantic import ValidationError as ParseError

from lookback.errors import LookbackError, NoCapacityError, ValidationError
from lookback.recorder.control import (
    MAX_LINE_BYTES,
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

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = structlog.get_logger(__name__)

_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


class ControlClient:
    """One connection: made by `connect`, used inside `async with`, which reads it and hangs up at the end."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_event: Callable[[Event], None]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._ended = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._hang_up()
        if self._reading is not None:
            await self._reading

    @classmethod
    async def connect(cls, path: Path, on_event: Callable[[Event], None]) -> ControlClient:
        """Reach the worker that listens at `path`; raises OSError when none does."""
        reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE_BYTES)
        return cls(reader, writer, on_event)

    @property
    def closed(self) -> bool:
        """Whether the worker has hung up."""
        return self._ended.is_set()

    @property
    def peer_pid(self) -> int:
        """Process that listens at the other end, said by the kernel: true even when that process hangs.

        0 when it cannot be seen from here (another PID namespace).
        """
        sock: socket.socket = self._writer.get_extra_info("socket")
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, _uid, _gid = _CREDENTIALS.unpack(raw)
        return int(pid)

    async def hello(self) -> Welcome:
        """Greet; raises ValidationError when the worker speaks another version."""
        reply = await self.request(Hello())
        if not isinstance(reply, Welcome):
            raise ValidationError("The recorder speaks another version of the control protocol")
        return reply

    async def request(self, request: Request) -> Reply:
        """Ask and wait for the answer.

        Raises the error that the worker raised, or NoCapacityError when the connection ends first.
        """
        if self.closed:
            raise _gone()
        number = next(self._numbers)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._writer.write(to_line(Envelope(id=number, request=request)))
            reply = await answer
        finally:
            del self._waiting[number]
        if isinstance(reply, Refused):
            raise reply.error()
        return reply

    async def wait_closed(self, timeout_s: float) -> None:
        """Wait until the worker has hung up, at most `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._ended.wait()

    async def _read(self) -> None:
        """Read replies and events until the worker hangs up; then every waiting request fails."""
        try:
            while (envelope := await self._next()) is not None:
                self._take(envelope)
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        self._ended.set()
        self._writer.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(_gone())

    def _take(self, envelope: Envelope) -> None:
        if envelope.event is not None:
            self._on_event(envelope.event)
        elif envelope.reply is not None:
            # A reply without a number says that our last line was not understood: nobody else can be meant.
            numbers = [envelope.id] if envelope.id is not None else list(self._waiting)
            for number in numbers:
                answer = self._waiting.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(envelope.reply)

    async def _next(self) -> Envelope | None:
        try:
            return from_line(await self._reader.readuntil(b"\n"))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return None
        except ParseError as error:
            log.warning("control.malformed", error=str(error)[:200])
            return None


def _gone() -> LookbackError:
    return NoCapacityError("The recorder is being restarted", retryAfter=1)
