"""What the recorder is told of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.recorder.control import SessionSpec

if TYPE_CHECKING:
    from lookback.sessions.model import Session


def spec_of(session: Session) -> SessionSpec:
    """What the recorder is told of a session."""
    return SessionSpec(
        session_id=session.session_id,
        room_name=session.room_name,
        user_id=session.user_id,
        community_id=session.community_id,
        participant_identity=session.participant_identity,
        source=session.source,
        started_at_us=session.started_at_us,
    )
