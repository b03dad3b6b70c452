"""Threads for what waits for one disk, so that one that hangs, as a network mount does, holds up nothing else.

Nothing can end a call that hangs in the kernel. So whoever asked is let go with an error when the disk does not answer,
and what they asked for ends by itself: what was begun is never left half done, and keeps its locks until then.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

import structlog

from lookback.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    P = ParamSpec("P")
    T = TypeVar("T")

log = structlog.get_logger(__name__)

_PATIENCE_S = 2.0
_IDLE_S = 10.0
_RETRY_AFTER_S = 10


class Silence(Protocol):
    """Whether disks do not answer: a sentence that says so, None when they do."""

    def known(self) -> str | None:
        """Return what the last look has shown."""

    async def now(self) -> str | None:
        """Return what a look shows, or one that somebody has just made; takes seconds at most."""


class NeverSilent:
    """Nobody looks: whoever asks waits as long as it takes."""

    def known(self) -> str | None:
        """See Silence."""
        return None

    async def now(self) -> str | None:
        """See Silence."""
        return None


class DiskThreads:
    """`count` threads for a disk, and whoever knows whether it is `silent`."""

    def __init__(self, name: str, count: int, silent: Silence | None = None) -> None:
        self._pool = _Pool(name, count)
        self._silent = silent or NeverSilent()
        self._left: set[asyncio.Task[Any]] = set()

    async def run(self, call: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """Return what the call returns, however long that takes; it sees the caller's context."""
        bound = partial(contextvars.copy_context().run, call, *args, **more)
        return await asyncio.get_running_loop().run_in_executor(self._pool, bound)

    async def ask(self, call: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """The same for what only reads; raises StorageUnavailableError while the disk does not answer."""
        self.require()
        return await self.attend(self.run(call, *args, **more))

    def require(self) -> None:
        """Raise StorageUnavailableError when the disk is known not to answer."""
        sentence = self._silent.known()
        if sentence is not None:
            raise _unavailable(sentence)

    async def attend(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what comes of the work; raises StorageUnavailableError when the disk does not answer meanwhile.

        Then the work goes on, and ends when the disk answers again.
        """
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_PATIENCE_S)
                sentence = None if task.done() else await self._silent.now()
                if sentence is not None and not task.done():
                    self._leave(task)
                    raise _unavailable(sentence)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        return task.result()

    async def silent(self) -> str | None:
        """Return the sentence that says that the disk does not answer, None when it does."""
        return await self._silent.now()

    def later(self, call: Callable[[], object]) -> None:
        """Make a call that nobody waits for, such as closing a file."""
        self._pool.submit(call)

    def _leave(self, task: asyncio.Task[Any]) -> None:
        self._left.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._left.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.warning("disk.failed_late", error=str(error) or type(error).__name__)


class _Pool(Executor):
    """Threads that end with the process whatever they wait for: Python waits for those of a ThreadPoolExecutor."""

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count = name, count
        self._changed = threading.Condition()
        self._calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._threads = self._waiting = 0

    def submit(self, call: Callable[..., T], /, *args: Any, **more: Any) -> Future[T]:
        """See Executor."""
        future: Future[T] = Future()
        with self._changed:
            self._calls.append((future, partial(call, *args, **more)))
            if self._waiting >= len(self._calls):
                self._changed.notify()
            elif self._threads < self._count:
                self._threads += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()
        return future

    def _work(self) -> None:
        while (found := self._next()) is not None:
            _call(*found)
            del found  # it would keep what the call has returned

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        """What is to be done next; None when nothing was for a while."""
        with self._changed:
            self._waiting += 1
            came = self._changed.wait_for(lambda: self._calls, timeout=_IDLE_S)
            self._waiting -= 1
            if came:
                return self._calls.popleft()
            self._threads -= 1
            return None


def _call(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - whoever asked gets it
        future.set_exception(error)
    else:
        future.set_result(result)


def _unavailable(sentence: str) -> StorageUnavailableError:
    return StorageUnavailableError(sentence, retryAfter=_RETRY_AFTER_S)


ANYBODYS = DiskThreads("disk", 8)
"""For commands, which have nobody else to hold up."""
