"""Which stretches of wall-clock time a session has no samples for. A picture that stands still is not a gap."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from lookback.media.index import Flag, LossCause
from lookback.media.samples import Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from lookback.media.index import SegmentIndex

_SMALLEST_GAP_US = 1_000  # below it is rounding
_CAUSES: dict[int, tuple[Literal["video", "audio", "all"], str]] = {
    LossCause.NETWORK: ("video", "loss"),
    LossCause.STORAGE: ("all", "storage"),
    LossCause.FILE: ("all", "egress"),
    LossCause.SOUND: ("audio", "egress"),
    LossCause.ABSENCE: ("all", "reconnect"),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """Half-open `[start_us, end_us)` in UTC microseconds without samples.

    `cause`: "reconnect" between runs, from when the publisher was gone; "loss" where packets stayed lost, "storage"
    where the disk refused, "damaged" where a segment cannot be read, "egress" where LiveKit Egress wrote nothing that
    can be read.
    """

    start_us: int
    end_us: int
    track: Literal["video", "audio", "all"]
    cause: str


@dataclass(frozen=True, slots=True)
class Extent:
    """What one segment covers, and the losses inside it.

    It starts with its first picture. `sound_us` is from when to when its sound reaches: where pictures and sound do
    not come equally late, that is some of what belongs to the segment before or after it.
    """

    start_us: int
    end_us: int
    run_id: bytes
    losses: tuple[Gap, ...]
    sound_us: tuple[int, int] | None = None

    @property
    def earliest_us(self) -> int:
        """When its first sample of either track begins."""
        return self.start_us if self.sound_us is None else min(self.start_us, self.sound_us[0])


class Numbered(Protocol):
    """A segment as a session's directory orders it."""

    @property
    def number(self) -> int:
        """Grows by one from segment to segment."""

    @property
    def extent(self) -> Extent:
        """What it covers."""


def extent(index: SegmentIndex) -> Extent:
    """Summarise an index with at least one sample."""
    header, samples = index.header, index.samples
    ends = samples["dts_us"] + samples["duration_us"]
    end_us = int(ends.max())
    of_video = samples["track"] == Track.VIDEO
    heard = np.flatnonzero(~of_video)
    sound_us = (int(samples["dts_us"][heard[0]]), int(ends[heard[-1]])) if len(heard) else None
    losses = tuple(_losses(samples[of_video], end_us))
    return Extent(header.first_dts_us, end_us, header.run_id, losses, sound_us)


def find_gaps(segments: Sequence[Numbered], start_us: int, end_us: int) -> list[Gap]:
    """Return the gaps within `[start_us, end_us)` between and inside segments, in order, overlaps joined.

    What lies before the first segment and after the last one is no gap: it is not part of the buffer.
    """
    found = [gap for segment in segments[-1:] for gap in segment.extent.losses]
    for before, after in pairwise(segments):
        # The next segment starts with a key frame: no loss reaches beyond it.
        ends_us = after.extent.start_us
        found += [Gap(g.start_us, min(g.end_us, ends_us), g.track, g.cause) for g in before.extent.losses]
        hole = _between(before, after)
        if hole is not None:
            found.append(hole)
    within = (
        Gap(max(g.start_us, start_us), min(g.end_us, end_us), g.track, g.cause)
        for g in sorted(found, key=lambda g: g.start_us)
    )
    return _joined(g for g in within if g.end_us - g.start_us > _SMALLEST_GAP_US)


def _between(before: Numbered, after: Numbered) -> Gap | None:
    first, second = before.extent, after.extent
    if first.run_id != second.run_id:
        return Gap(first.end_us, second.start_us, "all", "reconnect")
    if after.number != before.number + 1:
        return Gap(first.end_us, second.start_us, "all", "damaged")
    return None


def _losses(video: NDArray[np.void], end_us: int) -> list[Gap]:
    """A lost stretch reaches from its first record to the next key frame, or for a note as long as the note says."""
    lost = np.flatnonzero(video["flags"] & Flag.REFERENCE_LOST)
    if not len(lost):
        return []
    keys = np.sort(video["dts_us"][(video["flags"] & Flag.SYNC) != 0])
    gaps = []
    for row in video[lost]:
        start_us = int(row["dts_us"])
        if row["size"]:
            after = int(np.searchsorted(keys, start_us))
            gaps.append(Gap(start_us, int(keys[after]) if after < len(keys) else end_us, "video", "loss"))
        else:
            track, cause = _CAUSES.get(int(row["cts_us"]), _CAUSES[LossCause.NETWORK])
            gaps.append(Gap(start_us, start_us + int(row["duration_us"]), track, cause))
    return _joined(sorted(gaps, key=lambda g: g.start_us))


def _joined(gaps: Iterable[Gap]) -> list[Gap]:
    joined: list[Gap] = []
    for gap in gaps:
        last = joined[-1] if joined else None
        if last is not None and gap.start_us <= last.end_us and (gap.track, gap.cause) == (last.track, last.cause):
            joined[-1] = Gap(last.start_us, max(last.end_us, gap.end_us), gap.track, gap.cause)
        else:
            joined.append(gap)
    return joined
