"""What answers like a LiveKit server of any version, at any time of day: for what a real one cannot be made to say."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING

from aiohttp import web
from livekit import api
from livekit.protocol import models, rtc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ROOMS = "/twirp/livekit.RoomService"


@dataclass(slots=True)
class PretendedLivekit:
    """`version`: what it greets with. `ahead_s`: of its clock. `status`: of its API, which works with 200.

    `rooms`: who is in which room.
    """

    version: str = "1.13.5"
    ahead_s: int = 0
    status: int = 200
    rooms: dict[str, list[models.ParticipantInfo]] = field(default_factory=dict)
    url: str = ""

    async def ask(self, request: web.Request) -> web.Response:
        """Its API."""
        if self.status != 200:
            return web.json_response({"code": "internal", "msg": "no"}, status=self.status)
        body, method = await request.read(), request.match_info["method"]
        answer: api.ListRoomsResponse | api.ListParticipantsResponse | api.DeleteRoomResponse
        if method == "ListRooms":
            names = api.ListRoomsRequest.FromString(body).names
            found = [name for name in self.rooms if name in names]
            answer = api.ListRoomsResponse(rooms=[models.Room(name=name, num_participants=1) for name in found])
        elif method == "ListParticipants":
            room = api.ListParticipantsRequest.FromString(body).room
            answer = api.ListParticipantsResponse(participants=self.rooms.get(room, []))
        else:
            answer = api.DeleteRoomResponse()
        return web.Response(body=answer.SerializeToString(), content_type="application/protobuf")

    async def greet(self, request: web.Request) -> web.WebSocketResponse:
        """Whoever enters a room."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        joined = rtc.JoinResponse(server_info=models.ServerInfo(version=self.version))
        await socket.send_bytes(rtc.SignalResponse(join=joined).SerializeToString())
        await socket.receive()
        return socket

    async def home(self, _request: web.Request) -> web.Response:
        """Its page, which says what time it is."""
        return web.Response(text="OK", headers={"Date": formatdate(time.time() + self.ahead_s, usegmt=True)})


def a_screen(codec: str = "video/h264", encryption: int = models.Encryption.NONE) -> models.TrackInfo:
    """A shared screen."""
    return models.TrackInfo(
        sid="TR_1",
        type=models.TrackType.VIDEO,
        source=models.TrackSource.SCREEN_SHARE,
        mime_type=codec,
        encryption=models.Encryption.Type.Name(encryption),
    )


@asynccontextmanager
async def a_pretended_livekit(livekit: PretendedLivekit) -> AsyncIterator[PretendedLivekit]:
    """One that listens on a port of its own."""
    app = web.Application()
    app.router.add_post(_ROOMS + "/{method}", livekit.ask)
    app.router.add_get("/rtc", livekit.greet)
    app.router.add_get("/", livekit.home)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    livekit.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield livekit
    finally:
        await runner.cleanup()
