"""Communities: whose room it is, and which rules hold in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from lookback.errors import InvalidConfigError

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

AutoStart = Literal["off", "optIn", "on"]
RecorderKind = Literal["direct", "egress"]

_MINUTE_US = 60_000_000
_LONGEST_ID = 255


@dataclass(frozen=True, slots=True)
class CommunityConfig:
    """The rules of one community.

    `max_concurrent`: how many buffers may run at once, None for any number. `window_minutes`: how much of each is
    kept. `max_clip_minutes`: longest clip, None for as much as is kept. `clip_retention_days`: after which clips are
    deleted, None for never. `default_quota_bytes`: room for the clips of a user, None for the operator's default.
    """

    enabled: bool = True
    max_concurrent: int | None = 10
    window_minutes: float = 10
    max_clip_minutes: float | None = 10
    viewers_may_capture: bool = False
    auto_start: AutoStart = "off"
    clip_retention_days: int | None = None
    recorder: RecorderKind = "direct"
    default_quota_bytes: int | None = None

    @property
    def window_us(self) -> int:
        """How much is kept of a buffer, in microseconds."""
        return round(self.window_minutes * _MINUTE_US)

    @property
    def max_clip_us(self) -> int | None:
        """Length of the longest clip in microseconds, or None."""
        return None if self.max_clip_minutes is None else round(self.max_clip_minutes * _MINUTE_US)


SETTABLE = frozenset(rule.name for rule in fields(CommunityConfig))


@dataclass(frozen=True, slots=True)
class Community:
    """A community and what it has set itself, by the names of CommunityConfig's fields."""

    community_id: str
    name: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def config(self, defaults: CommunityConfig) -> CommunityConfig:
        """Its rules: what it has set, and the defaults for the rest."""
        return replace(defaults, **{key: value for key, value in self.settings.items() if key in SETTABLE})


@dataclass(frozen=True, slots=True)
class InstanceRules:
    """What the operator says: the rules where a community has set none, and those of rooms without a community.

    `longest_window_minutes`: no community can keep more.
    """

    defaults: CommunityConfig = field(default_factory=CommunityConfig)
    without_community: CommunityConfig = field(
        default_factory=lambda: CommunityConfig(max_concurrent=None, max_clip_minutes=None)
    )
    longest_window_minutes: float = 60

    def changed(self, community: Community, name: str | None, settings: Mapping[str, Any]) -> Community:
        """The community with this name and with these settings besides its own; raises InvalidConfigError."""
        changed = replace(community, name=name, settings={**community.settings, **settings})
        if changed.config(self.defaults).window_minutes > self.longest_window_minutes:
            raise InvalidConfigError(f"windowMinutes: the operator allows at most {self.longest_window_minutes:g}")
        return changed


def community_in_metadata(metadata: str | None) -> str | None:
    """The communityId that a LiveKit room's metadata name, or None; metadata may be any text."""
    try:
        said = json.loads(metadata or "null")
    except ValueError:
        return None
    return _id(said.get("communityId")) if isinstance(said, dict) else None


def community_by_pattern(room_name: str, pattern: re.Pattern[str] | None) -> str | None:
    """What the pattern's group `community` finds in the whole name of the room, or None."""
    found = pattern.fullmatch(room_name) if pattern is not None else None
    return _id(found["community"]) if found is not None else None


def _id(value: object) -> str | None:
    """The value if it can be a community's id; one with a slash could not be part of an address."""
    fits = isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable() and "/" not in value
    return str(value) if fits else None
