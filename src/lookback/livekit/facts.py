"""LiveKit's messages as the facts that the rest of the program knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livekit.protocol import models

from lookback.sessions.rooms import ParticipantFacts, RoomFacts, TrackFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookback.sessions.rooms import TrackSource

_SOURCES: dict[int, TrackSource] = {
    models.TrackSource.CAMERA: "camera",
    models.TrackSource.MICROPHONE: "microphone",
    models.TrackSource.SCREEN_SHARE: "screen",
    models.TrackSource.SCREEN_SHARE_AUDIO: "screen-audio",
}
_MS_US = 1000


def room_facts(room: models.Room, participants: Iterable[models.ParticipantInfo] = ()) -> RoomFacts:
    """What is known of a room. What a server leaves out is the default, as protobuf has it."""
    return RoomFacts(
        name=room.name,
        sid=room.sid,
        metadata=room.metadata,
        active_recording=room.active_recording,
        participants=tuple(participant_facts(participant) for participant in participants),
    )


def participant_facts(info: models.ParticipantInfo) -> ParticipantFacts:
    """What is known of a participant."""
    return ParticipantFacts(
        identity=info.identity,
        sid=info.sid,
        name=info.name,
        metadata=info.metadata,
        attributes=dict(info.attributes),
        kind=_name(models.ParticipantInfo.Kind, info.kind),
        hidden=info.permission.hidden,
        joined_at_us=info.joined_at_ms * _MS_US,
        tracks=tuple(track_facts(track) for track in info.tracks),
    )


def track_facts(info: models.TrackInfo) -> TrackFacts:
    """What is known of a track."""
    kinds = {models.TrackType.AUDIO: "audio", models.TrackType.VIDEO: "video"}
    return TrackFacts(
        sid=info.sid,
        source=_SOURCES.get(info.source, "unknown"),
        kind=kinds.get(info.type, "data"),  # type: ignore[arg-type]
        codec=info.mime_type.lower(),
        muted=info.muted,
        encrypted=info.encryption != models.Encryption.NONE,
        width=info.width,
        height=info.height,
        name=info.name,
        layers=len(info.layers),
        bitrate_bps=max((layer.bitrate for layer in info.layers), default=0),
    )


def _name(enumeration: Any, number: int) -> str:
    """The name of an enumeration's value in lower case; its number when a later server invented it."""
    return enumeration.Name(number).lower() if number in enumeration.values() else str(number)
