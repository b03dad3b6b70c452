"""What the recorder says about the sessions that it records."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lookback.errors import LookbackError, NoCapacityError
from lookback.recorder.control import GetStatus, WorkerStatus

if TYPE_CHECKING:
    from lookback.recorder.control import SessionStats
    from lookback.sessions.ports import Recorder

_SOON_S = 2.0  # it answers in milliseconds, or is being restarted


async def recorded(recorder: Recorder) -> dict[str, SessionStats]:
    """Every session that the recorder knows, by id; raises LookbackError when it does not answer."""
    status = await recorder.request(GetStatus())
    if not isinstance(status, WorkerStatus):
        raise NoCapacityError("The recorder does not say what it records")
    return {stats.session_id: stats for stats in status.sessions}


async def lags(recorder: Recorder) -> dict[str, int] | None:
    """By session how far what is on disk is behind, of those that are recorded; None when the recorder is silent.

    Nobody waits until one that hangs is found out and replaced: that is when people look.
    """
    try:
        async with asyncio.timeout(_SOON_S):
            known = await recorded(recorder)
    except (TimeoutError, LookbackError):
        return None
    return {session_id: stats.lag_us for session_id, stats in known.items() if stats.recording}
