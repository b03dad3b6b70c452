"""Look at both roots now and then, and before a session starts; say when one is not as it was.

A disk that hangs must hang nobody: each root is tried in a thread of its own, at most one at a time, and nobody waits
for it longer than the deadline.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.access.audit import Action, Nobody
from lookback.errors import LookbackError, StorageUnavailableError
from lookback.operations.bounded import DEADLINE_S, Bounded
from lookback.operations.storage_health import SILENT, Level, RootFacts, judge, level_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lookback.access.audit import Audit
    from lookback.operations.storage_health import Problem, Root

log = structlog.get_logger(__name__)

EVERY_US = 300_000_000
WHILE_BAD_US = 5_000_000
FRESH_US = 5_000_000
LASTING_US = 10_000_000
"""So long something has to be wrong before people are bothered: a disk is slow for a moment now and then."""
_WAITING_US = 1_000_000
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
        self._probes = {root: Bounded(probe, deadline_s) for root, probe in probes.items()}
        self._looks = {root: Bounded(look, deadline_s) for root, look in looks.items()}
        self._clock, self._audit, self._alert = clock, audit, alert
        self._turn = asyncio.Lock()
        self._told: frozenset[tuple[str, str]] = frozenset()
        self._probed_us: int | None = None
        self._since_us: dict[tuple[str, str], int] = {}
        self.facts: dict[Root, RootFacts] = {}
        self.problems: tuple[Problem, ...] = ()

    @property
    def level(self) -> Level:
        """How bad it is."""
        return level_of(self.problems)

    @property
    def lasting(self) -> list[Problem]:
        """Those that were there at the last look, and are not new."""
        until_us = (self._probed_us or 0) - LASTING_US
        return [problem for problem in self.problems if self._since_us[problem[:2]] <= until_us]

    def reason(self, root: Root) -> str | None:
        """Why nothing can be kept there; None when it can, or nobody has looked."""
        return next((p.sentence for p in self.problems if p.root == root and p.level is Level.GONE), None)

    def silence(self, *roots: Root, also: tuple[Root, ...] = ()) -> Silence:
        """Who says of these roots whether one of them does not answer; `also` of these to whoever waits already."""
        return Silence(self, roots, also)

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
                answers = await asyncio.gather(
                    *(bounded.ask() for bounded in self._probes.values()), return_exceptions=True
                )
                for root, answer in zip(self._probes, answers, strict=True):
                    self.facts[root] = answer if isinstance(answer, RootFacts) else RootFacts(root, answered=False)
                self._probed_us = self._clock()
                self.problems = tuple(problem for facts in self.facts.values() for problem in judge(facts))
                self._since_us = {p[:2]: self._since_us.get(p[:2], self._probed_us) for p in self.problems}
                await self._tell()
            return self.problems

    async def require(self) -> None:
        """Raise StorageUnavailableError with the reason when nothing could be kept, or what is kept not be saved."""
        problems = await self.probe(FRESH_US)
        gone = next((problem for problem in problems if problem.level is Level.GONE), None)
        if gone is not None:
            raise StorageUnavailableError(gone.sentence, retryAfter=_RETRY_AFTER_S, root=gone.root, kind=gone.kind)

    async def _writable(self) -> bool:
        answers = await asyncio.gather(*(bounded.ask() for bounded in self._looks.values()), return_exceptions=True)
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


@dataclass(frozen=True, slots=True)
class Silence:
    """Implements buffer.threads.Silence: whether one of some roots does not answer."""

    watch: StorageWatch
    roots: tuple[Root, ...]
    also: tuple[Root, ...] = ()

    def known(self) -> str | None:
        """See buffer.threads.Silence."""
        return self._of(self.roots)

    async def now(self) -> str | None:
        """See buffer.threads.Silence."""
        await self.watch.probe(_WAITING_US)
        return self._of(self.roots + self.also)

    def _of(self, roots: tuple[Root, ...]) -> str | None:
        silent = (p for p in self.watch.problems if p.kind == SILENT and p.root in roots)
        return next((problem.sentence for problem in silent), None)
