"""Sessions that an earlier server has left in the buffer: the next one finds them, and they drain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.buffer.layout import BufferLayout
from lookback.buffer.session_file import SessionRecord, write_session
from tests.support.media import record
from tests.support.waiting import now_us

if TYPE_CHECKING:
    from pathlib import Path

_MINUTE_US = 60_000_000


def left_behind(buffer: Path, room: str, *minutes_ago: float, seconds: int = 8) -> Path:
    """A session of the room's own community that recorded so many seconds then, in segments of two; its directory."""
    starts_us = [now_us() - round(minutes * _MINUTE_US) for minutes in minutes_ago]
    directory = BufferLayout(buffer).session_dir(room, "sharer", room)
    directory.mkdir(parents=True)
    write_session(directory, SessionRecord(room, room, "sharer", "whip", starts_us[0], community_id=room))
    for number, start_us in enumerate(starts_us):
        record(directory, start_us=start_us, frames=seconds * 30, run_id=b"run-%04d" % number)
    return directory
