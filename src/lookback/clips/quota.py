"""How much a user may store: bytes are reserved before work starts, and are in a row or given back by its end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog

from lookback.clips.ports import Reservation, Room
from lookback.errors import QuotaExceededError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from lookback.clips.model import Clip
    from lookback.clips.ports import Balance, ClipRepository, Clock, QuotaLedger

    DefaultQuota = Callable[[str | None], Awaitable[int | None]]

log = structlog.get_logger(__name__)

# Longer than any work with them takes. What a killed server held is given back when it starts again; this is for one
# that never does.
_HELD_US = 6 * 3_600_000_000
_LARGEST = 5


class UserQuota:
    """Implements QuotaGate. `default_of` gives the quota of users without one of their own, by community, or None.

    `holder` names this server: what it held before it was killed is its own to give back, by `recover`.
    """

    def __init__(
        self,
        ledger: QuotaLedger,
        repository: ClipRepository,
        default_of: DefaultQuota,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        holder: str,
    ) -> None:
        self._ledger = ledger
        self._repository = repository
        self._default_of = default_of
        self._clock = clock
        self._new_id = new_id
        self._holder = holder

    async def recover(self) -> None:
        """Give back what this server held when it was killed; only before it works again."""
        if count := await self._ledger.give_back_all(self._holder):
            log.info("quota.given_back", reservations=count)

    @asynccontextmanager
    async def reserve(self, user_id: str, size_bytes: int, community_id: str | None) -> AsyncIterator[Room]:
        """See QuotaGate."""
        room = await self.room(community_id)
        wanted = Reservation(self._new_id(), user_id, size_bytes, self._holder, room.now_us + _HELD_US)
        try:
            await self._ledger.reserve(wanted, room)
        except QuotaExceededError as error:
            raise await self.explain(error, user_id) from error
        held = Room(room.default_bytes, room.now_us, wanted.reservation_id)
        try:
            yield held
        finally:
            if not held.taken:
                # Also when the work is cancelled, which must not cost the user their room until the next start.
                await asyncio.shield(self._ledger.give_back(wanted.reservation_id))

    async def room(self, community_id: str | None) -> Room:
        """See QuotaGate."""
        return Room(await self._default_of(community_id), self._clock())

    async def explain(self, error: QuotaExceededError, user_id: str) -> QuotaExceededError:
        """See QuotaGate."""
        largest = [_fact(clip) for clip in await self._repository.largest(user_id, _LARGEST)]
        return QuotaExceededError(error.detail, **error.facts, largestClips=largest)

    async def balance(self, user_id: str) -> Balance | None:
        """What the user has; None for somebody who was never here."""
        return await self._ledger.balance(user_id, self._clock())

    async def default_bytes(self, community_id: str | None = None) -> int | None:
        """The quota of users without one of their own; None is no limit."""
        return await self._default_of(community_id)


def _fact(clip: Clip) -> dict[str, Any]:
    return {"clipId": clip.clip_id, "title": clip.title, "sizeBytes": clip.stored_bytes}
