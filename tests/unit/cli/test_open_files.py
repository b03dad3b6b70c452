"""The limit of open files is raised, in a process of its own: it holds for the whole process."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
from lookback.cli.open_files import allow_many_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(allow_many_open_files(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def _limits(soft: int, hard: int) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(soft=soft, hard=hard)], capture_output=True, text=True, check=True
    )
    return [int(word) for word in done.stdout.splitlines()[-1].split()]


def test_the_soft_limit_is_raised_as_far_as_the_hard_one_allows() -> None:
    assert _limits(256, 2048) == [2048, 2048, 2048]


def test_a_limit_that_is_high_enough_stays() -> None:
    assert _limits(2048, 2048) == [2048, 2048, 2048]
