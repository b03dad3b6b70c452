"""A buffer, a storage and all clip services over them, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from lookback.access.principal import Principal
from lookback.buffer.layout import BufferLayout
from lookback.buffer.leases import Leases
from lookback.buffer.reader import SegmentCache, read_segments
from lookback.clips.assembly import ClipServices, World, assemble
from lookback.clips.model import CaptureWish, Clip, Storage
from lookback.clips.ports import ClipRepository, FoundSession, QuotaLedger
from lookback.clips.space import AmpleSpace
from lookback.errors import NotFoundError
from tests.support.audit import a_trail
from tests.support.encoded_clip import EncodedClip, encoded_clip
from tests.support.media import START_US, Shown, record
from tests.support.memory_clips import MemoryClipRepository
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from lookback.access.audit import Audit
    from lookback.clips.background import Background
    from lookback.clips.space import SpaceGate

SECOND = 1_000_000
ALICE = Principal("alice")
BOB = Principal("bob")
ADMIN = Principal("root", admin=True)


@dataclass(slots=True)
class ManualClock:
    """Time as the test says. Waiting moves it, and lets `on_wait` do what happens meanwhile."""

    now_us: int = START_US
    on_wait: Callable[[int], None] = lambda _us: None

    def __call__(self) -> int:
        return self.now_us

    async def wait(self, until_us: int) -> None:
        self.now_us = max(self.now_us, until_us)
        self.on_wait(self.now_us)
        await asyncio.sleep(0)


async def forever(_until_us: int) -> None:
    """Wait for what a test does not want to happen by itself."""
    await asyncio.Event().wait()


@dataclass(slots=True)
class KnownSessions:
    """Finds what it is told of. Implements SessionLookup."""

    sessions: list[FoundSession] = field(default_factory=list)

    async def find(self, who: Principal, *, session_id: str | None, room_name: str | None) -> FoundSession:
        for session in reversed(self.sessions):
            mine = who.admin or session.user_id == who.user_id
            if mine and (session.session_id == session_id or (session_id is None and session.room_name == room_name)):
                return session
        raise NotFoundError("There is no such session")


@dataclass(slots=True)
class Studio:
    """Everything in one place."""

    clock: ManualClock
    layout: BufferLayout
    repository: ClipRepository
    ledger: QuotaLedger
    sessions: KnownSessions
    clips: ClipServices

    @property
    def session(self) -> FoundSession:
        return self.sessions.sessions[-1]

    def record(self, clip: EncodedClip | None = None, **more: Any) -> list[Shown]:
        """Record into the session's directory, and let the clock stand at the end of it."""
        clip = clip or encoded_clip()
        shown = record(self.session.directory, clip, **more)
        self.clock.now_us = more.get("start_us", START_US) + round(more.get("frames", 120) * SECOND / clip.shape.fps)
        return shown

    def still_recording(self) -> None:
        """The session goes on."""
        self.sessions.sessions[-1] = replace(self.session, recording=True)

    async def capture(self, *, who: Principal = ALICE, **wish: Any) -> Clip:
        """Save a range of the session; the last two seconds unless the wish says otherwise."""
        return (await self.capture_or_find(who=who, **wish))[0]

    async def capture_or_find(self, *, who: Principal = ALICE, **wish: Any) -> tuple[Clip, bool]:
        """As `capture`, with the flag that says whether the clip is new."""
        wish = {
            "session_id": "s1",
            **({"last_us": 2 * SECOND} if not {"last_us", "start_us"} & wish.keys() else {}),
            **wish,
        }
        return await self.clips.captures.capture(who, CaptureWish(**wish))

    def evict(self, keep: int = 0) -> None:
        """Unlink all but the newest segments."""
        segments = read_segments(self.session.directory)
        for segment in segments[: len(segments) - keep]:
            for path in (segment.index_path, segment.media_path):
                path.unlink()

    def content(self, clip: Clip) -> bytes:
        """The clip's bytes."""
        with self.clips.store.open(clip) as opened:
            return opened.read_at(0, opened.size)

    async def row(self, clip: Clip) -> Clip:
        """The clip as its row says now."""
        row = await self.repository.get(clip.clip_id)
        assert row is not None
        return row


def a_world(ledger: QuotaLedger, quota_bytes: int | None, numbers: Iterator[int], trail: Audit | None = None) -> World:
    """People who are called by their ids with a capital, and one quota for all."""

    async def default_quota(_community_id: str | None) -> int | None:
        return quota_bytes

    async def name_of(user_id: str) -> str | None:
        return user_id.title()

    async def erased(_user_id: str, _since_us: int) -> bool:
        return False

    def new_key() -> str:
        return f"key-{next(numbers)}"

    return World(ledger, default_quota, name_of, erased, trail or a_trail(), "here", new_key)


def a_studio(
    buffer: Path,
    storage: Path,
    *,
    repository: ClipRepository | None = None,
    ledger: QuotaLedger | None = None,
    wait: Callable[[int], Awaitable[None]] | None = None,
    quota_bytes: int | None = None,
    trail: Audit | None = None,
    space: SpaceGate | None = None,
    leases: Leases | None = None,
) -> Studio:
    """Directories, services, and the session s1 of alice in the room demo, with nothing recorded yet."""
    for root in (buffer, storage):
        root.mkdir(exist_ok=True)
    layout, clock, numbers = BufferLayout(buffer), ManualClock(), count(1)
    memory = MemoryClipRepository()
    repository, ledger = repository or memory, ledger or memory.ledger
    directory = layout.session_dir("demo", "alice", "s1")
    directory.mkdir(parents=True, exist_ok=True)
    sessions = KnownSessions([FoundSession("s1", "demo", None, "alice", directory, recording=False)])
    clips = assemble(
        storage,
        layout,
        repository,
        sessions,
        clock=clock,
        wait=wait or clock.wait,
        new_id=lambda: f"id-{next(numbers)}",
        cache=SegmentCache(),
        world=replace(
            a_world(ledger, quota_bytes, numbers, trail), space=space or AmpleSpace(), leases=leases or Leases()
        ),
    )
    return Studio(clock, layout, repository, ledger, sessions, clips)


@asynccontextmanager
async def running(background: Background) -> AsyncIterator[None]:
    """The workers run while the block does."""
    task = asyncio.create_task(background.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def finished(studio: Studio, clip: Clip) -> Clip:
    """Wait until nothing is left to do for the clip's own files."""

    leftovers = studio.clips.store.pins(clip.clip_id), studio.clips.store.directory(clip) / "header"

    async def look() -> Clip | None:
        row = await studio.row(clip)
        done = row.storage is Storage.FILE and row.has_poster and not any(path.exists() for path in leftovers)
        return row if done else None

    return await eventually(look, what="the clip's final state")
