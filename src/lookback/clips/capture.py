"""Save a range of a session as a clip that plays at once."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from lookback.access.audit import Action
from lookback.access.principal import Permission
from lookback.buffer.leases import Lease, Leases
from lookback.clips.changes import checked_title
from lookback.clips.durable import storage_errors
from lookback.clips.keyed_locks import KeyedLocks
from lookback.clips.model import Clip, Interval, Storage
from lookback.clips.pins import SegmentVanishedError
from lookback.clips.planning import newest_us, nothing_buffered, plan_clip
from lookback.clips.ranges import WishedRange, require_length, require_past, wished_range
from lookback.clips.record import etag_of
from lookback.clips.repeats import Repeats
from lookback.clips.space import AmpleSpace
from lookback.clips.stopwatch import Stopwatch, Unmeasured, tell
from lookback.errors import CaptureFailedError, NotFoundError
from lookback.media.segment import CONTAINER_CODEC

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.audit import Audit
    from lookback.access.principal import Principal
    from lookback.buffer.reader import SegmentCache
    from lookback.buffer.threads import DiskThreads
    from lookback.clips.model import CaptureWish
    from lookback.clips.planning import Planned
    from lookback.clips.ports import (
        ClipRepository,
        Clock,
        Erased,
        FoundSession,
        NameOf,
        QuotaGate,
        Room,
        SessionLookup,
        Wait,
    )
    from lookback.clips.space import SpaceGate
    from lookback.clips.stopwatch import CaptureTimes
    from lookback.clips.store import ClipStore

log = structlog.get_logger(__name__)

LONGEST_WAIT_US = 300_000_000
_COMMIT_LAG_US = 2_000_000  # a fragment, and how long its newest frame may be held back, with room
_POLL_US = 50_000
_LEASE_US = 15_000_000
_PLANS = 2  # a segment that vanishes meanwhile is a gap of the second one


@dataclass(frozen=True, slots=True)
class _Request:
    """One capture, understood."""

    who: Principal
    session: FoundSession
    wish: CaptureWish
    range: WishedRange
    watch: Stopwatch
    title: str | None
    sharer_name: str | None = None

    @property
    def user_id(self) -> str:
        return self.who.user_id

    @property
    def sharer_id(self) -> str | None:
        """Whose share it is, when it is somebody else's."""
        return self.session.user_id if self.session.user_id != self.who.user_id else None


@dataclass(frozen=True, slots=True)
class CaptureService:
    """Makes clips.

    `wake` is called with the id of every new clip; `wait` returns when an instant has come; `name_of` tells what a
    user is called; `erased` whether they were erased meanwhile; `threads` are for captures alone; `leases` keep the
    range while a capture waits; `times` is told how long every clip took.
    """

    sessions: SessionLookup
    repository: ClipRepository
    store: ClipStore
    quota: QuotaGate
    clock: Clock
    wait: Wait
    new_id: Callable[[], str]
    wake: Callable[[str], None]
    cache: SegmentCache
    audit: Audit
    name_of: NameOf
    erased: Erased
    threads: DiskThreads
    space: SpaceGate = field(default_factory=AmpleSpace)
    leases: Leases = field(default_factory=Leases)
    times: CaptureTimes = field(default_factory=Unmeasured)
    _locks: KeyedLocks = field(default_factory=KeyedLocks)
    _repeats: Repeats = field(default_factory=Repeats)

    async def capture(self, who: Principal, wish: CaptureWish) -> tuple[Clip, bool]:
        """Save a range of a session; the clip can be played as soon as this returns. The flag says whether it is new.

        Raises what `plan_clip`, `wished_range`, `require_length`, `require_past`, the quota and the store raise. When a
        disk does not answer that is StorageUnavailableError; a clip that was being written then is whole when it does
        again, and has its row.
        """
        began_us, watch = self.clock(), Stopwatch()
        session = await self.sessions.find(who, session_id=wish.session_id, room_name=wish.room_name)
        who.require(Permission.CAPTURE_REPLAY, session.community_id)
        title = checked_title(wish.title) if wish.title is not None else None
        wanted = wished_range(wish, began_us)
        require_length(wanted, session.longest_us)
        sharer = await self.name_of(session.user_id) if session.user_id != who.user_id else None
        request = _Request(who, session, wish, wanted, watch, title, sharer)
        known = await self._made_before(request) if wish.post_roll_us else None
        if known is not None:  # said before the wait, not after it
            return known, False
        require_past(request.range, wish, began_us, LONGEST_WAIT_US)
        self.threads.require()
        self._hold(request, began_us)
        watch.lap("find")
        await self._until_committed(request)
        watch.lap("commit")
        return await self.threads.attend(self._saved(request))

    async def _saved(self, request: _Request) -> tuple[Clip, bool]:
        watch = request.watch
        async with self._locks.hold((request.user_id, request.session.session_id)):
            watch.lap("queue")
            clip, created = await self._save(request)
        if created:
            watch.lap("row")
            self.wake(clip.clip_id)
            self.times.captured(watch.seconds)
            tell(clip, watch.seconds)
        return clip, created

    def _hold(self, request: _Request, now_us: int) -> None:
        """Keep the range from being evicted while its end has not come yet, or others are saved first."""
        wanted = request.range.requested
        until_us = max(now_us, wanted.end_us) + _LEASE_US
        self.leases.take(request.session.directory, Lease(wanted.start_us, wanted.end_us, until_us), now_us)

    async def _made_before(self, request: _Request) -> Clip | None:
        return await self._repeats.with_key(self.repository, request.user_id, request.wish.idempotency_key)

    async def _until_committed(self, request: _Request) -> None:
        """Wait for the end of the range to come, and to be on disk if it is still being recorded."""
        if request.range.to_newest_us is not None:
            return
        session, end_us = request.session, request.range.requested.end_us
        if self.clock() < end_us:
            await self.wait(end_us)
        while session.recording and self.clock() < end_us + _COMMIT_LAG_US:
            with storage_errors():
                newest = await self.threads.ask(newest_us, session.directory, self.clock(), self.cache)
            if newest is not None and newest >= end_us:
                return
            await self.wait(self.clock() + _POLL_US)

    async def _save(self, request: _Request) -> tuple[Clip, bool]:
        """Plan and write, once more when a segment was evicted in between. Only one at a time per user and session."""
        known = await self._made_before(request)
        if known is not None:
            return known, False
        for _ in range(_PLANS):
            try:
                return await self._plan_and_write(request)
            except SegmentVanishedError:
                log.info("clip.replanned", session=request.session.session_id)
        raise CaptureFailedError("The buffer was emptied faster than it could be saved")

    async def _plan_and_write(self, request: _Request) -> tuple[Clip, bool]:
        planned = await self.threads.run(self._plan, request)
        clip = self._clip(request, planned)
        request.watch.lap("plan")
        same = await self._repeats.like(self.repository, clip)
        if same is not None:
            self._repeats.share(request.user_id, request.wish.idempotency_key, same)
            return same, False
        self.space.require_capture(clip.size_bytes)
        made, created = await self._write(clip, planned, request.watch)
        self._repeats.made(made)
        return made, created

    def _plan(self, request: _Request) -> Planned:
        directory, wanted = request.session.directory, request.range.requested
        with storage_errors():
            if request.range.to_newest_us is not None:
                newest = newest_us(directory, self.clock(), self.cache)
                if newest is None:
                    raise nothing_buffered(directory, self.cache)
                wanted = request.range.within(newest)
            return plan_clip(directory, wanted, allow_gaps=request.wish.allow_gaps, cache=self.cache)

    async def _write(self, clip: Clip, planned: Planned, watch: Stopwatch) -> tuple[Clip, bool]:
        async with self.quota.reserve(clip.user_id, clip.size_bytes, clip.community_id) as room:
            watch.lap("reserve")
            await self.threads.run(self.store.write, clip, planned.plan, planned.header, planned.media)
            watch.lap("write")
            try:
                kept = await self._add(clip, room)
            except Exception:
                await self.threads.run(self.store.remove, clip)
                raise
        if kept.clip_id != clip.clip_id:  # the same key, seen by another process at the same moment
            await self.threads.run(self.store.remove, clip)
            return kept, False
        await self._require_people(kept)
        return kept, True

    async def _require_people(self, clip: Clip) -> None:
        """Take the clip back when its owner or whom it shows is being erased; raises NotFoundError then.

        Asked when the clip can be seen: who is erased at this moment either is seen here, or sees the clip.
        """
        for user_id in dict.fromkeys((clip.user_id, clip.sharer_id or clip.user_id)):
            if await self.erased(user_id, clip.created_at_us):
                await self.threads.run(self.store.remove, clip)
                await self.repository.remove(clip.clip_id)
                raise NotFoundError("There is no such session")

    async def _add(self, clip: Clip, room: Room) -> Clip:
        async with self.audit.together():
            kept = await self.repository.add(clip, room)
            if kept.clip_id == clip.clip_id:
                facts = {"sizeBytes": clip.size_bytes, "durationSeconds": clip.delivered.duration_us / 1_000_000}
                await self.audit.record(
                    Action.CLIP_CAPTURED,
                    actor=clip.user_id,
                    subject=clip.sharer_id or clip.user_id,
                    target=clip.clip_id,
                    community_id=clip.community_id,
                    room_name=clip.room_name,
                    facts=facts,
                )
        room.taken = kept.clip_id == clip.clip_id
        return kept

    def _clip(self, request: _Request, planned: Planned) -> Clip:
        session = request.session
        return Clip(
            clip_id=self.new_id(),
            session_id=session.session_id,
            room_name=session.room_name,
            community_id=session.community_id,
            user_id=request.user_id,
            user_name=request.who.name,
            sharer_id=request.sharer_id,
            sharer_name=request.sharer_name,
            title=request.title or default_title(session.room_name, planned.delivered),
            created_at_us=self.clock(),
            status="ready",
            requested=request.range.requested,
            delivered=planned.delivered,
            size_bytes=planned.plan.size_bytes,
            container=planned.container,
            etag=etag_of(planned.plan, session.session_id),
            storage=Storage.VIRTUAL,
            video_codec=CONTAINER_CODEC[planned.container],
            audio_codec=planned.audio_codec,
            width=planned.picture.width,
            height=planned.picture.height,
            idempotency_key=request.wish.idempotency_key,
            gaps=planned.gaps,
        )


def default_title(room_name: str, delivered: Interval) -> str:
    """What a clip is called that nobody named: its room and its length."""
    room = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in room_name).strip()[:150] or "Clip"
    minutes, seconds = divmod(round(delivered.duration_us / 1_000_000), 60)
    return f"{room}, {minutes} min {seconds} s" if minutes else f"{room}, {seconds} s"
