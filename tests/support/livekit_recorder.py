"""A recorder worker whose sessions record rooms of a LiveKit server, and what is in its buffer afterwards."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from livekit import api

from lookback.buffer.reader import read_segments, summary
from lookback.livekit.tokens import Credentials, recorder_token
from lookback.recorder.control import RecordLivekit, StopSession
from tests.support.media import decoded
from tests.support.sessions import a_session
from tests.support.supervised import Supervised, now_us, supervised
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lookback.recorder.control import SessionSpec
    from tests.support.livekit_server import LivekitServer

FPS = 30


class RoomRecorder:
    """`worker` is the recorder's process, `server` what it joins."""

    def __init__(self, worker: Supervised, server: LivekitServer) -> None:
        self.worker = worker
        self.server = server

    async def record(
        self, session: SessionSpec, *, url: str | None = None, token: str | None = None, **more: Any
    ) -> None:
        """Ask for a session's share; raises what the recorder answers."""
        request = RecordLivekit(session=session, url=url or self.server.url, token=token or self.token(session), **more)
        await self.worker.supervisor.request(request)

    def token(self, session: SessionSpec) -> str:
        """A token like the ones the API sends."""
        credentials = Credentials(self.server.url, self.server.key, self.server.secret)
        return recorder_token(credentials, session.room_name, f"recorder-{session.session_id}")

    async def stop(self, session: SessionSpec) -> None:
        """End a session."""
        await self.worker.supervisor.request(StopSession(session_id=session.session_id, cause="Enough"))

    async def recorders(self, room: str) -> list[str]:
        """Identities of the hidden participants that LiveKit knows in a room."""
        async with self.server.client() as client:
            people = await client.room.list_participants(api.ListParticipantsRequest(room=room))
        return [who.identity for who in people.participants if who.permission.hidden]

    async def is_recorded(self, room: str) -> bool:
        """What LiveKit tells everybody in the room."""
        async with self.server.client() as client:
            rooms = (await client.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms
        return any(found.active_recording for found in rooms)

    async def reaches(self, session: SessionSpec, instant_us: int | None = None) -> None:
        """Wait until the buffer holds an instant, by default what is happening now."""
        wanted_us = now_us() if instant_us is None else instant_us
        directory = self.worker.directory(session)
        await eventually(lambda: (summary(directory).until_us or 0) >= wanted_us, what="the buffer's newest instant")

    def pictures(self, session: SessionSpec) -> list[tuple[int, int]]:
        """Every picture in the buffer: when it was taken, by the recorder's clock, and its number."""
        found = []
        for segment in read_segments(self.worker.directory(session)):
            shown = decoded(segment.media_path)
            found += [(segment.extent.start_us + round((at - shown[0][0]) * 1e6), number) for at, number in shown]
        return found

    def runs(self, session: SessionSpec) -> int:
        """How many unbroken stretches there are on disk."""
        return len({segment.extent.run_id for segment in read_segments(self.worker.directory(session))})


@asynccontextmanager
async def a_room_recorder(folder: Path, server: LivekitServer, **config: Any) -> AsyncIterator[RoomRecorder]:
    """A running worker, gone afterwards."""
    async with supervised(folder, segment_seconds=2.0, **config) as worker:
        await eventually(lambda: worker.supervisor.connected)
        yield RoomRecorder(worker, server)


def share_of(identity: str, room: str, session_id: str | None = None) -> SessionSpec:
    """A session that records somebody's share."""
    return a_session(
        session_id or f"{room}-{identity}",
        room_name=room,
        user_id=identity,
        participant_identity=identity,
        source="livekit",
    )


def assert_consecutive(pictures: list[tuple[int, int]], began_us: int) -> None:
    """Every picture is there once, in order, and none was taken before its number says; the first ones at once.

    Later ones may be late: on a busy machine the publisher's encoder is, and what its reports then say moves them a
    little to either side.
    """
    numbers = [number for _, number in pictures]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    delays = [at_us - began_us - number * 1_000_000 // FPS for at_us, number in pictures]
    assert -150_000 < min(delays) < 1_000_000, delays
