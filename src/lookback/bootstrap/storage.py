"""What watches whether the disks work, and the threads that wait for them, put together from the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lookback.bootstrap.parts import clock_us
from lookback.bootstrap.roots import kept_roots
from lookback.buffer.threads import DiskThreads
from lookback.clips.assembly import ServerThreads
from lookback.operations.alerts import storage_alert
from lookback.operations.storage_probe import probe_root, require_writable
from lookback.operations.storage_watch import StorageWatch

if TYPE_CHECKING:
    from lookback.access.audit import Audit
    from lookback.operations.alerts import AlertDesk
    from lookback.settings import Settings


def storage_watch(settings: Settings, audit: Audit, alerts: AlertDesk) -> StorageWatch:
    """The watch over both roots of an installation; `run()` until the end."""
    buffer, storage = kept_roots(settings.home)
    return StorageWatch(
        {
            "buffer": partial(probe_root, "buffer", settings.buffer_path, buffer),
            "storage": partial(probe_root, "storage", settings.storage_path, storage),
        },
        {
            "buffer": partial(require_writable, settings.buffer_path, buffer),
            "storage": partial(require_writable, settings.storage_path, storage),
        },
        clock=clock_us,
        audit=audit,
        alert=lambda level, problems: alerts.tell(storage_alert(level, problems)),
    )


def disk_threads(watch: StorageWatch) -> ServerThreads:
    """The threads of a server. One that waits for a disk which hangs is lost to all others until the disk answers."""
    return ServerThreads(
        # Captures mostly wait for fsync; more at once than this wait for the same disk.
        captures=DiskThreads("capture", 4, watch.silence("buffer", "storage")),
        # A clip that has no file of its own yet is read from the buffer.
        clips=DiskThreads("clips", 16, watch.silence("storage", also=("buffer",))),
        buffer=DiskThreads("buffer", 16, watch.silence("buffer")),
    )
