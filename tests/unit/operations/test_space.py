from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookback.operations.space import CALM_US, Disk, Ladder, Step, floor_of, largest_capture, largest_file

SECOND = 1_000_000
GIB = 1024**3
FLOOR = 1000


def a_disk(free: int) -> Disk:
    return Disk(free, 100_000, FLOOR)


def stepping(
    *free: int, exhausted: bool = False, every_us: int = SECOND, highest: Step = Step.FEWER_SESSIONS
) -> list[Step]:
    """The steps after looking at a disk with so much free, once a second."""
    ladder, steps = Ladder(highest), []
    for number, free_bytes in enumerate(free):
        ladder = ladder.after(a_disk(free_bytes), number * every_us, exhausted=exhausted)
        steps.append(ladder.step)
    return steps


@pytest.mark.parametrize(
    ("free", "step"),
    [
        (2000, Step.CALM),
        (1999, Step.NO_RENDITIONS),
        (1500, Step.NO_RENDITIONS),
        (1499, Step.SMALL_CAPTURES),
        (1000, Step.SMALL_CAPTURES),
        (999, Step.SHORTER_WINDOWS),
        (0, Step.SHORTER_WINDOWS),
    ],
)
def test_every_step_has_its_bound(free: int, step: Step) -> None:
    assert stepping(free) == [step]


@pytest.mark.parametrize(
    ("free", "step"), [(500, Step.SHORTER_WINDOWS), (499, Step.FEWER_SESSIONS), (0, Step.FEWER_SESSIONS)]
)
def test_sessions_pause_only_when_no_window_can_be_shortened_any_more(free: int, step: Step) -> None:
    assert stepping(free, exhausted=True) == [step]
    assert stepping(free) == [Step.SHORTER_WINDOWS]


def test_a_disk_that_fills_slowly_is_climbed_step_by_step() -> None:
    assert stepping(3000, 1900, 1400, 900, 400, exhausted=True) == list(Step)


def test_a_step_is_left_only_after_a_while_with_clearly_more_room() -> None:
    assert stepping(999, 1100, 1199, 1199, 1199, 1199) == [Step.SHORTER_WINDOWS] * 6
    assert stepping(999, 1200, 1200, 1200, 1200) == [*[Step.SHORTER_WINDOWS] * 4, Step.SMALL_CAPTURES]


def test_a_moment_with_less_room_begins_the_while_anew() -> None:
    assert stepping(999, 1200, 1200, 1100, 1200, 1200, 1200) == [Step.SHORTER_WINDOWS] * 7


def test_when_space_is_back_everything_is_left_at_once() -> None:
    assert stepping(0, 9000, 9000, 9000, 9000, exhausted=True)[-2:] == [Step.FEWER_SESSIONS, Step.CALM]


def test_room_for_the_windows_lets_sessions_go_on_but_shortens_what_is_kept() -> None:
    assert stepping(400, 1000, 1000, 1000, 1000, exhausted=True)[-1] is Step.SHORTER_WINDOWS


def test_a_step_that_would_not_help_is_not_climbed() -> None:
    assert stepping(0, exhausted=True, highest=Step.SMALL_CAPTURES) == [Step.SMALL_CAPTURES]


def test_without_a_floor_nothing_happens() -> None:
    assert Ladder().after(Disk(0, 100, 0), 0, exhausted=True).step is Step.CALM


def test_the_instant_of_the_last_step_is_kept() -> None:
    ladder = Ladder().after(a_disk(1900), 5).after(a_disk(1900), 6)
    assert (ladder.step, ladder.since_us) == (Step.NO_RENDITIONS, 5)


@given(st.lists(st.tuples(st.integers(0, 3000), st.booleans()), min_size=1), st.integers(1, 5 * SECOND))
def test_no_step_lower_than_what_is_free_asks_for_and_none_left_before_its_time(
    looks: list[tuple[int, bool]], every_us: int
) -> None:
    ladder, now_us = Ladder(), 0
    for free, exhausted in looks:
        before, ladder = ladder, ladder.after(a_disk(free), now_us, exhausted=exhausted)
        assert ladder.step >= Ladder().after(a_disk(free), now_us, exhausted=exhausted).step
        if ladder.step < before.step:
            assert before.better_us is not None
            assert now_us - before.better_us >= CALM_US
        now_us += every_us


@given(st.integers(0, 3000))
def test_what_is_freed_by_shortening_does_not_end_it(free: int) -> None:
    disk = a_disk(free)
    freed = disk._replace(free_bytes=free + disk.missing_bytes)
    ladder = Ladder().after(disk, 0)
    if ladder.step is Step.SHORTER_WINDOWS:
        assert disk.missing_bytes > 0
        assert ladder.after(freed, SECOND).after(freed, SECOND + CALM_US).step is Step.SHORTER_WINDOWS


def test_by_default_a_twentieth_of_the_disk_stays_free_but_never_more_than_two_gigabytes() -> None:
    assert floor_of(10 * GIB, None) == GIB // 2
    assert floor_of(400 * GIB, None) == 2 * GIB
    assert floor_of(400 * GIB, 20 * GIB) == 20 * GIB
    assert floor_of(400 * GIB, 0) == 0


def test_captures_are_of_any_size_until_only_small_ones_are_saved() -> None:
    assert largest_capture(Step.NO_RENDITIONS, a_disk(1600)) is None
    assert largest_capture(Step.SMALL_CAPTURES, a_disk(1400)) == 175
    assert largest_capture(Step.FEWER_SESSIONS, a_disk(0)) == 0


def test_a_clip_gets_its_file_when_the_floor_stays_free() -> None:
    assert largest_file(Step.CALM, a_disk(5000)) == 4000
    assert largest_file(Step.SMALL_CAPTURES, a_disk(1400)) == 175
    assert largest_file(Step.CALM, Disk(10, 100, 20)) == 0


def test_steps_have_words_and_sentences() -> None:
    assert [step.word for step in Step] == [
        "calm",
        "no-renditions",
        "small-captures",
        "shorter-windows",
        "fewer-sessions",
    ]
    assert len({step.sentence for step in Step}) == 5
