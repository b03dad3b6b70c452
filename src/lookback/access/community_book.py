"""Look up communities: their rules, and whose a room is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.access.communities import Community, community_by_pattern, community_in_metadata
from lookback.access.freshness import Remembered

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from lookback.access.communities import CommunityConfig, InstanceRules
    from lookback.access.ports import CommunityRepository, RoomMetadata


class CommunityBook:
    """Implements access.ports.Communities and Retentions. `livekit` is None when LiveKit is not configured."""

    def __init__(
        self,
        repository: CommunityRepository,
        rules: InstanceRules,
        pattern: re.Pattern[str] | None,
        livekit: RoomMetadata | None,
        clock: Callable[[], int],
    ) -> None:
        self._repository, self._rules = repository, rules
        self._pattern, self._livekit = pattern, livekit
        # Asked for every session at every look of the clock.
        self._known: Remembered[str, CommunityConfig] = Remembered(self._read, clock)

    async def config_of(self, community_id: str | None) -> CommunityConfig:
        """See access.ports.Communities."""
        return self._rules.without_community if community_id is None else await self._known.get(community_id)

    async def community_of_room(self, room_name: str) -> str | None:
        """See access.ports.Communities."""
        registered = await self._repository.room(room_name)
        if registered is not None:
            return registered.community_id
        metadata = await self._livekit.metadata_of(room_name) if self._livekit is not None else None
        return community_in_metadata(metadata) or community_by_pattern(room_name, self._pattern)

    async def clip_retentions(self) -> dict[str, int]:
        """See access.ports.Retentions."""
        configs = {row.community_id: row.config(self._rules.defaults) for row in await self._repository.all()}
        days = {community_id: config.clip_retention_days for community_id, config in configs.items()}
        return {community_id: kept for community_id, kept in days.items() if kept is not None}

    def forget(self) -> None:
        """Read all rules anew: somebody has changed them."""
        self._known.forget()

    async def _read(self, community_id: str) -> CommunityConfig:
        community = await self._repository.get(community_id) or Community(community_id)
        return community.config(self._rules.defaults)
