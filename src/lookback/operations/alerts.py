"""Tell administrators at once what they must know, wherever they are: each state once, in order, never in the way."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

import structlog

from lookback.clips.facts import iso
from lookback.operations.space import Step
from lookback.operations.storage_health import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lookback.operations.storage_health import Problem

log = structlog.get_logger(__name__)

Answer = Literal["taken", "refused", "away"]
"""`refused`: it would be refused again. `away`: nobody is there, or says that it should be tried later."""

WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 60.0, 120.0)
"""How long is waited before each further attempt: about five minutes in all, then an alert is given up."""
MOST_WAITING = 64


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"  # it is over
    WARNING = "warning"
    CRITICAL = "critical"  # something is not recorded, or soon will not be


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that administrators are told of. `type` is `topic.state` and never changes its meaning.

    No paths, names of people or secrets in sentence and facts; facts are JSON values by camelCase names.
    """

    type: str
    severity: Severity
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        """What it is about."""
        return self.type.partition(".")[0]

    def body(self, alert_id: str, at_us: int, installation: str) -> bytes:
        """What is posted. An attempt that is made again has the same bytes."""
        said = {
            "id": alert_id,
            "type": self.type,
            "severity": self.severity.value,
            "sentence": self.sentence,
            "at": iso(at_us),
            "installation": installation,
            "facts": dict(self.facts),
        }
        return json.dumps(said).encode()


TEST = Alert("test", Severity.INFO, "Lookback's doctor tries whether alerts arrive; nothing is wrong")


class Receiver(Protocol):
    """Whom alerts are posted to."""

    async def post(self, body: bytes) -> Answer:
        """Post once, in a bounded time; raises nothing, whatever is there."""


class AlertDesk:
    """Takes alerts and posts them one after the other. Without a receiver it does nothing.

    `sent` and `failed` count; `latest`: how the last attempt ended, None before there was one.
    """

    def __init__(
        self,
        receiver: Receiver | None,
        *,
        installation: str,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        waits_s: Sequence[float] = WAITS_S,
    ) -> None:
        self._receiver, self._installation = receiver, installation
        self._clock, self._new_id, self._waits_s = clock, new_id, waits_s
        self._told: dict[str, tuple[str, str]] = {}
        self._waiting: deque[tuple[Alert, bytes]] = deque()
        self._wake = asyncio.Event()
        self.sent = self.failed = 0
        self.latest: Answer | None = None

    def tell(self, alert: Alert) -> None:
        """Take an alert and return at once; what was said last of its topic is not said again."""
        if self._receiver is None or self._told.get(alert.topic) == (alert.type, alert.sentence):
            return
        self._told[alert.topic] = (alert.type, alert.sentence)
        if len(self._waiting) >= MOST_WAITING:
            self._give_up(self._waiting.popleft()[0], "too many wait")  # what is newer is nearer to the truth
        self._waiting.append((alert, alert.body(self._new_id(), self._clock(), self._installation)))
        self._wake.set()

    async def run(self) -> None:
        """Post what is told, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                alert, body = self._waiting.popleft()
                await self._deliver(alert, body)

    async def try_it(self) -> Answer | None:
        """Post a test, once; None when there is nobody to post to."""
        if self._receiver is None:
            return None
        self.latest = await self._receiver.post(TEST.body(self._new_id(), self._clock(), self._installation))
        return self.latest

    async def _deliver(self, alert: Alert, body: bytes) -> None:
        assert self._receiver is not None  # noqa: S101 - nothing waits otherwise
        for wait_s in (*self._waits_s, None):
            self.latest = await self._receiver.post(body)
            if self.latest == "taken":
                self.sent += 1
                log.info("alert.sent", type=alert.type)
                return
            if self.latest == "refused" or wait_s is None:
                break
            await asyncio.sleep(wait_s)
        self._give_up(alert, self.latest or "")

    def _give_up(self, alert: Alert, reason: str) -> None:
        self.failed += 1
        log.error("alert.not_sent", type=alert.type, sentence=alert.sentence, reason=reason)


# ---- what is told

_STORAGE = {
    Level.OK: ("storage.back", Severity.INFO),
    Level.DEGRADED: ("storage.degraded", Severity.WARNING),
    Level.GONE: ("storage.gone", Severity.CRITICAL),
}


def storage_alert(level: Level, problems: Iterable[Problem]) -> Alert:
    """What is told when something else is wrong with the disks than before."""
    kind, severity = _STORAGE[level]
    found = list(problems)
    sentence = "; ".join(problem.sentence for problem in found) or "The buffer and clip directories work again"
    return Alert(kind, severity, sentence, {"problems": [f"{problem.root}.{problem.kind}" for problem in found]})


def space_alert(step: Step, facts: Mapping[str, Any]) -> Alert:
    """What is told of a step of the disk-full ladder."""
    severity = Severity.WARNING if step < Step.SHORTER_WINDOWS else Severity.CRITICAL
    return Alert(f"space.{step.word}", severity if step else Severity.INFO, step.sentence, facts)


def recorder_alert(*, failing: bool, starts: int) -> Alert:
    """What is told of a recorder that does not live. `starts`: of the last minutes."""
    if not failing:
        return Alert("recorder.back", Severity.INFO, "The recorder runs again")
    sentence = "The recorder ends again and again, or does not start: replay buffers have gaps or do not begin"
    return Alert("recorder.failing", Severity.CRITICAL, sentence, {"starts": starts})


def cleanup_alert(*, overdue: bool, last_us: int | None) -> Alert:
    """What is told of a clean-up that does not come. `last_us`: when it came last, in UTC microseconds."""
    if not overdue:
        return Alert("cleanup.back", Severity.INFO, "Expired segments are being deleted again")
    sentence = "Expired segments are not being deleted: the clean-up has missed three turns, and the disk fills up"
    return Alert(
        "cleanup.overdue", Severity.CRITICAL, sentence, {"lastAt": iso(last_us) if last_us is not None else None}
    )
