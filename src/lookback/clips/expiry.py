"""Delete clips when the time has passed for which their community keeps them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.access.audit import Action, Nobody
from lookback.clips.ports import Selection, Sort
from lookback.clips.trail import Told

if TYPE_CHECKING:
    from lookback.access.ports import Retentions
    from lookback.clips.model import Clip
    from lookback.clips.ports import ClipRepository, Clock, Position
    from lookback.clips.rows import ClipRows

log = structlog.get_logger(__name__)

_DAY_US = 86_400_000_000
_EVERY_SECONDS = 600.0
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ClipExpiry:
    """Looks for old clips every ten minutes. What it deletes can be restored as long as what people delete."""

    repository: ClipRepository
    rows: ClipRows
    communities: Retentions
    clock: Clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.expire(self.clock())
            except Exception:  # a database that is away for a while must not end it
                log.exception("clips.not_expired")
            await asyncio.sleep(_EVERY_SECONDS)

    async def expire(self, now_us: int) -> int:
        """Delete what is too old at `now_us`; return how many clips that were."""
        retentions = await self.communities.clip_retentions()
        return sum([await self._expire(place, now_us - days * _DAY_US, now_us) for place, days in retentions.items()])

    async def _expire(self, community_id: str, until_us: int, now_us: int) -> int:
        deleted, after = 0, None
        while page := await self._page(Selection(community_id=community_id, until_us=until_us), after):
            for clip in page:
                told = Told(Action.CLIP_DELETED, Nobody.SERVER, {"cause": "retention"})
                await self.rows.change(clip.clip_id, told=told, deleted_at_us=now_us)
                log.info("clip.expired", clip=clip.clip_id, community=community_id)
            deleted, after = deleted + len(page), Sort.OLDEST.key(page[-1])
        return deleted

    async def _page(self, wanted: Selection, after: Position | None) -> list[Clip]:
        return await self.repository.page(wanted, sort=Sort.OLDEST, limit=_AT_ONCE, after=after)
