"""Captures that were made before: the same key, or another press of the same button a moment ago, get the same clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lookback.clips.model import Clip, Interval
    from lookback.clips.ports import ClipRepository

_SAME_WITHIN_US = 5_000_000
_MOST_SHARED = 10_000


class _Likeness(NamedTuple):
    """What two captures must share to be the same clip."""

    user_id: str
    session_id: str
    delivered: Interval
    title: str


class Repeats:
    """In memory only, beyond what rows say of keys: whoever has the buffer makes all its clips."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, str], str] = {}
        self._recent: dict[_Likeness, tuple[int, str]] = {}

    async def with_key(self, repository: ClipRepository, user_id: str, key: str | None) -> Clip | None:
        """Return the clip that this key got."""
        if key is None:
            return None
        known = await repository.by_idempotency_key(user_id, key)
        shared = self._shared.get((user_id, key))
        return await repository.get(shared) if known is None and shared is not None else known

    async def like(self, repository: ClipRepository, clip: Clip) -> Clip | None:
        """Return the clip that another press of the same button made a moment ago."""
        oldest_us = clip.created_at_us - _SAME_WITHIN_US
        for likeness in [known for known, (at_us, _) in self._recent.items() if at_us < oldest_us]:
            del self._recent[likeness]
        _, clip_id = self._recent.get(_likeness(clip), (0, None))
        same = await repository.get(clip_id) if clip_id is not None else None
        return same if same is not None and same.status == "ready" and same.deleted_at_us is None else None

    def share(self, user_id: str, key: str | None, clip: Clip) -> None:
        """Remember that this key got a clip that was made under another one, so that it gets it again."""
        if key is not None:
            if len(self._shared) >= _MOST_SHARED:
                self._shared.clear()
            self._shared[user_id, key] = clip.clip_id

    def made(self, clip: Clip) -> None:
        """Remember a clip that was made just now."""
        self._recent[_likeness(clip)] = clip.created_at_us, clip.clip_id


def _likeness(clip: Clip) -> _Likeness:
    return _Likeness(clip.user_id, clip.session_id, clip.delivered, clip.title)
