"""What the recorder says about the sessions that it records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.errors import NoCapacityError
from lookback.recorder.control import GetStatus, WorkerStatus

if TYPE_CHECKING:
    from lookback.recorder.control import SessionStats
    from lookback.sessions.ports import Recorder


async def recorded(recorder: Recorder) -> dict[str, SessionStats]:
    """Every session that the recorder knows, by id; raises LookbackError when it does not answer."""
    status = await recorder.request(GetStatus())
    if not isinstance(status, WorkerStatus):
        raise NoCapacityError("The recorder does not say what it records")
    return {stats.session_id: stats for stats in status.sessions}
