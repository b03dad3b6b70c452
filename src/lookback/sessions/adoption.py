"""What a session's row is when all that is known of it is its directory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

from lookback.sessions.model import Session, SessionState, Source

if TYPE_CHECKING:
    from lookback.access.ports import Communities
    from lookback.buffer.session_file import SessionRecord
    from lookback.sessions.buffers import SessionBuffers

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


async def ended_row(record: SessionRecord, buffers: SessionBuffers, communities: Communities) -> Session:
    """The row of a session that nobody records any more: from its last sample on it drains for its window."""
    row = row_of(record)
    window_us = (await communities.config_of(row.community_id)).window_us
    ended_us = record.ended_at_us or (await buffers.buffered(row)).until_us or record.started_at_us
    return replace(row, ended_at_us=ended_us, drains_at_us=ended_us + window_us)
