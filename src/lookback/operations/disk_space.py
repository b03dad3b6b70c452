"""What the disks with buffers and clips have left, and what that allows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.errors import DiskFullError
from lookback.operations.space import Disk, Ladder, Step, floor_of, largest_capture, largest_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_RETRY_AFTER_SECONDS = 30
_UNKNOWN = Disk(0, 0, 0)


@dataclass(slots=True)
class Place:
    """A root, what its disk has left, and where that stands on the ladder."""

    name: str
    path: Path
    ladder: Ladder
    disk: Disk = _UNKNOWN


class DiskSpace:
    """As it was at the last look. Implements clips.space.SpaceGate and sessions.ports.SpaceGate.

    Where buffers and clips are on one disk, both places say the same. `measure` tells of a path's disk what is left,
    and which disk it is; it raises OSError, and blocks for seconds at most.
    """

    def __init__(self, buffer: Path, storage: Path, measure: Callable[[Path], tuple[Disk, int]]) -> None:
        self._measure = measure
        self.buffer = Place("buffer", buffer, Ladder())
        self.storage = Place("storage", storage, Ladder(Step.SMALL_CAPTURES))

    @property
    def step(self) -> Step:
        """The higher of both."""
        return max(self.buffer.ladder.step, self.storage.ladder.step)

    @property
    def since_us(self) -> int:
        """Since when."""
        return max(self.buffer.ladder, self.storage.ladder, key=lambda ladder: ladder.step).since_us

    def look(self, now_us: int, *, exhausted: bool) -> dict[str, OSError]:
        """Look at both disks; return which are away, and why: of those nothing has changed. Blocks."""
        away: dict[str, OSError] = {}
        devices = [self._see(place, away) for place in (self.buffer, self.storage)]
        if "buffer" not in away:
            self.buffer.ladder = self.buffer.ladder.after(self.buffer.disk, now_us, exhausted=exhausted)
        if not away and devices[0] == devices[1]:
            self.storage.ladder = self.buffer.ladder
        elif "storage" not in away:
            self.storage.ladder = self.storage.ladder.after(self.storage.disk, now_us)
        return away

    def _see(self, place: Place, away: dict[str, OSError]) -> int | None:
        try:
            place.disk, device = self._measure(place.path)
        except OSError as error:
            away[place.name] = error
            return None
        return device

    # ---- what that allows

    def require_session(self) -> None:
        """See sessions.ports.SpaceGate."""
        if self.buffer.ladder.step >= Step.FEWER_SESSIONS:
            raise DiskFullError(
                "The disk is full: no new replay buffer can start until there is space again",
                retryAfter=_RETRY_AFTER_SECONDS,
            )

    def require_rendition(self) -> None:
        """See clips.space.SpaceGate."""
        if self.storage.ladder.step >= Step.NO_RENDITIONS:
            raise DiskFullError(
                "Space gets tight: nothing is converted until there is more", retryAfter=_RETRY_AFTER_SECONDS
            )

    def require_capture(self, size_bytes: int) -> None:
        """See clips.space.SpaceGate."""
        _require(size_bytes, largest_capture(self.storage.ladder.step, self.storage.disk))

    def require_file(self, size_bytes: int) -> None:
        """See clips.space.SpaceGate."""
        if self.storage.disk.total_bytes:  # before the first look nobody knows
            _require(size_bytes, largest_file(self.storage.ladder.step, self.storage.disk))


def _require(size_bytes: int, most_bytes: int | None) -> None:
    if most_bytes is not None and size_bytes > most_bytes:
        raise DiskFullError(
            "Space is tight: only small clips can be saved; try a shorter one, or again later",
            retryAfter=_RETRY_AFTER_SECONDS,
            limitBytes=most_bytes,
            neededBytes=size_bytes,
        )


def measure(path: Path, min_free_bytes: int | None) -> tuple[Disk, int]:
    """Ask the operating system; raises OSError."""
    found = os.statvfs(path)
    total_bytes = found.f_blocks * found.f_frsize
    disk = Disk(found.f_bavail * found.f_frsize, total_bytes, floor_of(total_bytes, min_free_bytes))
    return disk, path.stat().st_dev
