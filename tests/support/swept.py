"""Sessions with real segments over a real database, what sweeps them, and disks whose free space a test says."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lookback.access.audit import Audit
from lookback.buffer.layout import BufferLayout
from lookback.buffer.leases import Leases
from lookback.buffer.reader import SegmentCache, read_segments
from lookback.buffer.retention import Limits
from lookback.buffer.session_file import SessionRecord, write_session
from lookback.db.audit import SqlAuditRepository
from lookback.db.sessions import SqlSessionRepository
from lookback.operations.disk_space import DiskSpace
from lookback.operations.space import Disk
from lookback.operations.space_watch import SpaceWatch
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.model import SessionState
from lookback.sessions.moves import Moves
from lookback.sessions.sweeping import Sweeper
from lookback.sessions.windows import Windows
from tests.support.communities import SaidCommunities
from tests.support.encoded_clip import encoded_clip
from tests.support.media import record
from tests.support.session_rows import START_US, RememberingRecorder, a_database, a_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lookback.buffer.reader import Segment
    from lookback.sessions.model import Session

SECOND = 1_000_000
FLOOR = 1_000_000


@dataclass(slots=True)
class SweptHouse:
    """Everything a sweep needs. `now_us` is its clock, `free_bytes` what its disks have left, by root."""

    layout: BufferLayout
    rows: SqlSessionRepository
    audit: Audit
    entries: SqlAuditRepository
    now_us: int = START_US
    free_bytes: dict[str, int] = field(default_factory=lambda: {"buffer": 10 * FLOOR, "clips": 10 * FLOOR})
    devices: dict[str, int] = field(default_factory=lambda: {"buffer": 1, "clips": 2})
    communities: SaidCommunities = field(default_factory=SaidCommunities)
    recorder: RememberingRecorder = field(default_factory=RememberingRecorder)
    leases: Leases = field(default_factory=Leases)
    windows: Windows = field(default_factory=Windows)
    limits: Limits = field(default_factory=Limits)

    def clock(self) -> int:
        return self.now_us

    def sweeper(self) -> Sweeper:
        """As after a start of the server."""
        return Sweeper(
            self.rows,
            SessionBuffers(self.layout, SegmentCache()),
            Moves(self.rows, self.clock, self.audit),
            self.communities,
            clock=self.clock,
            slack_us=120 * SECOND,
            limits=self.limits,
            leases=self.leases,
            windows=self.windows,
        )

    def watch(self) -> tuple[SpaceWatch, DiskSpace]:
        """The same."""
        space = DiskSpace(self.layout.root, self.layout.root.with_name("clips"), self._measure)
        watch = SpaceWatch(space, self.sweeper(), self.rows, self.recorder, audit=self.audit, clock=self.clock)
        return watch, space

    async def has(self, session_id: str, *, seconds: int = 10, at_s: int = 0, **more: Any) -> Session:
        """Add a session with so many seconds in segments of two, recorded from `at_s` after the start on."""
        more = {"state": SessionState.RECORDING, "user_id": session_id, "video_codec": "h264", **more}
        more.setdefault("started_at_us", START_US + at_s * SECOND)
        row = await self.rows.add(a_row(session_id, **more))
        directory = self.directory(row)
        directory.mkdir(parents=True)
        write_session(directory, SessionRecord(session_id, row.room_name, row.user_id, "whip", row.started_at_us))
        record(directory, encoded_clip(), start_us=START_US + at_s * SECOND, frames=seconds * 30)
        return row

    def directory(self, row: Session) -> Path:
        return self.layout.session_dir(row.room_name, row.user_id, row.session_id)

    def segments(self, row: Session) -> list[Segment]:
        return read_segments(self.directory(row))

    async def state(self, session_id: str) -> SessionState:
        row = await self.rows.get(session_id)
        assert row is not None
        return row.state

    def _measure(self, path: Path) -> tuple[Disk, int]:
        if path.name not in self.free_bytes:
            raise FileNotFoundError(path)
        return Disk(self.free_bytes[path.name], 100 * FLOOR, FLOOR), self.devices[path.name]


@asynccontextmanager
async def a_swept_house(folder: Path, limits: Limits | None = None) -> AsyncIterator[SweptHouse]:
    """Nobody has recorded anything yet."""
    buffer = folder / "buffer"
    buffer.mkdir()
    async with a_database(folder) as engine:
        entries = SqlAuditRepository(engine)
        yield SweptHouse(
            BufferLayout(buffer),
            SqlSessionRepository(engine),
            Audit(entries, lambda: START_US),
            entries,
            limits=limits or Limits(),
        )
