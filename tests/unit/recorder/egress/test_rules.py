from __future__ import annotations

import pytest

from lookback.recorder.egress import rules
from lookback.recorder.egress.rules import Progress, following_name, over, trouble

SECOND = 1_000_000
TEN = 10 * SECOND


def test_it_goes_on_while_files_come() -> None:
    assert over(Progress(heard_us=0, any_file=True), TEN, now_us=44 * SECOND) is None


def test_a_playlist_that_ends_ends_it() -> None:
    assert over(Progress(heard_us=0, ended=True), TEN, now_us=1) == rules.ENDED


def test_three_files_that_do_not_come_end_it_whatever_livekit_says() -> None:
    assert over(Progress(heard_us=0, any_file=True), TEN, now_us=46 * SECOND) == rules.SILENT.format(seconds=46)


def test_the_first_file_may_take_a_minute() -> None:
    assert over(Progress(heard_us=0), TEN, now_us=59 * SECOND) is None
    assert over(Progress(heard_us=0), TEN, now_us=61 * SECOND) is not None


def test_an_egress_that_is_stopped_has_time_for_its_last_file() -> None:
    stopping = Progress(heard_us=0, any_file=True, finishing_us=5 * SECOND)
    assert over(stopping, TEN, now_us=19 * SECOND) is None
    assert over(stopping, TEN, now_us=21 * SECOND) == rules.LEFT_OPEN


def test_each_file_that_comes_meanwhile_gives_it_more_time() -> None:
    stopping = Progress(heard_us=18 * SECOND, any_file=True, finishing_us=5 * SECOND)
    assert over(stopping, TEN, now_us=30 * SECOND) is None


@pytest.mark.parametrize(
    ("still", "silent_us", "audio", "said"),
    [
        (False, 0, True, None),
        (True, 0, True, None),  # a screen that stands still, with its sound
        (False, 4 * SECOND, True, None),
        (False, 6 * SECOND, True, rules.NO_SOUND),
        (True, TEN, True, rules.STARVED),
        (True, TEN, False, None),  # nobody agreed on sound
    ],
)
def test_what_is_said_of_a_file(still: bool, silent_us: int, audio: bool, said: str | None) -> None:
    assert trouble(audio=audio, still=still, silent_us=silent_us, length_us=TEN) == said


@pytest.mark.parametrize(
    ("name", "following"),
    [("seg_00002.ts", "seg_00003.ts"), ("seg_99999.ts", "seg_100000.ts"), ("a1b09.ts", "a1b10.ts"), ("last.ts", None)],
)
def test_the_name_of_the_file_after(name: str, following: str | None) -> None:
    assert following_name(name) == following
