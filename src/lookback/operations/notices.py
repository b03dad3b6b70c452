"""What everybody should know of how the installation is: sentences with nothing of its inside in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.operations.space import Step
from lookback.operations.storage_health import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lookback.operations.disk_space import DiskSpace
    from lookback.operations.storage_health import Problem, Root
    from lookback.operations.storage_watch import StorageWatch

_GONE: Mapping[Root, str] = {
    "buffer": "The disk with the replay buffers does not work: nothing new can be kept until it does",
    "storage": "The disk with the clips does not work: no clip can be saved or played until it does",
}
_TAKES_NOTHING = "The disk with the clips takes nothing new: no clip can be saved until it does"
_CAN_BE_READ = frozenset({"full", "read-only"})


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that people will notice. `broken`: something they want does not work at all."""

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


@dataclass(frozen=True, slots=True)
class NoticeBoard:
    """What is to be said at any moment, from the last looks at the disks."""

    space: DiskSpace
    disks: StorageWatch

    def now(self) -> list[Notice]:
        """Return what there is to say; nothing is looked at for it."""
        return list(notices(self.space.step, self.disks.problems))
