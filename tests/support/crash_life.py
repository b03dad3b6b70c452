"""A home in which people record, capture, rename, store, delete and sweep, one thing after the other, at random."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import event

from lookback.access.audit import Audit
from lookback.access.known_users import KnownUsers
from lookback.access.principal import Principal
from lookback.bootstrap.library import clip_services
from lookback.bootstrap.parts import buffer_layout, clock_us, new_id, tokens_of
from lookback.bootstrap.people import people
from lookback.bootstrap.space import sweeper_of
from lookback.buffer.reader import SegmentCache, read_segments
from lookback.clips.changes import ClipWish
from lookback.clips.durable import replace, storage_errors
from lookback.clips.model import CaptureWish, Storage
from lookback.clips.ports import FoundSession
from lookback.db.audit import SqlAuditRepository
from lookback.db.engine import connect
from lookback.db.sessions import SqlSessionRepository
from lookback.db.users import SqlUserRepository
from lookback.errors import LookbackError, NotFoundError
from lookback.recorder.control import SessionSpec
from lookback.recorder.session_directory import SessionDirectory
from lookback.sessions.buffers import SessionBuffers
from lookback.sessions.model import Session, SessionState
from lookback.sessions.moves import Moves
from lookback.sessions.service import SHOWN
from tests.support.crash_faults import raw_write, statement
from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.media import record

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.clips.assembly import ClipServices
    from lookback.clips.model import Clip
    from lookback.sessions.sweeping import Sweeper
    from lookback.settings import Settings

SECOND = 1_000_000
SEGMENT_US = 1_000_000
SHAPES = {"h264": ClipShape(codec="h264"), "vp8": ClipShape(codec="vp8")}
_FPS = 30
_GONE_US = 3 * 3600 * SECOND
_OPERATIONS = ("record", "capture", "capture", "rename", "store", "store", "delete", "purge", "sweep")


@dataclass(slots=True)
class Witness:
    """Writes down, outside of the home, what people were told: a line of JSON each, whole even when the process dies.

    A clip is "saved" with the hash of what it played, and from "deleting" on nobody relies on it any more. A session is
    "recorded", in a directory of this name, with the number of its newest segment.
    """

    fd: int

    def told(self, what: Literal["saved", "deleting", "recorded"], name: str, fact: str = "") -> None:
        raw_write(self.fd, (json.dumps([what, name, fact]) + "\n").encode())


@dataclass(slots=True)
class Life:
    """The services of a home, and who did what so far. `chance` decides everything."""

    settings: Settings
    engine: AsyncEngine
    chance: random.Random
    witness: Witness
    rows: SqlSessionRepository = field(init=False)
    moves: Moves = field(init=False)
    clips: ClipServices = field(init=False)
    sweeper: Sweeper = field(init=False)

    def __post_init__(self) -> None:
        self.rows = SqlSessionRepository(self.engine)
        audit = Audit(SqlAuditRepository(self.engine), clock_us)
        self.moves = Moves(self.rows, clock_us, audit)
        known = KnownUsers(tokens_of(self.settings), SqlUserRepository(self.engine), clock_us)
        communities = people(self.settings, self.engine, known, audit, None).communities
        buffers = SessionBuffers(buffer_layout(self.settings), SegmentCache())
        self.clips = clip_services(self.settings, self.engine, self, SegmentCache(), communities)
        self.sweeper = sweeper_of(self.settings, self.rows, buffers, self.moves, communities)

    async def find(self, who: Principal, *, session_id: str | None, room_name: str | None) -> FoundSession:  # noqa: ARG002
        """See clips.ports.SessionLookup."""
        row = await self.rows.get(session_id or "")
        if row is None:
            raise NotFoundError("There is no such session")
        directory = buffer_layout(self.settings).session_dir(row.room_name, row.user_id, row.session_id)
        return FoundSession(row.session_id, row.room_name, None, row.user_id, directory, recording=False)

    async def do_something(self) -> None:
        """One thing at random; what the disk refuses is refused, as over HTTP."""
        operation = getattr(self, self.chance.choice(_OPERATIONS))
        with suppress(LookbackError, OSError):
            await operation()

    # ---- what people do

    async def record(self, *, ago_us: int = 0, frames: int = 0) -> None:
        """Somebody shares a screen, and stops."""
        frames = frames or self.chance.randrange(5, 90)
        end_us = clock_us() - ago_us
        start_us = end_us - frames * SECOND // _FPS
        user = f"u{self.chance.randrange(10**9)}"
        session = Session(
            session_id=new_id(),
            room_name="demo",
            community_id=None,
            user_id=user,
            participant_identity=user,
            source="whip",
            state=SessionState.RECORDING,
            reason=None,
            started_at_us=start_us,
            since_us=start_us,
            video_codec=self.chance.choice(["h264", "h264", "vp8"]),
        )
        await self.rows.add(session)
        await asyncio.to_thread(self._record, session, start_us, frames)
        ended = {"ended_at_us": end_us, "drains_at_us": end_us + 600 * SECOND}
        await self.moves.move(session, SessionState.DRAINING, "It was stopped", **ended)  # type: ignore[arg-type]

    async def capture(self) -> None:
        """Somebody saves some of what is buffered, and is told so."""
        rows = await self.rows.in_states(SHOWN)
        if not rows:
            raise NotFoundError("There is no session")
        row = self.chance.choice(rows)
        wish = CaptureWish(session_id=row.session_id, last_us=self.chance.randrange(SECOND // 3, 3 * SECOND))
        clip, _ = await self.clips.captures.capture(Principal(row.user_id), wish)
        self.witness.told("saved", clip.clip_id, await asyncio.to_thread(digest_of, self.clips, clip))

    async def rename(self) -> None:
        """Somebody gives a clip another name."""
        clip = await self._a_clip()
        wish = ClipWish(title=f"Title {self.chance.random()}", tags=("a",))
        await self.clips.library.change(Principal(clip.user_id), clip.clip_id, wish)

    async def store(self) -> None:
        """What the background does with a clip: a poster, and one file instead of pins."""
        clip = await self._a_clip()
        await asyncio.to_thread(self._put_poster, clip)
        await self.clips.rows.change(clip.clip_id, has_poster=True)
        if clip.storage is Storage.VIRTUAL:
            digest = await asyncio.to_thread(self.clips.store.materialise, clip)
            changed = await self.clips.rows.change(clip.clip_id, storage=Storage.FILE, sha256=digest)
            if changed is not None:
                await asyncio.to_thread(self.clips.store.unpin, changed)

    async def delete(self) -> None:
        """Somebody deletes a clip; it can still be restored."""
        clip = await self._a_clip()
        self.witness.told("deleting", clip.clip_id)
        await self.clips.library.delete(Principal(clip.user_id), clip.clip_id)

    async def purge(self) -> None:
        """What was deleted goes for good."""
        for clip in await self.clips.captures.repository.deleted_before(clock_us() + 1):
            await self.clips.rows.purge(clip.clip_id, clock_us() + 1)

    async def sweep(self) -> None:
        """What is too old goes from the buffer; sometimes the disk is full, and more goes."""
        await self.sweeper.sweep_fully(self.chance.choice([0, 0, 50_000, 200_000]))

    # ---- inside

    async def _a_clip(self) -> Clip:
        clips = [c for c in await self.clips.captures.repository.all_clips() if c.deleted_at_us is None]
        ready = [clip for clip in clips if clip.status == "ready"]
        if not ready:
            raise NotFoundError("There is no clip")
        return self.chance.choice(ready)

    def _record(self, session: Session, start_us: int, frames: int) -> None:
        spec = SessionSpec(
            session_id=session.session_id,
            room_name=session.room_name,
            user_id=session.user_id,
            source="whip",
            started_at_us=start_us,
        )
        directory = SessionDirectory(buffer_layout(self.settings), spec)
        directory.claim()
        record(
            directory.path,
            encoded_clip(SHAPES[session.video_codec or ""]),
            start_us=start_us,
            frames=frames,
            segment_us=SEGMENT_US,
            sync=_sync,
        )
        numbers = [segment.number for segment in read_segments(directory.path)]
        directory.end(start_us + frames * SECOND // _FPS, "It was stopped")
        if numbers:
            self.witness.told("recorded", directory.path.name, str(numbers[-1]))

    def _put_poster(self, clip: Clip) -> None:
        with storage_errors():
            replace(self.clips.store.poster(clip), b"a picture")


def digest_of(clips: ClipServices, clip: Clip) -> str:
    """The SHA-256 of what a player gets."""
    with clips.store.open(clip) as opened:
        return hashlib.sha256(opened.read_at(0, opened.size)).hexdigest()


@asynccontextmanager
async def a_life(settings: Settings, chance: random.Random, witness: Witness) -> AsyncIterator[Life]:
    """Everything over the database of a home, whose tables are there."""
    engine = connect(settings.database)
    for name in ("before_cursor_execute", "commit"):
        event.listen(engine.sync_engine, name, _before_sql)
    try:
        yield Life(settings, engine, chance, witness)
    finally:
        await engine.dispose()


async def furnish(life: Life) -> None:
    """What every life begins with: two shares and four clips of them, and a share that is long over."""
    for _ in range(2):
        await life.record(frames=150)
    while len(await life.clips.captures.repository.all_clips()) < 4:
        await life.capture()
    await life.store()
    await life.record(ago_us=_GONE_US, frames=150)


def _before_sql(*_: Any) -> None:
    statement()


def _sync(handles: list[int]) -> None:
    """As the recorder's pool makes durable what was written."""
    for fd in handles:
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
