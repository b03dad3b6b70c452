"""All rooms that a worker records, by server and name."""

from __future__ import annotations

import asyncio
import ipaddress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from lookback.recorder.livekit.agent import Agent
from lookback.recorder.livekit.room import Room
from lookback.recorder.livekit.share import Wish
from lookback.recorder.livekit.signalling import Reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.recorder.control import RecordLivekit
    from lookback.recorder.livekit.place import Place

ENTER_SECONDS = 4.5
"""Whoever asks is told within 5 s."""


class Rooms:
    """`clock` gives UTC microseconds; `tasks` keeps the rooms running and must outlive them.

    `camera`: see Wish. `agent` finds the paths to the servers.
    """

    def __init__(
        self,
        clock: Callable[[], int],
        tasks: asyncio.TaskGroup,
        *,
        camera: bool = False,
        agent: type[Agent] = Agent,
    ) -> None:
        self._clock = clock
        self._tasks = tasks
        self._camera = camera
        self._agent = agent
        self._rooms: dict[tuple[str, str], Room] = {}
        self._places: dict[str, Place] = {}  # by session
        self._http: aiohttp.ClientSession | None = None

    async def enter(self, request: RecordLivekit) -> Place | None:
        """Take a place whose share is being received; None when the session has one, and it is followed as wished.

        Raises LivekitUnavailableError, NobodySharingError, EncryptedError or UnsupportedCodecError within 5 s.
        """
        spec = request.session
        wish = Wish(spec.participant_identity or spec.user_id, request.include_microphone, self._camera)
        room = self._room(request, spec.room_name)
        if self._follows(spec.session_id, room, wish):
            room.take(request.token)
            return None
        place = room.enter(wish, request.token)
        try:
            async with asyncio.timeout(ENTER_SECONDS):
                await place.ready
        except TimeoutError as error:
            delay = room.delay
            place.leave()
            raise delay from error
        except BaseException:
            place.leave()
            raise
        self._places = {name: kept for name, kept in self._places.items() if not kept.over}
        self._places[spec.session_id] = place
        return place

    def _follows(self, session_id: str, room: Room, wish: Wish) -> bool:
        """Whether the session is in that room already; raises what stands against its share."""
        place = self._places.get(session_id)
        if place is None or place.wish != wish or not room.holds(place):
            return False
        if place.fault is not None:
            raise place.fault
        return True

    async def close(self) -> None:
        """Give the connections back; the rooms must have been left."""
        if self._http is not None:
            await self._http.close()

    def _room(self, request: RecordLivekit, name: str) -> Room:
        url = request.url
        room = self._rooms.get((url, name))
        if room is None or room.closed:
            if self._http is None:
                # A socket per room for as long as it is recorded: no limit of theirs fits.
                unlimited = aiohttp.ClientTimeout(total=None)
                self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=unlimited)
            reach = Reach(self._http, url, request.token, partial(self._agent, loopback=_on_this_machine(url)))
            room = self._rooms[url, name] = Room(reach, self._clock)
            self._tasks.create_task(self._keep(url, name, room))
        return room

    async def _keep(self, url: str, name: str, room: Room) -> None:
        try:
            await room.run()
        finally:
            if self._rooms.get((url, name)) is room:
                del self._rooms[url, name]


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
