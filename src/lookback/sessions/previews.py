"""Previews that are open: what somebody looks at is not deleted under their eyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.buffer.leases import Lease, Leases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.sessions.views import MediaPart

LOOKS_US = 60_000_000
"""So long a segment stays after a player has fetched something of it."""


@dataclass(frozen=True, slots=True)
class Previews:
    """Takes a lease whenever a player fetches media."""

    leases: Leases
    clock: Callable[[], int]

    def looked_at(self, directory: Path, part: MediaPart) -> None:
        """Somebody reads a segment: it stays for a minute, and with renewals as long as a lease may last."""
        now_us = self.clock()
        self.leases.take(directory, Lease(part.start_us, part.end_us, now_us + LOOKS_US), now_us)
