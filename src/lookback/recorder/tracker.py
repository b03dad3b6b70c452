"""What the API must remember of a worker's sessions to say what died with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.recorder.control import (
    AcceptWhip,
    Event,
    FollowEgress,
    RecordLivekit,
    Request,
    SessionMoved,
    StartSynthetic,
    StopSession,
)

if TYPE_CHECKING:
    from collections.abc import Container

LOST_CAUSE = "The recorder stopped unexpectedly and is being restarted"

_ENDED = frozenset({"interrupted", "failed", "stopped"})


class SessionTracker:
    """The sessions that a worker is recording or was asked to record."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._recording: set[str] = set()

    def asked(self, request: Request) -> None:
        """Note a request before it is sent: the worker may die while it handles it."""
        if isinstance(request, StartSynthetic | AcceptWhip | RecordLivekit | FollowEgress):
            self._asked.add(request.session.session_id)
        elif isinstance(request, StopSession):
            self._forget(request.session_id)

    def refused(self, request: Request) -> None:
        """Note that a start came to nothing; what the session recorded before goes on."""
        if isinstance(request, StartSynthetic | AcceptWhip | RecordLivekit | FollowEgress):
            self._asked.discard(request.session.session_id)

    def saw(self, event: Event) -> None:
        """Note what a session did."""
        if event.to == "recording":
            self._recording.add(event.session_id)
        elif event.to in _ENDED:
            self._forget(event.session_id)

    def lost(self, now_us: int, except_for: Container[str] = ()) -> list[Event]:
        """Forget the running sessions but those `except_for`; return the moves that tell their end, in order."""
        gone = sorted(session_id for session_id in self._asked | self._recording if session_id not in except_for)
        for session_id in gone:
            self._forget(session_id)
        return [
            SessionMoved(session_id=session_id, to="interrupted", cause=LOST_CAUSE, at_us=now_us) for session_id in gone
        ]

    def _forget(self, session_id: str) -> None:
        self._asked.discard(session_id)
        self._recording.discard(session_id)
