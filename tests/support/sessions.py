"""Sessions to record, for tests that only care about one thing of them."""

from __future__ import annotations

from typing import Any

from lookback.recorder.control import SessionSpec

_USUAL: dict[str, Any] = {
    "room_name": "demo",
    "user_id": "alice",
    "source": "whip",
    "started_at_us": 1_795_384_759_000_000,
}


def a_session(session_id: str = "session-1", **more: Any) -> SessionSpec:
    """A session of Alice's in the room demo."""
    return SessionSpec(session_id=session_id, **_USUAL | more)
