"""What a session is, and the one table of its legal moves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Source = Literal["whip", "livekit", "egress", "synthetic"]


class SessionState(StrEnum):
    """Where a session is in its life."""

    STARTING = "starting"  # asked for; no key frame yet
    RECORDING = "recording"  # samples arrive
    INTERRUPTED = "interrupted"  # publisher gone; segments kept, waiting for a new run
    DRAINING = "draining"  # stopped; still capturable until the window has passed
    EXPIRED = "expired"  # its last segment is gone
    FAILED = "failed"  # it never recorded anything; the reason says why

    @property
    def active(self) -> bool:
        """Whether the session occupies its user's one place."""
        return self in _ACTIVE

    @property
    def capturable(self) -> bool:
        """Whether there may be something to save."""
        return self in _CAPTURABLE


_ACTIVE = frozenset({SessionState.STARTING, SessionState.RECORDING, SessionState.INTERRUPTED})
_CAPTURABLE = frozenset({SessionState.RECORDING, SessionState.INTERRUPTED, SessionState.DRAINING})

MOVES: dict[SessionState, frozenset[SessionState]] = {
    SessionState.STARTING: frozenset({SessionState.RECORDING, SessionState.DRAINING, SessionState.FAILED}),
    SessionState.RECORDING: frozenset({SessionState.INTERRUPTED, SessionState.DRAINING}),
    SessionState.INTERRUPTED: frozenset({SessionState.RECORDING, SessionState.DRAINING}),
    SessionState.DRAINING: frozenset({SessionState.EXPIRED}),
    SessionState.EXPIRED: frozenset(),
    SessionState.FAILED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Session:
    """One user's replay buffer in one room. Instants are UTC microseconds.

    `since_us`: when it came into its state. `ice_etag`: entity tag of its publisher's ICE session (RFC 9725).
    `track_sid`: LiveKit's id of the shared screen, the last one that was seen. `include_microphone`: from LiveKit.
    """

    session_id: str
    room_name: str
    community_id: str | None
    user_id: str
    participant_identity: str | None
    source: Source
    state: SessionState
    reason: str | None
    started_at_us: int
    since_us: int
    ended_at_us: int | None = None
    drains_at_us: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    ice_etag: str | None = None
    track_sid: str | None = None
    include_microphone: bool = False
