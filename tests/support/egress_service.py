"""LiveKit's API with an Egress that lays recorded files down: everything else is asked of a real LiveKit server."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from livekit import api

from tests.support.egress_files import KILLED, dated
from tests.support.egress_writer import steps, writing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.livekit_server import LivekitServer

NAMES = ["seg_00000.ts", "seg_00001.ts"]
BEGAN_BEFORE_US = 25_000_000
"""How long before it was asked for the recorded share began: its files come faster than they were made."""


class EgressService:
    """Answers as LiveKit does. `begins_us` is when the newest egress's recording began, as its playlist dates it."""

    def __init__(self, server: LivekitServer, tasks: asyncio.TaskGroup) -> None:
        self._server, self._tasks = server, tasks
        self._writers: dict[str, asyncio.Task[None]] = {}
        self.egresses: dict[str, api.EgressInfo] = {}
        self.stopped: list[str] = []
        self.begins_us = 0
        self.url = ""

    async def room_service(self, request: web.Request) -> web.Response:
        """Whatever is not about Egress."""
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        async with aiohttp.ClientSession() as client:
            url = self._server.url.replace("ws", "http", 1) + request.path
            async with client.post(url, data=await request.read(), headers=headers) as answer:
                return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)

    async def egress(self, request: web.Request) -> web.Response:
        """The methods that Lookback uses."""
        method, body = request.match_info["method"], await request.read()
        if method == "StartTrackCompositeEgress":
            return _answer(self._start(api.TrackCompositeEgressRequest.FromString(body)))
        if method == "StopEgress":
            return _answer(self._stop(api.StopEgressRequest.FromString(body).egress_id))
        wanted = api.ListEgressRequest.FromString(body)
        found = [info for info in self.egresses.values() if wanted.room_name in {"", info.room_name}]
        if wanted.active:
            found = [info for info in found if info.status <= api.EgressStatus.EGRESS_ENDING]
        return _answer(api.ListEgressResponse(items=found))

    def fail(self, egress_id: str, error: str, code: int) -> None:
        """Its handler is killed."""
        self._writers[egress_id].cancel()
        info = self.egresses[egress_id]
        info.status, info.error, info.error_code = api.EgressStatus.EGRESS_FAILED, error, code

    def _start(self, wish: api.TrackCompositeEgressRequest) -> api.EgressInfo:
        info = api.EgressInfo(egress_id=f"EG_{len(self.egresses) + 1}", room_name=wish.room_name, track_composite=wish)
        self.egresses[info.egress_id] = info
        folder = Path(wish.segment_outputs[0].filename_prefix).parent
        self._writers[info.egress_id] = self._tasks.create_task(self._write(info, folder))
        return info

    async def _write(self, info: api.EgressInfo, folder: Path) -> None:
        began_us = time.time_ns() // 1_000_000 * 1000 - BEGAN_BEFORE_US
        self.begins_us = began_us
        info.status = api.EgressStatus.EGRESS_ACTIVE
        script = steps(KILLED, NAMES, folder, by_us=began_us - dated(KILLED, NAMES[0]))
        async with writing(script) as process:
            await process.wait()

    def _stop(self, egress_id: str) -> api.EgressInfo:
        info = self.egresses[egress_id]
        self.stopped.append(egress_id)
        if info.status <= api.EgressStatus.EGRESS_ACTIVE:
            info.status = api.EgressStatus.EGRESS_ENDING
            self._tasks.create_task(self._end(info))
        return info

    async def _end(self, info: api.EgressInfo) -> None:
        await asyncio.wait([self._writers[info.egress_id]])
        path = Path(info.track_composite.segment_outputs[0].filename_prefix).with_name("index.m3u8")
        path.write_text(path.read_text() + "#EXT-X-ENDLIST\n")
        info.status, info.details = api.EgressStatus.EGRESS_COMPLETE, "End reason: StopEgress API"


def _answer(message: Any) -> web.Response:
    return web.Response(body=message.SerializeToString(), content_type="application/protobuf")


@asynccontextmanager
async def an_egress_service(server: LivekitServer) -> AsyncIterator[EgressService]:
    """A running service beside a server."""
    async with asyncio.TaskGroup() as tasks:
        service = EgressService(server, tasks)
        application = web.Application()
        application.router.add_post("/twirp/livekit.Egress/{method}", service.egress)
        application.router.add_post("/twirp/{path:.*}", service.room_service)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield service
        finally:
            await runner.cleanup()
