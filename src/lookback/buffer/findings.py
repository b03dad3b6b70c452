"""What a check finds: values, whichever part of an installation they are about, and when repairing them is too much."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import structlog

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

log = structlog.get_logger(__name__)

Population = Literal["clips", "sessions"]


class Mend(StrEnum):
    """What repair does about a finding."""

    DELETE = "delete"  # bytes, or a row, that nothing which was saved needs
    MAKE_ROW = "make-row"  # from what the directory itself says
    SET = "set"  # a row, a sum or a record to what is true
    CUT = "cut"  # what was never committed off the end of a file
    SET_ASIDE = "set-aside"  # under another name, for somebody to look at
    NOTHING = "nothing"  # it would be a guess


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding. `code` is stable; `sentence` is what is wrong, `does` what repair does, or why nothing.

    `of`: it is among these; repair leaves this kind alone when it is more than half of them.
    """

    code: str
    about: Literal["clip", "pins", "session", "user", "file"]
    sentence: str
    mend: Mend = Mend.NOTHING
    does: str = "nothing"
    of: Population | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree. `subject` is an id, or the name of a directory; `detail` what exactly is wrong."""

    of: Kind
    subject: str
    detail: str = ""

    @property
    def kind(self) -> str:
        """The stable code."""
        return self.of.code

    @property
    def sentence(self) -> str:
        """What is wrong, for people."""
        exactly = f" ({self.detail})" if self.detail else ""
        return f"{self.of.about} {self.subject}: {self.of.sentence}{exactly}"


@dataclass(slots=True)
class Inspection:
    """One look at everything: what was found, of how many, and what is to be mended on the way.

    `deep`: all bytes are read. `spared`: codes of kinds that are left as they are.
    """

    repair: bool = False
    deep: bool = False
    spared: Collection[str] = ()
    found: list[Finding] = field(default_factory=list)
    population: Counter[Population] = field(default_factory=Counter)

    def mends(self, kind: Kind, subject: str, detail: str = "") -> bool:
        """Note a finding; return whether to mend it."""
        self.found.append(Finding(kind, subject, detail))
        mends = self.repair and kind.mend is not Mend.NOTHING and kind.code not in self.spared
        log.warning("check.found", kind=kind.code, subject=subject, detail=detail, mended=mends)
        return mends


def too_much(found: Sequence[Finding], population: Mapping[Population, int]) -> dict[str, str]:
    """The kinds that repair must leave alone unless somebody says yes, and why.

    Where more than half of everything looks like rubbish, it is more likely that something else is wrong: a disk that
    is not mounted, a database that was restored from another day.
    """
    counts = Counter(finding.of for finding in found if finding.of.of is not None)
    return {
        kind.code: f"{count} of {population[kind.of]} {kind.of} are more than half: look whether a disk is not mounted "
        "or the database is not the one that belongs here, and say --yes if that is not it"
        for kind, count in counts.items()
        if kind.of is not None and 2 * count > population[kind.of]
    }
