"""Put the services of clips together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.clips.background import Background
from lookback.clips.capture import CaptureService
from lookback.clips.library import Library
from lookback.clips.playback import Playback
from lookback.clips.quota import UserQuota
from lookback.clips.recovery import Recovery
from lookback.clips.renditions import Converter, Renditions
from lookback.clips.rows import ClipRows
from lookback.clips.store import ClipStore
from lookback.clips.thumbnails import Thumbnailer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.buffer.layout import BufferLayout
    from lookback.buffer.reader import SegmentCache
    from lookback.clips.ports import ClipRepository, Clock, SessionLookup, Wait


@dataclass(frozen=True, slots=True)
class ClipServices:
    """Everything about clips. Run `recovery` once, then `background.run()` and `thumbnailer.run()` until the end."""

    store: ClipStore
    quota: UserQuota
    captures: CaptureService
    library: Library
    playback: Playback
    renditions: Renditions
    recovery: Recovery
    background: Background
    thumbnailer: Thumbnailer


def assemble(
    root: Path,
    layout: BufferLayout,
    repository: ClipRepository,
    sessions: SessionLookup,
    *,
    clock: Clock,
    wait: Wait,
    new_id: Callable[[], str],
    cache: SegmentCache,
    quota_bytes: int | None = None,
) -> ClipServices:
    """Build the services over one storage root and one buffer; both directories must exist."""
    store = ClipStore(root, layout)
    rows = ClipRows(repository, store)
    quota = UserQuota(repository, quota_bytes)
    library = Library(repository, rows, clock)
    converter = Converter(rows, store)
    background = Background(repository, rows, store, converter=converter, clock=clock, wait=wait)
    captures = CaptureService(
        sessions=sessions,
        repository=repository,
        store=store,
        quota=quota,
        clock=clock,
        wait=wait,
        new_id=new_id,
        wake=background.wake,
        cache=cache,
    )
    return ClipServices(
        store=store,
        quota=quota,
        captures=captures,
        library=library,
        playback=Playback(library, store),
        renditions=Renditions(library, rows, store, new_id, background.wake),
        recovery=Recovery(repository, store, layout),
        background=background,
        thumbnailer=Thumbnailer(layout, cache, clock, wait),
    )
