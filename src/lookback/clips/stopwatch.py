"""How long a capture took, step by step: for the log, for metrics, and for whoever asks why one was slow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal, Protocol

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lookback.clips.model import Clip

log = structlog.get_logger(__name__)

Step = Literal["find", "commit", "queue", "plan", "reserve", "write", "row"]
"""Find the session; wait until the end of the range is on disk (for the future, too); wait for captures before it;
plan from the indexes; hold the quota; pin, write and sync the files; insert the row."""

SLOW_S = 1.0
Work = Callable[[str], AbstractContextManager[object]]
"""Around a piece of work that nobody waits for, by its name."""

_PRESSURE = Path("/proc/pressure/io")  # Linux 4.20 and later, where it is switched on


class CaptureTimes(Protocol):
    """Is told how long captures take."""

    def captured(self, seconds: Mapping[Step, float]) -> None:
        """A clip was made; so long took its steps, in seconds. It is saved by then, so nothing may be raised."""


class Unmeasured:
    """Nobody wants to know."""

    def captured(self, seconds: Mapping[Step, float]) -> None:
        """See CaptureTimes."""


def unwatched(_name: str) -> AbstractContextManager[object]:
    """Nobody wants to know of work either."""
    return nullcontext()


class Stopwatch:
    """Every instant belongs to the step whose end is noted next."""

    def __init__(self) -> None:
        self.seconds: dict[Step, float] = {}
        self._since_s = perf_counter()

    def lap(self, step: Step) -> None:
        """The step is over; done twice, its times add up."""
        now_s = perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now_s - self._since_s
        self._since_s = now_s


def work_seconds(seconds: Mapping[Step, float]) -> float:
    """How long all steps took together, but for what a capture waits for by its nature."""
    return sum(took for step, took in seconds.items() if step != "commit")


def tell(clip: Clip, seconds: Mapping[Step, float]) -> None:
    """Write the line about a capture; of a slow one it says which step was slow, and what the disk was doing."""
    took_s = work_seconds(seconds)
    steps_ms = {step: round(took * 1000, 1) for step, took in seconds.items()}
    said = log.bind(
        clip=clip.clip_id,
        session=clip.session_id,
        size_bytes=clip.size_bytes,
        took_ms=round(took_s * 1000, 1),
        steps_ms=steps_ms,
    )
    if took_s <= SLOW_S:
        said.info("Replay captured")
        return
    slowest = max((step for step in seconds if step != "commit"), key=lambda step: seconds[step])
    said.warning("Replay captured", slow_step=slowest, disk_pressure=disk_pressure())


def disk_pressure() -> str | None:
    """What share of the last seconds processes waited for disks, as the kernel says it; None where it does not."""
    with suppress(OSError):
        return _PRESSURE.read_text(encoding="ascii").splitlines()[0].removeprefix("some ")
    return None
