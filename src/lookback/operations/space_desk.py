"""What those who look after an installation see of its space, and what they can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lookback.access.principal import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookback.access.principal import Principal
    from lookback.operations.disk_space import DiskSpace
    from lookback.operations.space import Disk, Step
    from lookback.operations.space_watch import SpaceWatch
    from lookback.sessions.sweeping import Sweeper, Swept


class Cleanup(NamedTuple):
    """A full sweep, and when it was."""

    at_us: int
    swept: Swept


@dataclass(frozen=True, slots=True)
class SpaceReport:
    """How the disks are, and what that has led to.

    `disks` by name: buffer and storage. `shortened`: so many sessions can be saved from less far back than promised;
    the shortest of them `shortest_us`. `paused`: so many write nothing until there is space. `last`: the last cleanup.
    """

    step: Step
    since_us: int
    disks: Mapping[str, Disk]
    shortened: int
    shortest_us: int | None
    paused: int
    last: Cleanup | None


@dataclass(frozen=True, slots=True)
class SpaceDesk:
    """For who may manage limits everywhere; others get PermissionDeniedError."""

    space: DiskSpace
    watch: SpaceWatch
    sweeper: Sweeper

    async def report(self, who: Principal) -> SpaceReport:
        """Return how the disks are."""
        who.require(Permission.MANAGE_REPLAY_LIMITS)
        return self.now()

    def now(self) -> SpaceReport:
        """The same for the server itself."""
        space, windows = self.space, self.sweeper.windows
        return SpaceReport(
            step=space.step,
            since_us=space.since_us,
            disks={place.name: place.disk for place in (space.buffer, space.storage)},
            shortened=len(windows.shortened),
            shortest_us=windows.shortest_us,
            paused=len(self.watch.held),
            last=Cleanup(*self.sweeper.last) if self.sweeper.last is not None else None,
        )

    async def cleanup(self, who: Principal, *, dry_run: bool, free_bytes: int = 0) -> Swept:
        """Delete what has expired, and of the rest the oldest, until so much is freed in all; or say what would go."""
        who.require(Permission.MANAGE_REPLAY_LIMITS)
        if dry_run:
            return await self.sweeper.preview(free_bytes)
        return await self.sweeper.sweep_fully(free_bytes)
