"""What figures are made of."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

from bench.__main__ import NAMES
from bench.figures import Report, spread
from bench.lives import DISASTERS, MOVES, Mode, agrees, script
from bench.machine import commit, machine

ROOT = Path(__file__).resolve().parents[2]


def test_a_spread_consists_of_values_that_were_seen() -> None:
    found = spread([float(value) for value in range(1, 21)])
    assert found == {"median": 10.5, "p95": 19.0, "min": 1.0, "max": 20.0, "n": 20}
    assert spread([3.0]) == {"median": 3.0, "p95": 3.0, "min": 3.0, "max": 3.0, "n": 1}


def test_a_missed_bar_is_said_beside_its_figure() -> None:
    report = Report()
    report.at_most("one", 5.1, 5, "ms")
    report.at_least("two", 200, 200, "times")
    assert [(bar["bar"], bar["met"]) for bar in report.as_json()["bars"]] == [
        ("<= 5 ms", False),
        (">= 200 times", True),
    ]


def test_the_document_says_where_it_comes_from() -> None:
    assert len(commit()["id"]) in {0, 40}
    described = machine(ROOT)
    assert described["cores"] > 0
    assert described["fileSystem"]


def test_every_benchmark_can_be_listed() -> None:
    command = [sys.executable, "-m", "bench", "--list"]
    path = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | path, check=True, capture_output=True, text=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(NAMES)


def test_random_life_is_the_same_for_the_same_seed_and_makes_only_moves_that_are_possible() -> None:
    turns = list(islice(script(random.Random(7), 3), 500))
    assert turns == list(islice(script(random.Random(7), 3), 500))
    assert {turn.move for turn in turns if turn.who is None} == set(DISASTERS)
    modes = [Mode.AWAY] * 3
    for turn in turns:
        if turn.who is not None:
            modes[turn.who] = MOVES[modes[turn.who]][turn.move]


def test_a_share_that_is_shown_must_be_recorded_and_one_that_is_gone_must_not() -> None:
    assert agrees("shown", "recording")
    assert not agrees("shown", "interrupted")
    assert not agrees("shown", None)
    assert agrees("muted", "interrupted")
    assert not agrees("muted", "draining")
    assert agrees(None, None)
    assert agrees(None, "draining")
    assert not agrees(None, "interrupted")
