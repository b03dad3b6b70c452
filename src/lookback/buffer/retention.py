"""Which segments may go. Pure: what there is, the policy and the time come in, what may go comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of a session stays: everything younger than `keep_us`, and of that no more than `max_bytes`."""

    keep_us: int
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A segment as retention sees it; `end_us` is when its newest sample ends."""

    number: int
    end_us: int
    size_bytes: int
    open: bool = False
    leased: bool = False


def expired(segments: Sequence[Stored], policy: Retention, now_us: int) -> Iterator[Stored]:
    """Yield what may be deleted, oldest first: too old, or over the byte budget counting from the newest.

    The open segment and leased segments never expire but do use up the budget.
    """
    over_budget = _over_budget(segments, policy.max_bytes)
    for segment in segments:
        if segment.open or segment.leased:
            continue
        if segment.end_us <= now_us - policy.keep_us or segment.number in over_budget:
            yield segment


def _over_budget(segments: Sequence[Stored], max_bytes: int | None) -> set[int]:
    if max_bytes is None:
        return set()
    over, used = set(), 0
    for segment in reversed(segments):
        used += segment.size_bytes
        if used > max_bytes:
            over.add(segment.number)
    return over
