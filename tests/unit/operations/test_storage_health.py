"""What is said of a disk, from what was seen of it."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from lookback.buffer.mounts import Mount
from lookback.operations.storage_health import CLOCK_US, SLOW_US, Level, RootFacts, judge, level_of, missing_nfs_options

GOOD_NFS = ("rw", "noatime", "vers=4.2", "rsize=1048576", "wsize=1048576", "hard")


def nfs(*options: str) -> Mount:
    return Mount("/mnt", "nfs4", "nas:/vol", options)


def test_a_disk_that_works_needs_no_words() -> None:
    assert judge(RootFacts("buffer", mount=nfs(*GOOD_NFS))) == ()
    assert level_of(()) is Level.OK


@pytest.mark.parametrize(
    ("seen", "kind", "level"),
    [
        ({"answered": False}, "silent", Level.GONE),
        ({"fault": errno.ENODEV}, "not-mounted", Level.GONE),
        ({"fault": errno.EROFS}, "read-only", Level.GONE),
        ({"fault": errno.ESTALE}, "stale", Level.GONE),
        ({"fault": errno.ENOSPC}, "full", Level.GONE),
        ({"fault": errno.EDQUOT}, "full", Level.GONE),
        ({"fault": errno.EACCES}, "forbidden", Level.GONE),
        ({"fault": errno.EIO}, "failing", Level.GONE),
        ({"inodes_free": 3}, "no-inodes", Level.GONE),
        ({"free_bytes": 1000}, "full", Level.DEGRADED),
        ({"took_us": SLOW_US + 1, "slowest": "fsync"}, "slow", Level.DEGRADED),
        ({"hard_links": False}, "no-hard-links", Level.DEGRADED),
        ({"ahead_us": -CLOCK_US - 1}, "clock", Level.DEGRADED),
        ({"mount": nfs("rw", "soft", "vers=3")}, "nfs-options", Level.DEGRADED),
    ],
)
def test_what_is_wrong_is_named(seen: dict[str, Any], kind: str, level: Level) -> None:
    (problem,) = judge(RootFacts("buffer", **seen))
    assert (problem.kind, problem.level) == (kind, level)
    assert problem.sentence.startswith("The buffer directory")


def test_the_worst_comes_first() -> None:
    problems = judge(RootFacts("storage", took_us=SLOW_US + 1, slowest="fsync", inodes_free=0))
    assert [problem.kind for problem in problems] == ["no-inodes", "slow"]
    assert level_of(problems) is Level.GONE


@pytest.mark.parametrize("lost", ["noatime", "vers=4.2", "rsize=1048576", "wsize=1048576", "hard"])
def test_every_option_that_an_nfs_mount_lacks_is_named(lost: str) -> None:
    missing = missing_nfs_options(nfs(*(option for option in GOOD_NFS if option != lost)))
    assert len(missing) == 1
    assert missing[0].removeprefix("nfs")[:4] == lost[:4]
    assert missing_nfs_options(nfs(*GOOD_NFS)) == []


def test_a_local_file_system_needs_no_options() -> None:
    assert missing_nfs_options(Mount("/", "ext4", "/dev/sda1", ("rw",))) == []
