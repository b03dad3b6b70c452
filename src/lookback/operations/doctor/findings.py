"""What the doctor can say: how bad it is, and the one thing to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lookback.operations.doctor.remedies import BROKEN, REMEDIES, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # it works, but not as well or as safely as it could
    BROKEN = "broken"  # something does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report.

    `id` names what was looked at (`database`), and what is wrong with it if anything is (`database.locked`).
    `todo`: the one thing to do; None when all is well.
    """

    id: str
    level: Level
    sentence: str
    todo: str | None = None

    @property
    def check(self) -> str:
        """What was looked at."""
        return self.id.partition(".")[0]


def fine(check: str, sentence: str) -> Finding:
    """Nothing is wrong with this."""
    return Finding(check, Level.OK, sentence)


def wrong(problem: Problem, sentence: str) -> Finding:
    """This is wrong; how bad it is and what helps is always the same for one problem."""
    return Finding(problem.value, Level.BROKEN if problem in BROKEN else Level.WARNING, sentence, REMEDIES[problem])


def worst(findings: Iterable[Finding]) -> Level:
    """The level of the worst of them."""
    return max((finding.level for finding in findings), key=list(Level).index, default=Level.OK)
