"""What a LiveKit server means when it sends us away, reason by reason."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from livekit.protocol import models, rtc

if TYPE_CHECKING:
    from collections.abc import Mapping


class Next(Enum):
    """What to do after a `leave`."""

    RESUME = auto()  # another socket, the same participant
    REJOIN = auto()  # a new participant
    STAY_AWAY = auto()  # somebody wanted us gone: coming back would be a fight


class VisitEndedError(ConnectionError):
    """A visit to a room is over; `sentence` says why to people, `following` what to do about it."""

    def __init__(self, sentence: str, following: Next = Next.REJOIN) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.following = following


_FINAL: Mapping[int, str] = {
    models.DUPLICATE_IDENTITY: "Another recorder took this recorder's place in the room",
    models.PARTICIPANT_REMOVED: "The recorder was removed from the room",
    models.ROOM_DELETED: "The room was deleted",
    models.ROOM_CLOSED: "The room was closed",
}
_STAYING_AWAY = "LiveKit has sent the recorder away"
_PASSING: Mapping[int, str] = {
    models.SERVER_SHUTDOWN: "The LiveKit server is being stopped",
    models.JOIN_FAILURE: "The recorder could not take part in the room in time",
    models.MIGRATION: "The room moves to another LiveKit server",
}
LOST = "The connection to LiveKit was lost"
_OURS_TO_REPAIR = frozenset(
    {
        models.SERVER_SHUTDOWN,
        models.STATE_MISMATCH,
        models.JOIN_FAILURE,
        models.MIGRATION,
        models.SIGNAL_CLOSE,
        models.CONNECTION_TIMEOUT,
        models.MEDIA_FAILURE,
    }
)


def after(leave: rtc.LeaveRequest) -> tuple[Next, str]:
    """Return what to do and, for people, why the recording is interrupted."""
    if leave.reason in _FINAL:
        return Next.STAY_AWAY, _FINAL[leave.reason]
    if leave.action == rtc.LeaveRequest.RESUME:
        return Next.RESUME, LOST
    if leave.action == rtc.LeaveRequest.RECONNECT or leave.can_reconnect or leave.reason in _OURS_TO_REPAIR:
        return Next.REJOIN, _PASSING.get(leave.reason, LOST)
    return Next.STAY_AWAY, _STAYING_AWAY
