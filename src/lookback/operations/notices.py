"""What people should know of how the installation is.

Everybody is told what they will notice, in sentences with nothing of its inside in them; those who look after it also
what is not as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.access.principal import Permission
from lookback.operations.space import Step
from lookback.operations.storage_health import PLACES, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lookback.access.principal import Principal
    from lookback.operations.disk_space import DiskSpace
    from lookback.operations.storage_health import Problem, Root
    from lookback.operations.storage_watch import StorageWatch

_GONE: Mapping[Root, str] = {
    "buffer": "The disk with the replay buffers does not work: nothing new can be kept until it does",
    "storage": "The disk with the clips does not work: no clip can be saved or played until it does",
}
# Without the numbers that the problem's own sentence has: those are others at every look, and a notice stays.
_STEADY = {"slow": " is slow", "clock": "'s files are dated by another clock"}
_TAKES_NOTHING = "The disk with the clips takes nothing new: no clip can be saved until it does"
_CAN_BE_READ = frozenset({"full", "read-only"})


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that people should know. `broken`: something they want does not work at all."""

    kind: Literal["space", "storage"]
    level: Literal["warning", "broken"]
    sentence: str


def notices(step: Step, problems: Iterable[Problem]) -> Iterator[Notice]:
    """Say what follows for everybody from how full the disks are and how they work, the worst first."""
    gone = {problem.root: problem.kind for problem in problems if problem.level is Level.GONE}
    for root, sentence in _GONE.items():
        if root in gone:
            plays = root == "storage" and gone[root] in _CAN_BE_READ
            yield Notice("storage", "broken", _TAKES_NOTHING if plays else sentence)
    if step is not Step.CALM:
        yield Notice("space", "broken" if step is Step.FEWER_SESSIONS else "warning", step.sentence)


def flaws(step: Step, problems: Iterable[Problem]) -> Iterator[Notice]:
    """Say what is not as it should be with disks that work, one notice for each."""
    for problem in problems:
        told_by_step = problem.kind == "full" and step is not Step.CALM
        if problem.level is Level.DEGRADED and not told_by_step:
            steady = _STEADY.get(problem.kind)
            yield Notice("storage", "warning", PLACES[problem.root] + steady if steady else problem.sentence)


@dataclass(frozen=True, slots=True)
class NoticeBoard:
    """What is to be said at any moment, from the last looks at the disks."""

    space: DiskSpace
    disks: StorageWatch

    def now(self, who: Principal) -> list[Notice]:
        """Return what there is to say to `who`; nothing is looked at for it."""
        told = list(notices(self.space.step, self.disks.problems))
        if who.allowed(Permission.MANAGE_REPLAY_LIMITS):
            told += flaws(self.space.step, self.disks.lasting)
        return told
