"""Clips in memory, with the promises of the real repository: it passes the same conformance tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from lookback.clips.model import Clip, Rendition, Storage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookback.clips.ports import ClipChanges, Position

_UNDONE = {"queued", "running"}


class MemoryClipRepository:
    """Implements ClipRepository."""

    def __init__(self) -> None:
        self._clips: dict[str, Clip] = {}

    async def add(self, clip: Clip) -> Clip:
        known = self._clips.get(clip.clip_id)
        if known is None and clip.idempotency_key is not None:
            known = await self.by_idempotency_key(clip.user_id, clip.idempotency_key)
        return known or self._clips.setdefault(clip.clip_id, clip)

    async def get(self, clip_id: str) -> Clip | None:
        return self._clips.get(clip_id)

    async def by_idempotency_key(self, user_id: str, key: str) -> Clip | None:
        return next((c for c in self._clips.values() if (c.user_id, c.idempotency_key) == (user_id, key)), None)

    async def page(self, user_id: str, *, limit: int, after: Position | None, query: str) -> list[Clip]:
        wanted = query.casefold()
        mine = [
            c
            for c in self._clips.values()
            if c.user_id == user_id
            and c.deleted_at_us is None
            and (wanted in c.title.casefold() or wanted in c.room_name.casefold())
            and (after is None or (c.created_at_us, c.clip_id) < after)
        ]
        return sorted(mine, key=lambda c: (c.created_at_us, c.clip_id), reverse=True)[:limit]

    async def update(self, clip_id: str, **changes: Unpack[ClipChanges]) -> Clip | None:
        return self._put(clip_id, **changes)

    async def put_rendition(self, clip_id: str, rendition: Rendition) -> Clip | None:
        clip = self._clips.get(clip_id)
        if clip is None:
            return None
        return self._put(clip_id, renditions=(*_others(clip.renditions, rendition.rendition_id), rendition))

    async def remove_rendition(self, clip_id: str, rendition_id: str) -> None:
        clip = self._clips.get(clip_id)
        if clip is not None:
            self._put(clip_id, renditions=_others(clip.renditions, rendition_id))

    async def remove(self, clip_id: str) -> None:
        self._clips.pop(clip_id, None)

    async def unfinished(self) -> list[Clip]:
        found = [
            c
            for c in self._clips.values()
            if c.status == "ready"
            and c.deleted_at_us is None
            and (c.storage is Storage.VIRTUAL or not c.has_poster or any(r.status in _UNDONE for r in c.renditions))
        ]
        return sorted(found, key=lambda c: c.created_at_us)

    async def deleted_before(self, instant_us: int) -> list[Clip]:
        return [c for c in self._clips.values() if c.deleted_at_us is not None and c.deleted_at_us < instant_us]

    async def used_bytes(self, user_id: str) -> int:
        mine = [c for c in self._clips.values() if c.user_id == user_id]
        derived = sum(r.size_bytes or 0 for c in mine for r in c.renditions if r.status == "ready")
        return sum(c.size_bytes for c in mine) + derived

    async def all_clips(self) -> list[Clip]:
        return list(self._clips.values())

    def _put(self, clip_id: str, **changes: object) -> Clip | None:
        clip = self._clips.get(clip_id)
        if clip is None:
            return None
        self._clips[clip_id] = changed = replace(clip, **changes)  # type: ignore[arg-type]
        return changed


def _others(renditions: Iterable[Rendition], rendition_id: str) -> tuple[Rendition, ...]:
    return tuple(r for r in renditions if r.rendition_id != rendition_id)
