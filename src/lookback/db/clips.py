"""Clips in SQL."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Unpack

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from lookback.clips.model import Clip, Interval, Rendition, Storage
from lookback.db.models import ClipRow
from lookback.db.transactions import Transactions
from lookback.media.gaps import Gap

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.clips.ports import ClipChanges, Position

_PLAIN = (
    "clip_id", "session_id", "room_name", "community_id", "user_id", "title", "created_at_us", "status", "size_bytes",
    "container", "etag", "video_codec", "audio_codec", "width", "height", "sha256", "has_poster", "idempotency_key",
    "deleted_at_us",
)  # fmt: skip
_UNDONE = frozenset({"queued", "running"})


class SqlClipRepository:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def add(self, clip: Clip) -> Clip:
        """See ClipRepository."""
        try:
            async with self._sessions.begin() as db:
                db.add(_row(clip))
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

    async def page(self, user_id: str, *, limit: int, after: Position | None, query: str) -> list[Clip]:
        """See ClipRepository."""
        wanted = select(ClipRow).where(ClipRow.user_id == user_id, ClipRow.deleted_at_us.is_(None))
        if after is not None:
            wanted = wanted.where(
                or_(
                    ClipRow.created_at_us < after.created_at_us,
                    (ClipRow.created_at_us == after.created_at_us) & (ClipRow.clip_id < after.clip_id),
                )
            )
        if query:
            wanted = wanted.where(ClipRow.search_text.contains(query.casefold(), autoescape=True))
        return await self._all(wanted.order_by(ClipRow.created_at_us.desc(), ClipRow.clip_id.desc()).limit(limit))

    async def update(self, clip_id: str, **changes: Unpack[ClipChanges]) -> Clip | None:
        """See ClipRepository."""
        async with self._sessions.begin() as db:
            row = await db.get(ClipRow, clip_id, with_for_update=True)
            if row is None:
                return None
            for name, value in changes.items():
                setattr(row, name, value)
            row.search_text = _search_text(row.title, row.room_name)
            await db.flush()
            return _clip(row)

    async def put_rendition(self, clip_id: str, rendition: Rendition) -> Clip | None:
        """See ClipRepository."""
        async with self._sessions.begin() as db:
            row = await db.get(ClipRow, clip_id, with_for_update=True)
            if row is None:
                return None
            row.renditions = [*_others(row, rendition.rendition_id), asdict(rendition)]
            await db.flush()
            return _clip(row)

    async def remove_rendition(self, clip_id: str, rendition_id: str) -> None:
        """See ClipRepository."""
        async with self._sessions.begin() as db:
            row = await db.get(ClipRow, clip_id, with_for_update=True)
            if row is not None:
                row.renditions = _others(row, rendition_id)

    async def remove(self, clip_id: str) -> None:
        """See ClipRepository."""
        async with self._sessions.begin() as db:
            await db.execute(delete(ClipRow).where(ClipRow.clip_id == clip_id))

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

    async def used_bytes(self, user_id: str) -> int:
        """See ClipRepository."""
        async with self._sessions() as db:
            mine = ClipRow.user_id == user_id
            total = (await db.execute(select(func.coalesce(func.sum(ClipRow.size_bytes), 0)).where(mine))).scalar_one()
            # Only WebM clips have renditions.
            webm = (await db.execute(select(ClipRow.renditions).where(mine, ClipRow.container == "webm"))).scalars()
            derived = sum(r["size_bytes"] or 0 for row in webm for r in row if r["status"] == "ready")
            return int(total) + derived

    async def all_clips(self) -> list[Clip]:
        """See ClipRepository."""
        return await self._all(select(ClipRow).order_by(ClipRow.created_at_us))

    async def _one(self, query: Select[ClipRow]) -> Clip | None:
        async with self._sessions() as db:
            row = (await db.execute(query)).scalar_one_or_none()
            return _clip(row) if row is not None else None

    async def _all(self, query: Select[ClipRow]) -> list[Clip]:
        async with self._sessions() as db:
            return [_clip(row) for row in (await db.execute(query)).scalars()]


def _search_text(title: str, room_name: str) -> str:
    return f"{title}\n{room_name}".casefold()


def _others(row: ClipRow, rendition_id: str) -> list[dict[str, Any]]:
    return [r for r in row.renditions if r["rendition_id"] != rendition_id]


def _row(clip: Clip) -> ClipRow:
    return ClipRow(
        **{name: getattr(clip, name) for name in _PLAIN},
        search_text=_search_text(clip.title, clip.room_name),
        requested_start_us=clip.requested.start_us,
        requested_end_us=clip.requested.end_us,
        delivered_start_us=clip.delivered.start_us,
        delivered_end_us=clip.delivered.end_us,
        storage=clip.storage.value,
        gaps=[asdict(gap) for gap in clip.gaps],
        renditions=[asdict(rendition) for rendition in clip.renditions],
    )


def _clip(row: ClipRow) -> Clip:
    return Clip(
        **{name: getattr(row, name) for name in _PLAIN},
        requested=Interval(row.requested_start_us, row.requested_end_us),
        delivered=Interval(row.delivered_start_us, row.delivered_end_us),
        storage=Storage(row.storage),
        gaps=tuple(Gap(**gap) for gap in row.gaps),
        renditions=tuple(Rendition(**rendition) for rendition in row.renditions),
    )
