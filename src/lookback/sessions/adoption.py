"""What a session's row is when all that is known of it is its directory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

from lookback.sessions.model import Session, SessionState, Source

if TYPE_CHECKING:
    from lookback.buffer.session_file import SessionRecord

RESTARTED = "The server was restarted"


def row_of(record: SessionRecord) -> Session:
    """The row of a session that drains, without the instants of its end."""
    return Session(
        session_id=record.session_id,
        room_name=record.room_name,
        community_id=record.community_id,
        user_id=record.user_id,
        participant_identity=record.participant_identity,
        source=cast("Source", record.source) if record.source in get_args(Source) else "whip",
        state=SessionState.DRAINING,
        reason=record.cause or RESTARTED,
        started_at_us=record.started_at_us,
        since_us=record.started_at_us,
    )


def ended_row(record: SessionRecord, until_us: int | None, window_us: int) -> Session:
    """The row of a session that nobody records any more, whose samples end at `until_us`; it drains for the window."""
    ended_us = record.ended_at_us or until_us or record.started_at_us
    return replace(row_of(record), ended_at_us=ended_us, drains_at_us=ended_us + window_us)
