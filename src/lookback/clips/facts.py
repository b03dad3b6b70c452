"""How instants and gaps look among the facts of an error: JSON values, as the HTTP contract has them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lookback.media.gaps import Gap

_SECOND_US = 1_000_000
_MS_US = 1_000


def iso(instant_us: int) -> str:
    """ISO 8601 UTC with milliseconds."""
    moment = datetime.fromtimestamp(instant_us // _SECOND_US, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{instant_us % _SECOND_US // _MS_US:03d}Z"


def gap_fact(gap: Gap) -> dict[str, str]:
    """One gap."""
    return {"start": iso(gap.start_us), "end": iso(gap.end_us), "track": gap.track, "cause": gap.cause}


def range_fact(start_us: int, end_us: int, codec: str) -> dict[str, str]:
    """One range of a codec."""
    return {"start": iso(start_us), "end": iso(end_us), "codec": codec}
