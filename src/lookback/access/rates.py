"""How often somebody may do what costs something, counted in memory over about the last minute."""

from __future__ import annotations

import math
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from lookback.errors import RateLimitError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What is counted; each is the name of what the user did too often."""

    CAPTURE = "captures"
    START = "starts"
    SIGN_IN = "sign-ins"


class RateLimits:
    """`per_minute`: how many of a kind a user (or address) may have a minute; none or 0 is no limit.

    The clock is the library's own. A restart forgets what was counted.
    """

    def __init__(self, per_minute: Mapping[Kind, int]) -> None:
        self._items = {kind: RateLimitItemPerMinute(count) for kind, count in per_minute.items() if count}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def spend(self, kind: Kind, user_id: str) -> None:
        """Count one; raises RateLimitError (facts: limit, retryAfter) when there were too many, and counts none."""
        item = self._items.get(kind)
        if item is None or await self._limiter.hit(item, kind, user_id):
            return
        window = await self._limiter.get_window_stats(item, kind, user_id)
        raise RateLimitError(
            f"Too many {kind} in a minute",
            limit=item.amount,
            retryAfter=max(1, math.ceil(window.reset_time - time.time())),
        )
