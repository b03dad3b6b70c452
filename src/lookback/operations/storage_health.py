"""How the two roots are: what was seen of their disks, and what is to be said of it. Gathering is `storage_probe`'s."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lookback.buffer.mounts import Mount

Root = Literal["buffer", "storage"]
PLACES: dict[Root, str] = {"buffer": "The buffer directory", "storage": "The clip directory"}

SLOW_US = 1_000_000
"""A small file that takes so long: fragments come twice a second."""
CLOCK_US = 2_000_000
LEAST_BYTES = 16 * 1024**2
"""Less than half a minute of one stream."""
_LEAST_INODES = 64
SILENT = "silent"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    DEGRADED = "degraded"  # it works, but not as it should
    GONE = "gone"  # nothing can be kept there


@dataclass(frozen=True, slots=True)
class RootFacts:
    """What a small file showed that was written, synced, renamed, read back, linked and deleted.

    `answered`: whether all that came to an end in time. `fault`: errno of what did not work, 0 when all did.
    `ahead_us`: how far the file's time is ahead of the clock. `inodes_free` is None where they are not counted.
    `reflinks`: whether copies can share their bytes. `slowest`: the step that took longest, of `took_us` in all.
    """

    root: Root
    answered: bool = True
    fault: int = 0
    took_us: int = 0
    slowest: str = ""
    free_bytes: int = 1 << 60
    inodes_free: int | None = None
    hard_links: bool = True
    reflinks: bool = False
    ahead_us: int = 0
    mount: Mount | None = None


class Problem(NamedTuple):
    """Something that is wrong with a root.

    Kinds: silent, not-mounted, read-only, forbidden, full, stale, failing, no-inodes, no-hard-links, slow, clock,
    nfs-options.
    """

    root: Root
    kind: str
    level: Level
    sentence: str


def judge(facts: RootFacts) -> tuple[Problem, ...]:
    """Return what is wrong, the worst first."""
    place = PLACES[facts.root]
    if not facts.answered:
        return (Problem(facts.root, SILENT, Level.GONE, f"{place}'s disk does not answer"),)
    if facts.fault:
        return (_fault(facts),)
    found = [Problem(facts.root, kind, level, f"{place}{sentence}") for kind, level, sentence in _flaws(facts)]
    return tuple(sorted(found, key=lambda problem: problem.level is not Level.GONE))


def level_of(problems: Iterable[Problem]) -> Level:
    """The level of the worst of them."""
    return max((problem.level for problem in problems), key=list(Level).index, default=Level.OK)


def missing_nfs_options(mount: Mount) -> list[str]:
    """Return the mount options that a network file system should have here and has not; nothing for local ones."""
    if not mount.kind.startswith("nfs"):
        return []
    options = dict(option.partition("=")[::2] for option in mount.options)
    version = options.get("vers") or options.get("nfsvers") or "3"
    wanted = {
        "hard": "hard" in options,
        "nfsvers>=4.1": _number(version) >= (4, 1),
        "rsize": _number(options.get("rsize", "0")) >= (65_536,),
        "wsize": _number(options.get("wsize", "0")) >= (65_536,),
        "noatime": "noatime" in options,
    }
    return [name for name, there in wanted.items() if not there]


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


def _fault(facts: RootFacts) -> Problem:
    place, fault = PLACES[facts.root], facts.fault
    kind, sentence = "failing", f" cannot be written: {os.strerror(fault)}"
    if fault == errno.ENODEV:
        kind, sentence = "not-mounted", "'s disk is not mounted"
    elif fault == errno.EROFS:
        kind = "read-only"
    elif fault == errno.ESTALE:
        kind, sentence = "stale", "'s network mount is stale"
    elif fault in FULL:
        kind, sentence = "full", "'s disk is full"
    elif fault in FORBIDDEN:
        kind = "forbidden"
    return Problem(facts.root, kind, Level.GONE, place + sentence)


def _flaws(facts: RootFacts) -> Iterator[tuple[str, Level, str]]:
    if facts.free_bytes < LEAST_BYTES:
        yield "full", Level.DEGRADED, "'s disk is nearly full"  # what follows from that is the ladder's
    if facts.inodes_free is not None and facts.inodes_free < _LEAST_INODES:
        yield "no-inodes", Level.GONE, f"'s disk has room for {facts.inodes_free} more files"
    if facts.took_us > SLOW_US:
        yield (
            "slow",
            Level.DEGRADED,
            f" takes {facts.took_us / 1e6:.1f} s for a small file, most of it to {facts.slowest}",
        )
    if not facts.hard_links and facts.root == "buffer":
        yield "no-hard-links", Level.DEGRADED, "'s file system has no hard links: every capture copies"
    if abs(facts.ahead_us) > CLOCK_US:
        where = "ahead of" if facts.ahead_us > 0 else "behind"
        yield "clock", Level.DEGRADED, f"'s files are dated {abs(facts.ahead_us) / 1e6:.0f} s {where} the clock"
    if facts.mount is not None and (missing := missing_nfs_options(facts.mount)):
        yield "nfs-options", Level.DEGRADED, f" is mounted over NFS without {', '.join(missing)}"
