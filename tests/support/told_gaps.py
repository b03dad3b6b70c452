"""Whether a session tells of every stretch that it has no picture for, whatever was lost on which way to the disk."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from lookback.buffer.reader import read_segments
from lookback.media.index import Flag
from lookback.media.samples import Track
from tests.support.people import microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.people import Json

_ROUNDING_US = 20_000


def untold_holes(directory: Path, gaps: list[Json]) -> list[tuple[int, int]]:
    """The stretches between the first and the last picture that neither a picture on disk nor a told gap covers.

    In UTC microseconds. `gaps` as the API tells them of the session.
    """
    told = [(microseconds(gap["start"]), microseconds(gap["end"])) for gap in gaps if gap["track"] != "audio"]
    shown = sorted(_shown(directory))
    covered = sorted(shown + [gap for gap in told if gap[0] < shown[-1][1]])
    reached = accumulate((end for _, end in covered), max)
    return [
        (until_us, following[0])
        for until_us, (_, following) in zip(reached, pairwise(covered), strict=False)
        if following[0] - until_us > _ROUNDING_US
    ]


def _shown(directory: Path) -> Iterator[tuple[int, int]]:
    """From when to when each picture is shown, and each stretch in which it is known that none changed."""
    for segment in read_segments(directory):
        for row in segment.index.samples:
            lost = row["flags"] & Flag.REFERENCE_LOST and not row["size"]
            if row["track"] == Track.VIDEO and not lost:
                yield int(row["dts_us"]), int(row["dts_us"]) + int(row["duration_us"])
