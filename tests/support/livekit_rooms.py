"""Rooms of LiveKit as facts, in the words of a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lookback.errors import LivekitUnavailableError
from lookback.sessions.rooms import ParticipantFacts, RoomFacts, TrackFacts

RECORDER = "lookback-here"


def a_screen(sid: str = "TR_1", **more: Any) -> TrackFacts:
    """A shared screen."""
    return TrackFacts(sid=sid, source="screen", codec="video/h264", **more)


def a_sharer(identity: str = "alice", sid: str = "TR_1", **more: Any) -> ParticipantFacts:
    """Somebody who shares a screen with its sound."""
    sound = TrackFacts(sid=f"{sid}-sound", source="screen-audio", kind="audio", codec="audio/opus")
    return ParticipantFacts(identity, tracks=(a_screen(sid), sound), **more)


def a_watcher(identity: str = "bob", **more: Any) -> ParticipantFacts:
    """Somebody with a camera."""
    return ParticipantFacts(identity, tracks=(TrackFacts(sid=f"TR_{identity}", source="camera"),), **more)


def our_recorder() -> ParticipantFacts:
    """The recorder of this installation."""
    return ParticipantFacts(RECORDER, kind="egress", hidden=True)


def a_room(*participants: ParticipantFacts, name: str = "demo", **more: Any) -> RoomFacts:
    """A room with these people."""
    return RoomFacts(name, participants=participants, **more)


@dataclass(slots=True)
class SaidLivekit:
    """A server with the rooms that a test says. Implements sessions.rooms.LivekitServer.

    `sent` are topics and payloads by room, `removed` are rooms and identities. It does not answer while `away`.
    """

    known: list[RoomFacts] = field(default_factory=list)
    away: bool = False
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    url: str = "ws://livekit"

    async def room(self, name: str) -> RoomFacts | None:
        """See LivekitServer."""
        return next((room for room in await self.rooms() if room.name == name), None)

    async def rooms(self) -> list[RoomFacts]:
        """See LivekitServer."""
        if self.away:
            raise LivekitUnavailableError("LiveKit does not answer")
        return list(self.known)

    async def send_data(self, room_name: str, topic: str, payload: bytes) -> None:
        """See LivekitServer."""
        await self.rooms()
        self.sent.append((room_name, topic, payload))

    async def remove(self, room_name: str, identity: str) -> None:
        """See LivekitServer."""
        await self.rooms()
        self.removed.append((room_name, identity))

    def recorder_token(self, room_name: str, identity: str) -> str:
        """See LivekitServer."""
        return f"{identity} may record {room_name}"

    def join_token(self, room_name: str, identity: str, name: str | None) -> str:
        """See LivekitServer."""
        return f"{identity} ({name}) may join {room_name}"
