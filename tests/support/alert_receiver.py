"""A real HTTP server that alerts are posted to, in the process of the test."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOOK = "/hooks/secret-token"


@dataclass(slots=True)
class AlertReceiver:
    """`answers`: the status of the next posts, 200 afterwards. `hold`: while it is clear, nobody is answered."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    followed: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def said(self) -> list[dict[str, Any]]:
        """The bodies that came, as JSON."""
        return [json.loads(body) for body, _ in self.got]

    @property
    def types(self) -> list[str]:
        """Their types, in the order in which they came."""
        return [said["type"] for said in self.said]

    @property
    def sentences(self) -> list[str]:
        """Their sentences, in the same order."""
        return [said["sentence"] for said in self.said]

    async def take(self, request: web.Request) -> web.Response:
        """Answer a post."""
        body = await request.read()
        await self.hold.wait()
        self.got.append((body, dict(request.headers)))
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, headers={"Location": "/elsewhere"} if 300 <= status < 400 else {})

    async def elsewhere(self, _request: web.Request) -> web.Response:
        """Where a redirect leads."""
        self.followed += 1
        return web.Response()


@asynccontextmanager
async def an_alert_receiver() -> AsyncIterator[AlertReceiver]:
    """One that listens on a port of its own."""
    receiver = AlertReceiver()
    receiver.hold.set()
    app = web.Application()
    app.router.add_post(HOOK, receiver.take)
    app.router.add_route("*", "/elsewhere", receiver.elsewhere)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}{HOOK}"
    try:
        yield receiver
    finally:
        receiver.hold.set()
        await runner.cleanup()
