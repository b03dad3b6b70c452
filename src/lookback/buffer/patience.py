"""A writer with patience: while the disk is away, what comes is kept in memory, and written when it is back.

1. What is kept begins with a key frame, because a segment does. So a fault costs what the writer had not yet written,
   and what comes before the next key frame; the rest of the time the disk was away costs nothing.
2. It is bounded, in time, in bytes for one session and in bytes for all: the oldest goes first, up to a key frame.
3. It is written little by little, so that a long backlog of one session holds up nobody else's packets.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from lookback.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.buffer.writer import RunWriter, WriterStats
    from lookback.media.index import LossCause

LONGEST_US = 30_000_000
SESSION_BYTES = 32 * 1024**2
WORKER_BYTES = 256 * 1024**2
RETRY_US = 250_000
_AT_ONCE_BYTES = 1024**2


@dataclass(slots=True)
class Memory:
    """What all writers of a process may keep together."""

    limit_bytes: int = WORKER_BYTES
    used_bytes: int = 0


class _Step(NamedTuple):
    """Something to tell a writer; its instant, its bytes, and whether it is a key frame or only time that passed."""

    tell: Callable[[], None]
    at_us: int
    size: int = 0
    key: bool = False
    tick: bool = False


@dataclass(slots=True)
class _Kept:
    """Steps in their order. While the disk is away the first is a key frame, or there are none."""

    memory: Memory
    steps: deque[_Step] = field(default_factory=deque)
    size_bytes: int = 0

    def add(self, step: _Step) -> None:
        if not self.steps and not step.key:
            return
        if step.tick and self.steps[-1].tick:
            self.steps.pop()
        self.steps.append(step)
        self._count(step.size)

    def trim(self, now_us: int) -> None:
        while self._is_too_much(now_us):
            self.drop_first()

    def take(self) -> _Step:
        step = self.steps.popleft()
        self._count(-step.size)
        return step

    def put_back(self, steps: list[_Step]) -> None:
        self.steps.extendleft(reversed(steps))
        self._count(sum(step.size for step in steps))

    def drop_first(self) -> None:
        """Let the oldest go, up to the next key frame."""
        if self.steps:
            self.take()
        while self.steps and not self.steps[0].key:
            self.take()

    def clear(self) -> None:
        self.steps.clear()
        self._count(-self.size_bytes)

    def _count(self, size: int) -> None:
        self.size_bytes += size
        self.memory.used_bytes += size

    def _is_too_much(self, now_us: int) -> bool:
        return bool(self.steps) and (
            now_us - self.steps[0].at_us > LONGEST_US
            or self.size_bytes > SESSION_BYTES
            or self.memory.used_bytes > self.memory.limit_bytes
        )


class PatientWriter:
    """Wraps a RunWriter; its methods are that one's. A writer that is held on purpose keeps nothing in memory."""

    def __init__(self, writer: RunWriter, memory: Memory) -> None:
        self._writer = writer
        self._kept = _Kept(memory)
        self._waiting = False
        self._retry_at_us = 0
        self._heard_us = 0

    @property
    def stats(self) -> WriterStats:
        """Counts since the run began."""
        return self._writer.stats

    @property
    def fault(self) -> OSError | None:
        """Why the disk does not take anything at the moment."""
        return self._writer.fault

    @property
    def held(self) -> bool:
        """Whether nothing is to be written."""
        return self._writer.held

    @held.setter
    def held(self, held: bool) -> None:
        self._writer.held = held
        if held:
            self._give_up()

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height of the current segment."""
        return self._writer.picture_size

    @property
    def wants_key_frame(self) -> bool:
        """Whether nothing that comes can be kept before the next key frame."""
        return self._writer.wants_key_frame and not self._kept.steps

    @property
    def lag_us(self) -> int:
        """How long what came last waits to be written; it grows while the disk is away, not while nothing comes."""
        written_us = self._writer.stats.written_us
        return max(0, self._heard_us - written_us) if written_us else 0

    @property
    def kept_bytes(self) -> int:
        """How much is in memory because the disk is away."""
        return self._kept.size_bytes

    def video(self, dts_us: int, data: bytes, *, key: bool, **more: Any) -> None:
        """See RunWriter."""
        self._tell(_Step(partial(self._writer.video, dts_us, data, key=key, **more), dts_us, len(data), key))

    def audio(self, dts_us: int, data: bytes) -> None:
        """See RunWriter."""
        self._tell(_Step(partial(self._writer.audio, dts_us, data), dts_us, len(data)))

    def tick(self, now_us: int, *, missing: bool = False) -> None:
        """See RunWriter."""
        self._tell(_Step(partial(self._writer.tick, now_us, missing=missing), now_us, tick=True))

    def miss(self, until_us: int, cause: LossCause) -> None:
        """See RunWriter."""
        self._tell(_Step(partial(self._writer.miss, until_us, cause), until_us))

    def lack(self, start_us: int, end_us: int, cause: LossCause) -> None:
        """See RunWriter."""
        self._tell(_Step(partial(self._writer.lack, start_us, end_us, cause), end_us))

    def flush(self, until_us: int) -> None:
        """See RunWriter."""
        self._tell(_Step(partial(self._writer.flush, until_us), until_us))

    def close(self, now_us: int) -> None:
        """Write all that can be written, and end."""
        self._catch_up(at_once_bytes=self._kept.size_bytes)
        self._give_up()
        self._writer.close(now_us)

    def _tell(self, step: _Step) -> None:
        self._heard_us = max(self._heard_us, step.at_us)
        if self._waiting:
            self._kept.add(step)
            if step.at_us >= self._retry_at_us:
                self._catch_up(_AT_ONCE_BYTES)
                if self._faulty:
                    self._retry_at_us = step.at_us + RETRY_US
            if self._faulty:
                self._kept.trim(step.at_us)
            return
        step.tell()
        if self._faulty and not self._writer.held:
            self._waiting, self._retry_at_us = True, step.at_us + RETRY_US
            self._kept.add(step)

    @property
    def _faulty(self) -> bool:
        return self._writer.fault is not None and self._writer.wants_key_frame

    def _catch_up(self, at_once_bytes: int) -> None:
        """Write what is kept, and be as before when nothing is left; or keep on waiting."""
        since_key: list[_Step] = []
        fragments = self._writer.stats.fragments
        left_bytes = at_once_bytes
        while self._kept.steps and left_bytes >= 0:
            step = self._kept.take()
            left_bytes -= step.size
            if step.key:
                since_key, fragments = [], self._writer.stats.fragments
            since_key.append(step)
            with suppress(MalformedError):
                step.tell()
            if self._faulty:
                self._kept.put_back(since_key)
                if not since_key[0].key or self._writer.stats.fragments != fragments:
                    self._kept.drop_first()  # a part of it is written: what refers to it cannot follow elsewhere
                return
        self._waiting = bool(self._kept.steps) or self._faulty

    def _give_up(self) -> None:
        self._kept.clear()
        self._waiting = False
