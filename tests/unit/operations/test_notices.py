from __future__ import annotations

import pytest

from lookback.operations.notices import Notice, flaws, notices
from lookback.operations.space import Step
from lookback.operations.storage_health import Level, Problem, Root, RootFacts, judge


def problem(root: Root, level: Level, kind: str = "failing") -> Problem:
    return Problem(root=root, kind=kind, level=level, sentence="/secret/path is not there")


def test_when_all_is_well_there_is_nothing_to_say() -> None:
    assert list(notices(Step.CALM, [])) == []


@pytest.mark.parametrize("step", [step for step in Step if step is not Step.CALM])
def test_every_step_of_the_ladder_is_told(step: Step) -> None:
    (notice,) = notices(step, [])
    assert (notice.kind, notice.sentence) == ("space", step.sentence)
    assert notice.level == ("broken" if step is Step.FEWER_SESSIONS else "warning")


def test_a_disk_that_is_gone_is_told_first_and_without_its_inside() -> None:
    told = list(
        notices(Step.NO_RENDITIONS, [problem("storage", Level.GONE), problem("buffer", Level.GONE)]),
    )
    assert [(notice.kind, notice.level) for notice in told] == [
        ("storage", "broken"),
        ("storage", "broken"),
        ("space", "warning"),
    ]
    assert "/" not in "".join(notice.sentence for notice in told)


def test_what_is_merely_degraded_is_for_those_who_look_after_it() -> None:
    degraded, gone = problem("buffer", Level.DEGRADED), problem("storage", Level.GONE)
    assert list(notices(Step.CALM, [degraded])) == []
    assert list(flaws(Step.CALM, [degraded, gone])) == [Notice("storage", "warning", degraded.sentence)]


def test_a_notice_about_a_slow_disk_or_another_clock_stays_the_same() -> None:
    told = [
        [notice.sentence for notice in flaws(Step.CALM, judge(facts))]
        for facts in (
            RootFacts("buffer", took_us=1_300_000, slowest="fsync", ahead_us=3_000_000),
            RootFacts("buffer", took_us=2_900_000, slowest="rename", ahead_us=4_000_000),
        )
    ]
    assert told == [["The buffer directory is slow", "The buffer directory's files are dated by another clock"]] * 2


def test_of_a_disk_that_is_nearly_full_the_ladder_tells_once_it_has_a_step() -> None:
    full = judge(RootFacts("buffer", free_bytes=1000))
    assert [notice.sentence for notice in flaws(Step.CALM, full)] == ["The buffer directory's disk is nearly full"]
    assert list(flaws(Step.NO_RENDITIONS, full)) == []


@pytest.mark.parametrize(("kind", "plays"), [("read-only", True), ("full", True), ("not-mounted", False)])
def test_clips_play_from_a_disk_that_can_only_be_read(kind: str, *, plays: bool) -> None:
    (notice,) = notices(Step.CALM, [problem("storage", Level.GONE, kind)])
    assert ("played" not in notice.sentence) is plays
