"""What we know of a LiveKit room, and what we ask of its server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TrackSource = Literal["unknown", "camera", "microphone", "screen", "screen-audio"]

DATA_TOPIC = "lookback"
"""Topic of the data messages that tell a room what is kept of it."""


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """A published track. `codec` is a MIME type in lower case such as video/h264, empty while it is not known.

    `bitrate_bps`: that of its best layer in bits per second, 0 while it is not known.
    """

    sid: str
    source: TrackSource
    kind: Literal["audio", "video", "data"] = "video"
    codec: str = ""
    muted: bool = False
    encrypted: bool = False
    width: int = 0
    height: int = 0
    name: str = ""
    layers: int = 0
    bitrate_bps: int = 0


@dataclass(frozen=True, slots=True)
class ParticipantFacts:
    """Somebody in a room. `kind`: standard, ingress, egress, sip, agent or whatever a later server calls it."""

    identity: str
    sid: str = ""
    name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    kind: str = "standard"
    hidden: bool = False
    joined_at_us: int = 0
    tracks: tuple[TrackFacts, ...] = ()

    @property
    def screen(self) -> TrackFacts | None:
        """The shared screen's video, or None."""
        return next((t for t in self.tracks if t.source == "screen" and t.kind == "video"), None)


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """A room that exists now. `active_recording`: its participants are shown that a recorder is there."""

    name: str
    sid: str = ""
    metadata: str = ""
    active_recording: bool = False
    participants: tuple[ParticipantFacts, ...] = ()

    def participant(self, identity: str) -> ParticipantFacts | None:
        """Return the participant with this identity, or None."""
        return next((p for p in self.participants if p.identity == identity), None)

    def sharers(self) -> Iterator[ParticipantFacts]:
        """Who shares a screen."""
        return (p for p in self.participants if p.screen is not None)


class LivekitServer(Protocol):
    """A LiveKit server. Whoever needs one takes `LivekitServer | None`: None when LiveKit is not configured.

    Every method that waits raises LivekitUnavailableError, with a sentence of its own for wrong credentials,
    within 5 s.
    """

    @property
    def url(self) -> str:
        """Address that participants connect to: ws:// or wss://."""

    async def room(self, name: str) -> RoomFacts | None:
        """Return the room with its participants, or None when there is none of that name now."""

    async def rooms(self) -> list[RoomFacts]:
        """Return all rooms with their participants."""

    async def send_data(self, room_name: str, topic: str, payload: bytes) -> None:
        """Send a reliable data message to everybody in a room; a room that is gone raises as if nobody answered."""

    async def remove(self, room_name: str, identity: str) -> None:
        """Remove a participant; one that is gone is no error."""

    def recorder_token(self, room_name: str, identity: str) -> str:
        """A token with which a hidden recorder joins, may subscribe to everything and publishes nothing."""

    def join_token(self, room_name: str, identity: str, name: str | None) -> str:
        """A token with which a person joins, subscribes, and shares screen, camera and microphone."""


def user_of(participant: ParticipantFacts) -> str:
    """The id of the user behind a participant: its identity, unless its attributes or metadata name a `userId`.

    Only the application's backend sets them (a participant cannot, unless its token says so).
    """
    return participant.attributes.get("userId") or member(participant.metadata, "userId") or participant.identity


def member(metadata: str, name: str) -> str | None:
    """A text member of metadata that is a JSON object; None when it is anything else."""
    try:
        found = json.loads(metadata)
    except ValueError:
        return None
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class Invitation:
    """What somebody joins a room with. `url`: ws:// or wss://."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """Something that LiveKit says has happened in a room; `kind` is its webhook's name.

    `identity` and `track_sid` are empty where the event is about nobody or no track in particular.
    """

    kind: str
    room_name: str
    identity: str = ""
    track_sid: str = ""

    def agrees_with(self, room: RoomFacts | None) -> bool:
        """Whether the room looks as it should after the event. LiveKit's rooms are a moment behind its webhooks."""
        participant = room.participant(self.identity) if room is not None else None
        tracks = {track.sid for track in participant.tracks} if participant is not None else set()
        if self.kind == "track_published":
            return self.track_sid in tracks
        if self.kind == "track_unpublished":
            return self.track_sid not in tracks
        return True
