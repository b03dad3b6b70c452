"""The words of a result: spreads of measured values, and bars that a figure is held against."""

from __future__ import annotations

import statistics
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Effort:
    """How much time a run may take: `quick` trades certainty for seconds."""

    quick: bool

    def pick(self, full: int, quick: int) -> int:
        """The number of rounds or seconds for this effort."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure has to reach, and whether it did."""

    what: str
    figure: float
    bar: str
    met: bool

    def as_json(self) -> dict[str, Any]:
        """JSON members in reading order."""
        return {"what": self.what, "figure": self.figure, "bar": self.bar, "met": self.met}


@dataclass(slots=True)
class Report:
    """What one benchmark found: figures by name (JSON values) and the bars they are held against."""

    figures: dict[str, Any] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)

    def at_most(self, what: str, figure: float, limit: float, unit: str = "") -> None:
        """Hold `figure` against an upper limit."""
        self.bars.append(Bar(what, figure, f"<= {limit:g}{' ' * bool(unit)}{unit}", figure <= limit))

    def at_least(self, what: str, figure: float, limit: float, unit: str = "") -> None:
        """Hold `figure` against a lower limit."""
        self.bars.append(Bar(what, figure, f">= {limit:g}{' ' * bool(unit)}{unit}", figure >= limit))

    def as_json(self) -> dict[str, Any]:
        """JSON members; bars that were missed stand out by met: false."""
        return {"bars": [bar.as_json() for bar in self.bars], "figures": self.figures}


class Stopwatch:
    """Collects durations in milliseconds."""

    def __init__(self) -> None:
        self.laps_ms: list[float] = []

    @contextmanager
    def lap(self) -> Iterator[None]:
        """Time one round."""
        begun = perf_counter()
        yield
        self.laps_ms.append((perf_counter() - begun) * 1000)

    @property
    def spread(self) -> dict[str, float]:
        """Median, p95, extremes and count of the laps."""
        return spread(self.laps_ms)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile, extremes and count."""
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 3),
        "p95": percentile(ordered, 95),
        "min": round(ordered[0], 3),
        "max": round(ordered[-1], 3),
        "n": len(ordered),
    }


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed; by nearest rank, so it is one that was seen."""
    ordered = sorted(values)
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 3)
