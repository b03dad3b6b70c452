"""Look at both roots now and then, and before a session starts; say when one is not as it was.

A disk that hangs must hang nobody: each root is tried in a thread of its own, at most one at a time, and nobody waits
for it longer than the deadline. Python cannot end a thread that hangs in the kernel; it ends with the process.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

import structlog

from lookback.access.audit import Action, Nobody
from lookback.errors import LookbackError, StorageUnavailableError
from lookback.operations.storage_health import Level, RootFacts, judge, level_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lookback.access.audit import Audit
    from lookback.operations.storage_health import Problem, Root

log = structlog.get_logger(__name__)

EVERY_US = 300_000_000
WHILE_BAD_US = 5_000_000
FRESH_US = 5_000_000
DEADLINE_S = 4.0
_RETRY_AFTER_S = 10


class StorageWatch:
    """`probes` try a root and block; `looks` only see whether a file can be made there, and raise OSError if not.

    `alert` is told of every change, with level and sentences. `problems`: as they were at the last look.
    """

    def __init__(
        self,
        probes: Mapping[Root, Callable[[], RootFacts]],
        looks: Mapping[Root, Callable[[], None]],
        *,
        clock: Callable[[], int],
        audit: Audit | None = None,
        alert: Callable[[Level, tuple[Problem, ...]], None] = lambda _level, _problems: None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._probes = {root: _Bounded(probe, deadline_s) for root, probe in probes.items()}
        self._looks = {root: _Bounded(look, deadline_s) for root, look in looks.items()}
        self._clock, self._audit, self._alert = clock, audit, alert
        self._turn = asyncio.Lock()
        self._told: frozenset[tuple[str, str]] = frozenset()
        self._probed_us: int | None = None
        self.facts: dict[Root, RootFacts] = {}
        self.problems: tuple[Problem, ...] = ()

    @property
    def level(self) -> Level:
        """How bad it is."""
        return level_of(self.problems)

    def reason(self, root: Root) -> str | None:
        """Why nothing can be kept there; None when it can, or nobody has looked."""
        return next((p.sentence for p in self.problems if p.root == root and p.level is Level.GONE), None)

    async def run(self) -> None:
        """Watch until cancelled: glance every 5 s, try everything every 5 min, and every 5 s while all is not well."""
        while True:
            try:
                await self.look()
            except Exception:  # the watch must outlive what it watches
                log.exception("storage.not_looked_at")
            await asyncio.sleep(WHILE_BAD_US / 1e6)

    async def look(self) -> None:
        """Look as thoroughly as is due."""
        due = self._probed_us is None or self._clock() - self._probed_us >= EVERY_US
        if due or self.problems or not await self._writable():
            await self.probe()

    async def probe(self, max_age_us: int = 0) -> tuple[Problem, ...]:
        """Try both roots, unless that was done not so long ago; return what is wrong."""
        async with self._turn:
            now_us = self._clock()
            if self._probed_us is None or now_us - self._probed_us >= max_age_us:
                answers = await asyncio.gather(*(bounded.ask() for bounded in self._probes.values()))
                for root, answer in zip(self._probes, answers, strict=True):
                    self.facts[root] = answer if isinstance(answer, RootFacts) else RootFacts(root, answered=False)
                self._probed_us = self._clock()
                self.problems = tuple(problem for facts in self.facts.values() for problem in judge(facts))
                await self._tell()
            return self.problems

    async def require(self) -> None:
        """Raise StorageUnavailableError with the reason when nothing could be kept, or what is kept not be saved."""
        problems = await self.probe(FRESH_US)
        gone = next((problem for problem in problems if problem.level is Level.GONE), None)
        if gone is not None:
            raise StorageUnavailableError(gone.sentence, retryAfter=_RETRY_AFTER_S, root=gone.root, kind=gone.kind)

    async def _writable(self) -> bool:
        answers = await asyncio.gather(*(bounded.ask() for bounded in self._looks.values()))
        return not any(isinstance(answer, BaseException) for answer in answers)

    async def _tell(self) -> None:
        """Say that something else is wrong than before, to the log, the trail and whoever wants to be alerted."""
        kinds = frozenset((problem.root, problem.kind) for problem in self.problems)
        if kinds == self._told:
            return
        self._told = kinds
        say = log.warning if kinds else log.info
        say("storage.changed", level=self.level.value, reasons=[problem.sentence for problem in self.problems])
        self._alert(self.level, self.problems)
        if self._audit is None:
            return
        facts = {"level": self.level.value, "problems": sorted(f"{root}.{kind}" for root, kind in kinds)}
        try:
            await self._audit.record(Action.STORAGE_CHANGED, actor=Nobody.SERVER, facts=facts)
        except LookbackError as error:
            log.warning("storage.not_in_the_trail", error=error.detail)  # the database may be on that disk


class _Bounded:
    """Does one thing in a thread, at most once at a time, and waits only so long for it."""

    def __init__(self, work: Callable[[], object], deadline_s: float) -> None:
        self._work, self._deadline_s = work, deadline_s
        self._running: Future[object] | None = None

    async def ask(self) -> object:
        """Return what came of it: its result, what it raised, or TimeoutError."""
        if self._running is None or self._running.done():
            self._running = Future()
            threading.Thread(target=self._do, args=(self._running,), name="storage-probe", daemon=True).start()
        waiting = asyncio.wrap_future(self._running)
        done, _ = await asyncio.wait({waiting}, timeout=self._deadline_s)
        if not done:
            return TimeoutError()
        return waiting.result()

    def _do(self, future: Future[object]) -> None:
        try:
            future.set_result(self._work())
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            future.set_result(error)
