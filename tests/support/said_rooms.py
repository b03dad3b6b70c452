"""LiveKit rooms that a test says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lookback.errors import LivekitUnavailableError
from lookback.sessions.rooms import ParticipantFacts, RoomFacts, TrackFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCREEN = TrackFacts("TR_screen", "screen", codec="video/h264")


def somebody(
    identity: str, *, shares: bool = False, encrypted: bool = False, attributes: Mapping[str, str] | None = None
) -> ParticipantFacts:
    """Somebody in a room."""
    tracks = (replace(_SCREEN, sid=f"TR_{identity}", encrypted=encrypted),) if shares else ()
    return ParticipantFacts(identity, attributes=attributes or {}, tracks=tracks)


@dataclass(slots=True)
class SaidRooms:
    """Implements sessions.rooms.LivekitServer. While `away` it does not answer. `asked`: which rooms were looked at."""

    facts: dict[str, RoomFacts] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """See LivekitServer."""
        return "ws://127.0.0.1:7880"

    def says(self, name: str, *people: ParticipantFacts, metadata: str = "") -> None:
        """Let these people be in the room."""
        self.facts[name] = RoomFacts(name, metadata=metadata, participants=people)

    async def room(self, name: str) -> RoomFacts | None:
        """See LivekitServer."""
        self.asked.append(name)
        if self.away:
            raise LivekitUnavailableError("LiveKit does not answer")
        return self.facts.get(name)

    async def rooms(self) -> list[RoomFacts]:
        """See LivekitServer."""
        return list(self.facts.values())

    async def send_data(self, room_name: str, topic: str, payload: bytes) -> None:
        """See LivekitServer; nobody listens."""

    async def remove(self, room_name: str, identity: str) -> None:
        """See LivekitServer."""
        room = self.facts[room_name]
        self.facts[room_name] = replace(
            room, participants=tuple(p for p in room.participants if p.identity != identity)
        )

    def recorder_token(self, room_name: str, identity: str) -> str:
        """See LivekitServer."""
        return f"{room_name} {identity}"

    def join_token(self, room_name: str, identity: str, name: str | None) -> str:
        """See LivekitServer."""
        return f"{room_name} {identity} {name}"
