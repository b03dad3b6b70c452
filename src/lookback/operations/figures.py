"""What is looked at now and then for the metrics, because it takes a disk, a database or another server to know it."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from lookback.operations.bounded import Bounded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 15.0
"""As often as Prometheus usually asks."""
_STALE_AFTER = 4  # looks


class Stored(NamedTuple):
    """The library in sums. `deleted_bytes` can still be restored; `near_quota`: users with less than a tenth left."""

    clips: int
    clip_bytes: int
    deleted_bytes: int
    reserved_bytes: int
    users: int
    near_quota: int


class Room(NamedTuple):
    """A file system in bytes and inodes; `free` is what we may use."""

    total_bytes: int
    free_bytes: int
    free_inodes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """As it was at the last look; what could not be found out is not there."""

    healthy: Mapping[str, bool] = field(default_factory=dict)
    stored: Stored | None = None
    rooms: Mapping[str, Room] = field(default_factory=dict)


class StoredFigures(Protocol):
    """Adds the library up."""

    async def stored(self) -> Stored:
        """Return the sums; raises StorageUnavailableError."""


class FigureWatch:
    """One per installation. `checks` says of each part by name whether it works; `roots` are directories by name."""

    def __init__(
        self,
        checks: Callable[[], Awaitable[Mapping[str, bool]]],
        stored: StoredFigures,
        roots: Mapping[str, Path],
        every_s: float = LOOK_EVERY_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks, self._stored = checks, stored
        self._roots = {name: Bounded(partial(os.statvfs, path)) for name, path in roots.items()}
        self._every_s, self._now_s = every_s, now_s
        self._latest, self._looked_s = Figures(), 0.0

    @property
    def latest(self) -> Figures:
        """What the last look found; nothing when that was long ago."""
        return self._latest if self._now_s() - self._looked_s < _STALE_AFTER * self._every_s else Figures()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                self._latest = await self.look()
            except Exception:  # whatever is away: what is known of it is old, and better not told
                self._latest = Figures()
                log.exception("figures.failed")
            self._looked_s = self._now_s()
            await asyncio.sleep(self._every_s)

    async def look(self) -> Figures:
        """Look at everything now."""
        healthy = await self._checks()
        stored = await self._stored.stored() if healthy.get("database", True) else None
        return Figures(healthy, stored, await asyncio.to_thread(self._rooms))

    def _rooms(self) -> dict[str, Room]:
        found = {}
        for name, look in self._roots.items():
            try:
                disk = look()
            except OSError:
                continue  # it is away, or does not answer: readiness says so
            size = disk.f_frsize
            found[name] = Room(disk.f_blocks * size, disk.f_bavail * size, disk.f_favail)
        return found
