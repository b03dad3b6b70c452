"""A real UDP endpoint with WHIP publishers on it: the part of a recorder worker that the transport needs."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lookback.recorder.endpoint import Endpoint
from lookback.recorder.whip import WhipPublisher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.media.samples import EncodedFrame, Track


@dataclass
class Received:
    """What one publisher delivered, and how it ended."""

    publisher: WhipPublisher = field(init=False)
    frames: list[EncodedFrame] = field(default_factory=list)
    reports: list[tuple[Track, int, int, int]] = field(default_factory=list)
    connections: int = 0
    cause: str | None = None
    task: asyncio.Task[None] | None = None

    def of(self, track: Track) -> list[EncodedFrame]:
        """The frames of one track."""
        return [frame for frame in self.frames if frame.codec.track is track]

    def noted_connection(self) -> None:
        """Count a connection."""
        self.connections += 1

    def noted_report(self, *report: Any) -> None:
        """Keep a sender report."""
        self.reports.append(report)


class Receiving:
    """Accepts offers and ticks the receivers."""

    def __init__(self, endpoint: Endpoint, tasks: asyncio.TaskGroup) -> None:
        self.endpoint = endpoint
        self.publishers: list[Received] = []
        self._tasks = tasks

    def accept(self, offer: str, **settings: Any) -> Received:
        """Answer an offer and run its publisher."""
        got = Received()
        callbacks = {
            "on_frame": got.frames.append,
            "on_connected": got.noted_connection,
            "on_sender_report": got.noted_report,
        }
        got.publisher = WhipPublisher(self.endpoint, offer, clock=now_us, **(callbacks | settings))
        got.task = self._tasks.create_task(self._run(got))
        self.publishers.append(got)
        return got

    async def exchange(self, offer: str) -> str:
        """Answer an offer as a WHIP server would over HTTP."""
        return self.accept(offer).publisher.answer

    @property
    def last(self) -> Received:
        """The newest publisher."""
        return self.publishers[-1]

    async def tick(self) -> None:
        """Run the receivers' timers until cancelled."""
        while True:
            await asyncio.sleep(0.02)
            for got in self.publishers:
                if got.cause is None:
                    got.publisher.tick(now_us())

    async def _run(self, got: Received) -> None:
        got.cause = await got.publisher.run()


def now_us() -> int:
    """The wall clock in microseconds."""
    return time.time_ns() // 1000


@asynccontextmanager
async def receiving(*hosts: str, port: int = 0, **settings: Any) -> AsyncIterator[Receiving]:
    """Open an endpoint on `hosts` (127.0.0.1); in the end stop its publishers and close it."""
    endpoint = Endpoint(hosts or ("127.0.0.1",), **settings)
    await endpoint.open(port)
    try:
        async with asyncio.TaskGroup() as tasks:
            here = Receiving(endpoint, tasks)
            ticker = tasks.create_task(here.tick())
            try:
                yield here
            finally:
                ticker.cancel()
                for got in here.publishers:
                    got.publisher.close()
    finally:
        await endpoint.close()
