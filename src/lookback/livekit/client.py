"""Ask a LiveKit server about its rooms."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import structlog
from google.protobuf.message import DecodeError
from livekit import api

from lookback.errors import LivekitUnavailableError
from lookback.livekit.facts import room_facts
from lookback.livekit.tokens import Credentials, join_token, recorder_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from livekit.protocol import models

    from lookback.sessions.rooms import RoomFacts

log = structlog.get_logger(__name__)

REFUSED = "LiveKit refuses this server's credentials: check LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
SILENT = "LiveKit does not answer: check LIVEKIT_URL and that the server runs"
STRANGE = "What answers at LIVEKIT_URL is no LiveKit server"
FAILED = "LiveKit could not answer; try again in a moment"

# Leaves the recorder time within the 5 s that a start may take to say what is wrong. livekit-api 1.2.2 passes
# timeout=None with every request, which overrides what its constructor was told: without ours it waits for ever.
_PATIENCE_S = 2.0
_AT_ONCE = 8
_REFUSALS = frozenset({401, 403})


class LivekitClient:
    """Implements sessions.rooms.LivekitServer."""

    def __init__(self, credentials: Credentials, client: api.LiveKitAPI) -> None:
        self._credentials, self._api = credentials, client

    @property
    def api(self) -> api.LiveKitAPI:
        """The connections, for other services of the same server."""
        return self._api

    @property
    def url(self) -> str:
        """See LivekitServer."""
        return self._credentials.websocket_url

    async def room(self, name: str) -> RoomFacts | None:
        """See LivekitServer."""
        for room in await self._listed([name]):
            return await self._facts(room)
        return None

    async def rooms(self) -> list[RoomFacts]:
        """See LivekitServer."""
        few = asyncio.Semaphore(_AT_ONCE)

        async def facts(room: models.Room) -> RoomFacts:
            # A room nobody is in has no hidden recorder either, or it would say that it is recorded.
            if not room.num_participants and not room.active_recording:
                return room_facts(room)
            async with few:
                return await self._facts(room)

        return list(await asyncio.gather(*(facts(room) for room in await self._listed())))

    async def send_data(self, room_name: str, topic: str, payload: bytes) -> None:
        """See LivekitServer."""
        wanted = api.SendDataRequest(room=room_name, topic=topic, data=payload, kind=api.DataPacket.Kind.RELIABLE)
        async with _understood():
            await self._api.room.send_data(wanted)

    async def remove(self, room_name: str, identity: str) -> None:
        """See LivekitServer."""
        async with _understood(), _if_there():
            await self._api.room.remove_participant(api.RoomParticipantIdentity(room=room_name, identity=identity))

    def recorder_token(self, room_name: str, identity: str) -> str:
        """See LivekitServer."""
        return recorder_token(self._credentials, room_name, identity)

    def join_token(self, room_name: str, identity: str, name: str | None) -> str:
        """See LivekitServer."""
        return join_token(self._credentials, room_name, identity, name)

    async def _listed(self, names: Iterable[str] = ()) -> Iterable[models.Room]:
        async with _understood():
            return (await self._api.room.list_rooms(api.ListRoomsRequest(names=names))).rooms

    async def _facts(self, room: models.Room) -> RoomFacts:
        async with _understood(), _if_there():
            found = await self._api.room.list_participants(api.ListParticipantsRequest(room=room.name))
            return room_facts(room, found.participants)
        return room_facts(room)  # it has just been closed


@asynccontextmanager
async def a_livekit_client(credentials: Credentials) -> AsyncIterator[LivekitClient]:
    """A client and its connections, gone afterwards."""
    # No failover: it is for LiveKit's cloud, and would try for longer than anybody waits here.
    async with api.LiveKitAPI(credentials.http_url, credentials.key, credentials.secret, failover=False) as client:
        yield LivekitClient(credentials, client)


@asynccontextmanager
async def _if_there() -> AsyncIterator[None]:
    """What is gone already needs nothing more."""
    try:
        yield
    except api.ServerError as error:
        if error.code != api.ServerErrorCode.NOT_FOUND:
            raise


@asynccontextmanager
async def _understood() -> AsyncIterator[None]:
    """Give up in time, and turn whatever a request may raise into a sentence; no address or key in it."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            yield
    except api.ServerError as error:
        log.warning("livekit.refused", status=error.status, code=error.code, message=error.message)
        raise LivekitUnavailableError(_sentence(error)) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("livekit.silent", error=str(error) or type(error).__name__)
        raise LivekitUnavailableError(SILENT) from error
    except DecodeError as error:
        raise LivekitUnavailableError(STRANGE) from error


def _sentence(error: api.ServerError) -> str:
    if error.status in _REFUSALS:
        return REFUSED
    return FAILED if error.code != "unknown" else STRANGE
