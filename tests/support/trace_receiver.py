"""A real OpenTelemetry receiver (OTLP over HTTP), in the process of the test."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

PATH = "/v1/traces"


@dataclass(slots=True)
class TraceReceiver:
    """`status`: what it answers. `hold`: while it is clear, nobody is answered. `bodies`, `headers`: what came."""

    url: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def batches(self) -> list[ResourceSpans]:
        """What came, and from whom."""
        return [batch for body in self.bodies for batch in ExportTraceServiceRequest.FromString(body).resource_spans]

    @property
    def spans(self) -> list[Span]:
        """All that came."""
        return [span for batch in self.batches for scope in batch.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[Span]:
        """Those of this name."""
        return [span for span in self.spans if span.name == name]

    async def take(self, request: web.Request) -> web.Response:
        """Answer a post."""
        body = await request.read()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        await self.hold.wait()
        return web.Response(
            status=self.status,
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )


def facts(attributes: Iterable[KeyValue]) -> dict[str, str | int]:
    """Attributes by name."""
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in attributes}


@asynccontextmanager
async def a_trace_receiver() -> AsyncIterator[TraceReceiver]:
    """One that listens on a port of its own."""
    receiver = TraceReceiver()
    receiver.hold.set()
    app = web.Application()
    app.router.add_post(PATH, receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        receiver.hold.set()
        await runner.cleanup()
