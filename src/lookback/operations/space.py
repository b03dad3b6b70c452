"""The ladder for a disk that fills up. Pure: what is free and the time come in, the step comes out.

Steps are climbed at once, as many as it takes, and left only when there is clearly more room than the bound says, and
has been for a while: what is deleted on one step must not be what makes us leave it. Saved clips are on no step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

_GIB = 1024**3
_SHARE = 20  # one part in so many of a disk stays free by default
_LARGEST_DEFAULT_BYTES = 2 * _GIB
_CLIPS_THAT_FIT = 8
CALM_US = 3_000_000
"""So long there must be room before a step is left."""


class Step(IntEnum):
    """What is done so that a disk does not fill up; each step includes those before it."""

    CALM = 0
    NO_RENDITIONS = 1
    SMALL_CAPTURES = 2
    SHORTER_WINDOWS = 3
    FEWER_SESSIONS = 4

    @property
    def word(self) -> str:
        """Its name on the wire."""
        return self.name.lower().replace("_", "-")

    @property
    def sentence(self) -> str:
        """What it means for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Step.CALM: "There is room enough",
    Step.NO_RENDITIONS: "Space gets tight: no new renditions are made",
    Step.SMALL_CAPTURES: "Space is tight: only small clips are saved, no renditions are made",
    Step.SHORTER_WINDOWS: "The disk is nearly full: replay buffers are shortened, only small clips are saved",
    Step.FEWER_SESSIONS: "The disk is full: the newest replay buffers pause and no new ones start",
}

# Below so many floors a step is climbed, from so many on it can be left.
_BOUNDS: dict[Step, tuple[float, float]] = {
    Step.NO_RENDITIONS: (2.0, 2.2),
    Step.SMALL_CAPTURES: (1.5, 1.7),
    Step.SHORTER_WINDOWS: (1.0, 1.2),
    Step.FEWER_SESSIONS: (0.5, 1.0),
}
_SHORTEN_TO = (
    1.1  # more than where shortening begins, so that it is not done for every segment; less than where it ends
)


class Disk(NamedTuple):
    """A file system. `floor_bytes`: so much shall stay free; 0: nobody cares."""

    free_bytes: int
    total_bytes: int
    floor_bytes: int

    @property
    def missing_bytes(self) -> int:
        """How much must be freed by shortening windows."""
        return max(0, round(self.floor_bytes * _SHORTEN_TO) - self.free_bytes)


def floor_of(total_bytes: int, configured_bytes: int | None) -> int:
    """How much of a disk stays free: what the operator says, else a share of it."""
    if configured_bytes is not None:
        return configured_bytes
    return min(total_bytes // _SHARE, _LARGEST_DEFAULT_BYTES)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where we stand with a disk. `highest`: no step beyond it would help there.

    `since_us`: when the step was reached; `better_us`: since when it could be left, None when it cannot.
    """

    highest: Step = Step.FEWER_SESSIONS
    step: Step = Step.CALM
    since_us: int = 0
    better_us: int | None = None

    def after(self, disk: Disk, now_us: int, *, exhausted: bool = False) -> Ladder:
        """Where we stand now. `exhausted`: no window can be made shorter than it is."""
        up = min(self.highest, _climbed(disk, exhausted=exhausted))
        down = max(
            (s for s in _BOUNDS if s <= self.step and disk.free_bytes < disk.floor_bytes * _BOUNDS[s][1]),
            default=Step.CALM,
        )
        if up > self.step:
            return Ladder(self.highest, up, now_us)
        if down >= self.step:
            return replace(self, better_us=None)
        better_us = now_us if self.better_us is None else self.better_us
        if now_us - better_us >= CALM_US:
            return Ladder(self.highest, down, now_us)
        return replace(self, better_us=better_us)


def _climbed(disk: Disk, *, exhausted: bool) -> Step:
    """The highest step that what is free asks for."""
    asked = (s for s, (below, _) in _BOUNDS.items() if disk.free_bytes < disk.floor_bytes * below)
    return max((s for s in asked if s is not Step.FEWER_SESSIONS or exhausted), default=Step.CALM)


def largest_capture(step: Step, disk: Disk) -> int | None:
    """How large a new clip may be, in bytes; None: of any size.

    A clip takes up nothing before it gets a file of its own, but it keeps what it refers to from being freed.
    """
    return disk.free_bytes // _CLIPS_THAT_FIT if step >= Step.SMALL_CAPTURES else None


def largest_file(step: Step, disk: Disk) -> int:
    """How large a clip may be that gets a file of its own now; others play as they are, and wait."""
    if step >= Step.SMALL_CAPTURES:
        return disk.free_bytes // _CLIPS_THAT_FIT
    return max(0, disk.free_bytes - disk.floor_bytes)
