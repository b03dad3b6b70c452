"""Disk space, retention and what follows from them, put together from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lookback.bootstrap.parts import clock_us
from lookback.buffer.leases import Leases
from lookback.clips.stopwatch import unwatched
from lookback.operations.alerts import space_alert
from lookback.operations.bounded import Bounded
from lookback.operations.disk_space import DiskSpace, measure
from lookback.operations.space_desk import SpaceDesk
from lookback.operations.space_watch import SpaceWatch
from lookback.sessions.sweeping import Sweeper
from lookback.sessions.windows import Windows

if TYPE_CHECKING:
    from lookback.access.audit import Audit
    from lookback.access.ports import Communities
    from lookback.clips.stopwatch import Work
    from lookback.operations.alerts import AlertDesk
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.moves import Moves
    from lookback.sessions.ports import Recorder, SessionRepository
    from lookback.settings import Settings


@dataclass(frozen=True, slots=True)
class Room:
    """What is known of space before anything else is there: others ask it, and the sweep acts on it."""

    disks: DiskSpace
    leases: Leases
    windows: Windows

    @classmethod
    def of(cls, settings: Settings) -> Room:
        """The disks of an installation; nobody has looked at them yet."""
        paths = (settings.buffer_path, settings.storage_path)
        measured = {path: Bounded(partial(measure, path, settings.min_free_bytes)) for path in paths}
        disks = DiskSpace(*paths, lambda path: measured[path]())
        return cls(disks, Leases(), Windows())


def sweeper_of(
    settings: Settings,
    rows: SessionRepository,
    buffers: SessionBuffers,
    moves: Moves,
    communities: Communities,
    *,
    room: Room | None = None,
    work: Work = unwatched,
) -> Sweeper:
    """What deletes what has expired."""
    return Sweeper(
        rows,
        buffers,
        moves,
        communities,
        clock=clock_us,
        slack_us=settings.keep_us - settings.window_us,
        limits=settings.limits,
        leases=room.leases if room is not None else None,
        windows=room.windows if room is not None else None,
        work=work,
    )


def space_desk(
    room: Room, sweeper: Sweeper, rows: SessionRepository, recorder: Recorder, *, audit: Audit, alerts: AlertDesk
) -> SpaceDesk:
    """What watches the disks, and tells of them. `watch.run()` until the end."""
    watch = SpaceWatch(
        room.disks,
        sweeper,
        rows,
        recorder,
        audit=audit,
        alert=lambda step, facts: alerts.tell(space_alert(step, facts)),
        clock=clock_us,
    )
    return SpaceDesk(room.disks, watch, sweeper)
