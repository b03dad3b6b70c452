"""Sums over all sessions there ever were, from what a recorder says of those it has now: they never fall."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookback.recorder.control import SessionStats, WorkerStatus

COUNTED = (
    "bytes_written",
    "gap_us",
    "video_frames",
    "audio_frames",
    "packets",
    "packets_lost",
    "nacks_sent",
    "retransmissions",
    "key_frame_requests",
)
"""Fields of SessionStats that begin at 0 with every publisher."""


class Totals:
    """Adds up. What a session counted between the last look at it and its end is missed: two seconds of it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self._seen: dict[str, SessionStats] = {}

    def saw(self, status: WorkerStatus) -> None:
        """Add what has come since the last status."""
        for session in status.sessions:
            before = self._seen.get(session.session_id)
            for field in COUNTED:
                now, then = getattr(session, field), getattr(before, field, 0)
                self.counts[field] += now - then if now >= then else now  # it fell: another publisher, or recorder
        self._seen = {session.session_id: session for session in status.sessions}
