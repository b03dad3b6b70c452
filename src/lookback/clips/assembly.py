"""Put the services of clips together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookback.buffer.leases import Leases
from lookback.buffer.threads import ANYBODYS, DiskThreads
from lookback.clips.background import Background
from lookback.clips.capture import CaptureService
from lookback.clips.library import Library
from lookback.clips.playback import Playback
from lookback.clips.quota import UserQuota
from lookback.clips.recovery import Recovery
from lookback.clips.renditions import Converter, Renditions
from lookback.clips.rows import ClipRows
from lookback.clips.space import AmpleSpace
from lookback.clips.stopwatch import Unmeasured, unwatched
from lookback.clips.store import ClipStore
from lookback.clips.thumbnails import Thumbnailer
from lookback.clips.trail import AuditWitness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.access.audit import Audit
    from lookback.buffer.layout import BufferLayout
    from lookback.buffer.marker import RootIdentity
    from lookback.buffer.reader import SegmentCache
    from lookback.clips.ports import ClipRepository, Clock, Erased, NameOf, QuotaLedger, SessionLookup, Wait
    from lookback.clips.quota import DefaultQuota
    from lookback.clips.space import SpaceGate
    from lookback.clips.stopwatch import CaptureTimes, Work


@dataclass(frozen=True, slots=True)
class ServerThreads:
    """Who waits for which disk: captures for both, what is done with clips for theirs, thumbnails for the buffer's."""

    captures: DiskThreads = ANYBODYS
    clips: DiskThreads = ANYBODYS
    buffer: DiskThreads = ANYBODYS


@dataclass(frozen=True, slots=True)
class World:
    """What clips are told of the people and the server around them.

    `default_quota` gives the quota of users without one of their own, by community. `server_id` names this server among
    those that share a database. `new_key` makes secrets. `storage_root`: what the disk of clips is recognised by.
    `space`: who watches the disk, if anybody does. `leases`: those of the process that evicts. `times` is told how long
    captures take, `work` is around what is done in the background. `threads`: those of the server; commands have nobody
    to hold up.
    """

    ledger: QuotaLedger
    default_quota: DefaultQuota
    name_of: NameOf
    erased: Erased
    audit: Audit
    server_id: str
    new_key: Callable[[], str]
    storage_root: RootIdentity | None = None
    space: SpaceGate = field(default_factory=AmpleSpace)
    leases: Leases = field(default_factory=Leases)
    times: CaptureTimes = field(default_factory=Unmeasured)
    threads: ServerThreads = field(default_factory=ServerThreads)
    work: Work = unwatched


@dataclass(frozen=True, slots=True)
class ClipServices:
    """Everything about clips.

    Run `quota.recover` before anybody captures and `recovery` once, then `background.run()` and `thumbnailer.run()`
    until the end.
    """

    store: ClipStore
    rows: ClipRows
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
    world: World,
) -> ClipServices:
    """Build the services over one storage root and one buffer; both directories must exist."""
    store = ClipStore(root, layout, identity=world.storage_root, threads=world.threads.clips)
    rows = ClipRows(repository, store, world.audit)
    quota = UserQuota(world.ledger, repository, world.default_quota, clock=clock, new_id=new_id, holder=world.server_id)
    library = Library(repository, rows, clock, quota=quota, new_key=world.new_key)
    background = _background(repository, rows, store, quota, clock=clock, wait=wait, world=world)
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
        audit=world.audit,
        name_of=world.name_of,
        erased=world.erased,
        threads=world.threads.captures,
        space=world.space,
        leases=world.leases,
        times=world.times,
    )
    return ClipServices(
        store=store,
        rows=rows,
        quota=quota,
        captures=captures,
        library=library,
        playback=Playback(library, store, AuditWitness(world.audit)),
        renditions=Renditions(library, rows, store, quota, new_id=new_id, wake=background.wake, space=world.space),
        recovery=Recovery(repository, world.ledger, store, layout),
        background=background,
        thumbnailer=Thumbnailer(layout, cache, clock, wait, world.threads.buffer),
    )


def _background(
    repository: ClipRepository,
    rows: ClipRows,
    store: ClipStore,
    quota: UserQuota,
    *,
    clock: Clock,
    wait: Wait,
    world: World,
) -> Background:
    """What brings clips to their final state after they were saved."""
    converter = Converter(rows, store, quota)
    return Background(
        repository, rows, store, converter=converter, clock=clock, wait=wait, space=world.space, work=world.work
    )
