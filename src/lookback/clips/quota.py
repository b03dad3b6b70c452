"""How much a user may store."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lookback.clips.keyed_locks import KeyedLocks
from lookback.errors import QuotaExceededError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.clips.ports import ClipRepository


class UserQuota:
    """The same number of bytes for every user; None is no limit. Implements QuotaGate."""

    def __init__(self, repository: ClipRepository, quota_bytes: int | None) -> None:
        self._repository = repository
        self.quota_bytes = quota_bytes
        self._held: Counter[str] = Counter()
        self._locks = KeyedLocks()

    async def used_bytes(self, user_id: str) -> int:
        """What the user stores, and what is being stored now."""
        return await self._repository.used_bytes(user_id) + self._held[user_id]

    @asynccontextmanager
    async def reserve(self, user_id: str, size_bytes: int) -> AsyncIterator[None]:
        """Hold `size_bytes` for the user while the block runs; raises QuotaExceededError when they do not fit."""
        async with self._locks.hold(user_id):
            # One at a time: two reservations that look at once would both find room for themselves.
            await self._require(user_id, size_bytes)
            self._held[user_id] += size_bytes
        try:
            yield
        finally:
            self._held[user_id] -= size_bytes
            if not self._held[user_id]:
                del self._held[user_id]

    async def _require(self, user_id: str, size_bytes: int) -> None:
        if self.quota_bytes is None:
            return
        used = await self.used_bytes(user_id)
        if used + size_bytes > self.quota_bytes:
            raise QuotaExceededError(
                "User quota exceeded", quotaBytes=self.quota_bytes, usedBytes=used, neededBytes=size_bytes
            )
