"""Clips in SQL."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Unpack, cast

from sqlalchemy import delete, select
from sqlalchemy import update as sql_update
from sqlalchemy.exc import IntegrityError

from lookback.clips.model import Clip, Interval, Rendition, Storage, Visibility
from lookback.db.clip_lists import enlist, page_query, unlist
from lookback.db.models import ClipRow
from lookback.db.quota import count
from lookback.db.transactions import Transactions
from lookback.media.gaps import Gap

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Select, Table
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

    from lookback.clips.ports import ClipChanges, Position, Room, Selection, Sort

_PLAIN = (
    "clip_id", "session_id", "room_name", "community_id", "user_id", "user_name", "sharer_id", "sharer_name", "title",
    "share_key", "created_at_us", "status", "size_bytes", "container", "etag", "video_codec", "audio_codec", "width",
    "height", "sha256", "has_poster", "idempotency_key", "deleted_at_us",
)  # fmt: skip
_TABLE = cast("Table", ClipRow.__table__)  # cheaper to insert into than a mapped class
_LISTED = frozenset({"title", "visibility", "tags", "deleted_at_us"})
_UNDONE = frozenset({"queued", "running"})


class SqlClipRepository:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def add(self, clip: Clip, room: Room | None = None) -> Clip:
        """See ClipRepository."""
        try:
            async with self._sessions.begin() as db:
                await db.execute(_TABLE.insert(), columns_of(clip))
                await enlist(db, clip)
                await count(db, clip.user_id, clip.counted_bytes, room)
        except IntegrityError:
            there = await self.get(clip.clip_id)
            if there is None and clip.idempotency_key is not None:
                there = await self.by_idempotency_key(clip.user_id, clip.idempotency_key)
            if there is None:
                raise
            return there
        return clip

    async def get(self, clip_id: str) -> Clip | None:
        """See ClipRepository."""
        return await self._one(select(ClipRow).where(ClipRow.clip_id == clip_id))

    async def by_idempotency_key(self, user_id: str, key: str) -> Clip | None:
        """See ClipRepository."""
        return await self._one(select(ClipRow).where(ClipRow.user_id == user_id, ClipRow.idempotency_key == key))

    async def by_share_key(self, share_key: str) -> Clip | None:
        """See ClipRepository."""
        return await self._one(select(ClipRow).where(ClipRow.share_key == share_key))

    async def page(self, wanted: Selection, *, sort: Sort, limit: int, after: Position | None) -> list[Clip]:
        """See ClipRepository."""
        return await self._all(page_query(wanted, sort, limit, after))

    async def largest(self, user_id: str, limit: int) -> list[Clip]:
        """See ClipRepository."""
        theirs = select(ClipRow).where(ClipRow.user_id == user_id, ClipRow.deleted_at_us.is_(None))
        return await self._all(theirs.order_by(ClipRow.stored_bytes.desc(), ClipRow.clip_id).limit(limit))

    async def update(self, clip_id: str, room: Room | None = None, **changes: Unpack[ClipChanges]) -> Clip | None:
        """See ClipRepository."""

        def change(row: ClipRow) -> None:
            for name, value in changes.items():
                setattr(row, name, list(value) if isinstance(value, tuple) else value)

        return await self._change(clip_id, change, room, listed=bool(_LISTED & changes.keys()))

    async def put_rendition(self, clip_id: str, rendition: Rendition, room: Room | None = None) -> Clip | None:
        """See ClipRepository."""

        def put(row: ClipRow) -> None:
            row.renditions = [*_others(row, rendition.rendition_id), asdict(rendition)]

        return await self._change(clip_id, put, room)

    async def remove_rendition(self, clip_id: str, rendition_id: str) -> None:
        """See ClipRepository."""

        def remove(row: ClipRow) -> None:
            row.renditions = _others(row, rendition_id)

        await self._change(clip_id, remove)

    async def remove(self, clip_id: str) -> None:
        """See ClipRepository."""
        async with self._sessions.begin() as db:
            row = await _held(db, clip_id)
            if row is not None:
                await unlist(db, clip_id)
                await db.execute(delete(ClipRow).where(ClipRow.clip_id == clip_id))
                await count(db, row.user_id, -_clip(row).counted_bytes, None)

    async def unfinished(self) -> list[Clip]:
        """See ClipRepository."""
        alive = select(ClipRow).where(ClipRow.status == "ready", ClipRow.deleted_at_us.is_(None))
        busy = ClipRow.has_poster.is_(False) | (ClipRow.storage == Storage.VIRTUAL) | (ClipRow.container == "webm")
        clips = await self._all(alive.where(busy).order_by(ClipRow.created_at_us))
        return [
            clip
            for clip in clips
            if clip.storage is Storage.VIRTUAL
            or not clip.has_poster
            or any(rendition.status in _UNDONE for rendition in clip.renditions)
        ]

    async def deleted_before(self, instant_us: int) -> list[Clip]:
        """See ClipRepository."""
        return await self._all(select(ClipRow).where(ClipRow.deleted_at_us < instant_us))

    async def all_clips(self) -> list[Clip]:
        """See ClipRepository."""
        return await self._all(select(ClipRow).order_by(ClipRow.created_at_us))

    async def newest(self, most: int, *, user_id: str | None = None) -> list[Clip]:
        """Return the newest clips of everybody, or of one user; what is deleted is not among them."""
        kept = select(ClipRow).where(ClipRow.deleted_at_us.is_(None))
        if user_id is not None:
            kept = kept.where(ClipRow.user_id == user_id)
        return await self._all(kept.order_by(ClipRow.created_at_us.desc(), ClipRow.clip_id.desc()).limit(most))

    async def _change(
        self, clip_id: str, change: Callable[[ClipRow], None], room: Room | None = None, *, listed: bool = False
    ) -> Clip | None:
        """Change a row, and in the same transaction what follows from it: its places in lists, its owner's sum."""
        async with self._sessions.begin() as db:
            row = await _held(db, clip_id)
            if row is None:
                return None
            counted = _clip(row).counted_bytes
            change(row)
            clip = _clip(row)
            row.stored_bytes = clip.stored_bytes
            await db.flush()
            if listed:
                await unlist(db, clip_id)
                await enlist(db, clip)
            await count(db, clip.user_id, clip.counted_bytes - counted, room)
            return clip

    async def _one(self, query: Select[ClipRow]) -> Clip | None:
        async with self._sessions() as db:
            row = (await db.execute(query)).scalar_one_or_none()
            return _clip(row) if row is not None else None

    async def _all(self, query: Select[ClipRow]) -> list[Clip]:
        async with self._sessions() as db:
            return [_clip(row) for row in (await db.execute(query)).scalars()]


async def _held(db: AsyncSession, clip_id: str) -> ClipRow | None:
    """The row, which nobody else changes until the transaction ends; SQLite waits for its turn at the first write."""
    same = sql_update(ClipRow).where(ClipRow.clip_id == clip_id).values(clip_id=ClipRow.clip_id)
    await db.execute(same.execution_options(synchronize_session=False))
    return await db.get(ClipRow, clip_id)


def _others(row: ClipRow, rendition_id: str) -> list[dict[str, Any]]:
    return [r for r in row.renditions if r["rendition_id"] != rendition_id]


def columns_of(clip: Clip) -> dict[str, Any]:
    """The clip as its row has it."""
    return {
        **{name: getattr(clip, name) for name in _PLAIN},
        "visibility": clip.visibility.value,
        "tags": list(clip.tags),
        "stored_bytes": clip.stored_bytes,
        "requested_start_us": clip.requested.start_us,
        "requested_end_us": clip.requested.end_us,
        "delivered_start_us": clip.delivered.start_us,
        "delivered_end_us": clip.delivered.end_us,
        "storage": clip.storage.value,
        "gaps": [asdict(gap) for gap in clip.gaps],
        "renditions": [asdict(rendition) for rendition in clip.renditions],
    }


def _clip(row: ClipRow) -> Clip:
    return Clip(
        **{name: getattr(row, name) for name in _PLAIN},
        visibility=Visibility(row.visibility),
        tags=tuple(row.tags),
        requested=Interval(row.requested_start_us, row.requested_end_us),
        delivered=Interval(row.delivered_start_us, row.delivered_end_us),
        storage=Storage(row.storage),
        gaps=tuple(Gap(**gap) for gap in row.gaps),
        renditions=tuple(Rendition(**rendition) for rendition in row.renditions),
    )
