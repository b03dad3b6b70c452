"""Clips and quotas in memory, with the promises of the real ones: they pass the same conformance tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Unpack

from lookback.clips.model import Clip, Rendition, Storage
from lookback.clips.ports import Balance, Reservation
from lookback.clips.search import folded_tag, query_words, searched_text
from lookback.errors import QuotaExceededError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookback.clips.ports import ClipChanges, Position, Room, Selection, Sort

_UNDONE = {"queued", "running"}


class MemoryClipRepository:
    """Implements ClipRepository. `ledger` is the quota of the same users."""

    def __init__(self) -> None:
        self._clips: dict[str, Clip] = {}
        self.ledger = MemoryQuotaLedger(self)

    async def add(self, clip: Clip, room: Room | None = None) -> Clip:
        known = self._clips.get(clip.clip_id)
        if known is None and clip.idempotency_key is not None:
            known = await self.by_idempotency_key(clip.user_id, clip.idempotency_key)
        if known is not None:
            return known
        self.ledger.use(clip.user_id, clip.counted_bytes, room)
        return self._clips.setdefault(clip.clip_id, clip)

    async def get(self, clip_id: str) -> Clip | None:
        return self._clips.get(clip_id)

    async def by_idempotency_key(self, user_id: str, key: str) -> Clip | None:
        return next((c for c in self._clips.values() if (c.user_id, c.idempotency_key) == (user_id, key)), None)

    async def by_share_key(self, share_key: str) -> Clip | None:
        return next((c for c in self._clips.values() if c.share_key == share_key), None)

    async def page(self, wanted: Selection, *, sort: Sort, limit: int, after: Position | None) -> list[Clip]:
        found = sorted((c for c in self._clips.values() if _matches(c, wanted)), key=sort.key, reverse=sort.descending)
        if after is not None:
            found = [c for c in found if (sort.key(c) < after if sort.descending else sort.key(c) > after)]
        return found[:limit]

    async def largest(self, user_id: str, limit: int) -> list[Clip]:
        mine = [c for c in self._clips.values() if c.user_id == user_id and c.deleted_at_us is None]
        return sorted(mine, key=lambda c: (-c.stored_bytes, c.clip_id))[:limit]

    async def update(self, clip_id: str, room: Room | None = None, **changes: Unpack[ClipChanges]) -> Clip | None:
        return self._put(clip_id, room, **changes)

    async def put_rendition(self, clip_id: str, rendition: Rendition, room: Room | None = None) -> Clip | None:
        clip = self._clips.get(clip_id)
        if clip is None:
            return None
        return self._put(clip_id, room, renditions=(*_others(clip.renditions, rendition.rendition_id), rendition))

    async def remove_rendition(self, clip_id: str, rendition_id: str) -> None:
        clip = self._clips.get(clip_id)
        if clip is not None:
            self._put(clip_id, None, renditions=_others(clip.renditions, rendition_id))

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

    async def all_clips(self) -> list[Clip]:
        return list(self._clips.values())

    def used_bytes(self, user_id: str) -> int:
        return sum(c.counted_bytes for c in self._clips.values() if c.user_id == user_id)

    def _put(self, clip_id: str, room: Room | None, **changes: object) -> Clip | None:
        clip = self._clips.get(clip_id)
        if clip is None:
            return None
        changed = replace(clip, **changes)  # type: ignore[arg-type]
        self.ledger.use(clip.user_id, changed.counted_bytes - clip.counted_bytes, room)
        self._clips[clip_id] = changed
        return changed


@dataclass(slots=True)
class MemoryQuotaLedger:
    """Implements QuotaLedger; used bytes cannot be miscounted here."""

    clips: MemoryClipRepository
    held: dict[str, Reservation] = field(default_factory=dict)
    quotas: dict[str, int | None] = field(default_factory=dict)

    async def reserve(self, wanted: Reservation, room: Room) -> None:
        self._require(wanted.user_id, wanted.size_bytes, room)
        self.quotas.setdefault(wanted.user_id, None)
        self.held[wanted.reservation_id] = wanted

    async def give_back(self, reservation_id: str) -> None:
        self.held.pop(reservation_id, None)

    async def give_back_all(self, holder: str) -> int:
        before = len(self.held)
        self.held = {key: known for key, known in self.held.items() if known.holder != holder}
        return before - len(self.held)

    async def balance(self, user_id: str, now_us: int) -> Balance | None:
        used = self.clips.used_bytes(user_id)
        if user_id not in self.quotas and not used:
            return None
        return Balance(user_id, None, self.quotas.get(user_id), used, self._held(user_id, now_us))

    async def set_quota(self, user_id: str, quota_bytes: int | None, now_us: int) -> None:
        del now_us
        self.quotas[user_id] = quota_bytes

    async def miscounted(self) -> list[str]:
        return []

    async def recount(self, user_id: str) -> None:
        del user_id

    def use(self, user_id: str, added_bytes: int, room: Room | None) -> None:
        """End the room's reservation; what it does not cover must be free."""
        if room is None:
            return
        known = self.held.get(room.reservation_id or "")
        known = known if known is not None and known.user_id == user_id else None
        covered = known.size_bytes if known is not None and known.until_us > room.now_us else 0
        rest = {key: other for key, other in self.held.items() if other is not known}
        if added_bytes > covered:
            self._require(user_id, added_bytes, room, rest)
        self.held = rest

    def _require(self, user_id: str, needed_bytes: int, room: Room, held: dict[str, Reservation] | None = None) -> None:
        own = self.quotas.get(user_id)
        quota = own if own is not None else room.default_bytes
        used = self.clips.used_bytes(user_id) + self._held(user_id, room.now_us, held)
        if quota is not None and used + needed_bytes > quota:
            raise QuotaExceededError("User quota exceeded", quotaBytes=quota, usedBytes=used, neededBytes=needed_bytes)

    def _held(self, user_id: str, now_us: int, held: dict[str, Reservation] | None = None) -> int:
        known = (self.held if held is None else held).values()
        return sum(r.size_bytes for r in known if r.user_id == user_id and r.until_us > now_us)


def _matches(clip: Clip, wanted: Selection) -> bool:
    text = searched_text(clip)
    parts = [*([folded_tag(wanted.tag)] if wanted.tag is not None else []), *query_words(wanted.query)]
    return (
        clip.deleted_at_us is None
        and wanted.user_id in {None, clip.user_id}
        and wanted.community_id in {None, clip.community_id}
        and wanted.room_name in {None, clip.room_name}
        and wanted.visibility in {None, clip.visibility}
        and (wanted.from_us is None or clip.created_at_us >= wanted.from_us)
        and (wanted.until_us is None or clip.created_at_us < wanted.until_us)
        and all(part in text for part in parts)
    )


def _others(renditions: Iterable[Rendition], rendition_id: str) -> tuple[Rendition, ...]:
    return tuple(r for r in renditions if r.rendition_id != rendition_id)
