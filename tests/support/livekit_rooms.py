"""Rooms of LiveKit as facts, in the words of a test."""

from __future__ import annotations

from typing import Any

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
