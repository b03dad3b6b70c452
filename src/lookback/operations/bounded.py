"""Do what may hang in a thread of its own, at most once at a time, and wait only so long for it.

Python cannot end a thread that hangs in the kernel; it ends with the process.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

DEADLINE_S = 4.0


class Bounded(Generic[T]):
    """`work` blocks. Whoever asks while it still hangs waits only for what is left of the time, or not at all."""

    def __init__(self, work: Callable[[], T], deadline_s: float = DEADLINE_S) -> None:
        self._work, self._deadline_s = work, deadline_s
        self._turn = threading.Lock()
        self._running: Future[T] | None = None
        self._begun_s = 0.0

    def __call__(self) -> T:
        """Return what came of it, or raise what it raised, or TimeoutError; blocks."""
        return self._begun().result(self._left_s)

    async def ask(self) -> T:
        """The same without blocking."""
        waiting = asyncio.wrap_future(self._begun())
        done, _ = await asyncio.wait({waiting}, timeout=self._left_s)
        if not done:
            waiting.add_done_callback(_forget)
            raise TimeoutError
        return waiting.result()

    @property
    def _left_s(self) -> float:
        return max(0.0, self._begun_s + self._deadline_s - time.monotonic())

    def _begun(self) -> Future[T]:
        with self._turn:
            if self._running is None or self._running.done():
                self._running, self._begun_s = Future(), time.monotonic()
                threading.Thread(target=self._do, args=(self._running,), name="bounded", daemon=True).start()
            return self._running

    def _do(self, future: Future[T]) -> None:
        try:
            future.set_result(self._work())
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            future.set_exception(error)


def _forget(late: asyncio.Future[T]) -> None:
    if not late.cancelled():
        late.exception()  # nobody waits for it any more: asyncio need not complain
