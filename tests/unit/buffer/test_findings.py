"""What is mended of what is found, and when that is too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookback.bootstrap.checking import LEFTOVER_PROBE
from lookback.buffer.findings import Finding, Inspection, Kind, Mend, too_much
from lookback.clips.findings import CLIP_KINDS
from lookback.sessions.findings import SESSION_KINDS

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "troubleshooting.md"

DELETED = Kind("litter", "clip", "it is litter", Mend.DELETE, "deletes it", "clips")
COUNTED = Kind("sum", "user", "the sum is wrong", Mend.SET, "counts again")
LEFT = Kind("riddle", "clip", "nobody knows")


@pytest.mark.parametrize(
    ("kind", "inspection", "mended"),
    [
        (DELETED, Inspection(repair=True), True),
        (DELETED, Inspection(), False),
        (DELETED, Inspection(repair=True, spared={"litter"}), False),
        (COUNTED, Inspection(repair=True, spared={"litter"}), True),
        (LEFT, Inspection(repair=True), False),
    ],
)
def test_only_what_may_be_mended_is(kind: Kind, inspection: Inspection, mended: bool) -> None:
    assert inspection.mends(kind, "x", "exactly") is mended
    assert inspection.found == [Finding(kind, "x", "exactly")]


@pytest.mark.parametrize(
    ("litter", "clips", "refused"),
    [(0, 0, False), (1, 1, True), (1, 2, False), (2, 3, True), (5, 10, False), (6, 10, True), (10, 10, True)],
)
def test_more_than_half_is_too_much(litter: int, clips: int, refused: bool) -> None:
    found = [Finding(DELETED, str(number)) for number in range(litter)]
    assert list(too_much(found, {"clips": clips})) == (["litter"] if refused else [])


def test_what_loses_nothing_is_never_too_much() -> None:
    assert too_much([Finding(COUNTED, "alice"), Finding(LEFT, "c1")], {"clips": 1}) == {}


def test_why_is_said_with_the_numbers() -> None:
    found = [Finding(DELETED, "a"), Finding(DELETED, "b")]
    assert too_much(found, {"clips": 3})["litter"].startswith("2 of 3 clips are more than half")


def test_a_finding_is_a_sentence() -> None:
    assert Finding(DELETED, "c1").sentence == "clip c1: it is litter"
    assert Finding(DELETED, "c1", "3 files").sentence == "clip c1: it is litter (3 files)"


def test_every_kind_has_its_line_in_the_guide() -> None:
    lines = [line.strip("| ").split(" | ") for line in GUIDE.read_text().splitlines() if line.startswith("| `")]
    kinds = (*CLIP_KINDS, *SESSION_KINDS, LEFTOVER_PROBE)
    assert lines == [[f"`{kind.code}`" + " *" * (kind.of is not None), kind.sentence, kind.does] for kind in kinds]


def test_no_two_kinds_have_one_name() -> None:
    kinds = (*CLIP_KINDS, *SESSION_KINDS, LEFTOVER_PROBE)
    assert len({kind.code for kind in kinds}) == len(kinds)
