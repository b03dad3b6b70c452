from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.support.session_rows import START_US, a_row

import lookback
from lookback.media.gaps import Gap
from lookback.sessions.model import Session, SessionState
from lookback.sessions.next_steps import NEXT_STEPS, next_step
from lookback.sessions.story import ASKED, SessionEvent, human_time, story

SECOND = 1_000_000
SHARED = a_row(state=SessionState.RECORDING)


def event(after_s: float, kind: str, sentence: str, number: int = 1) -> SessionEvent:
    return SessionEvent(START_US + round(after_s * SECOND), kind, sentence, number)


def sentences(session: Session, *events: SessionEvent, gaps: list[Gap] | None = None) -> list[str]:
    return [event.sentence for event in story(session, events, gaps or []).events]


def test_it_says_how_long_the_first_picture_and_the_return_of_the_publisher_took() -> None:
    assert sentences(
        SHARED,
        event(0, "starting", ASKED, 1),
        event(0.7, "recording", "The first key frame is on disk", 2),
        event(60, "interrupted", "The publisher stopped sending", 3),
        event(64.2, "recording", "The first key frame is on disk", 4),
    ) == [
        ASKED,
        "The first key frame is on disk, after 0.7 s",
        "The publisher stopped sending",
        "The first key frame is on disk, after 4.2 s",
    ]


def test_gaps_are_told_where_they_happened() -> None:
    gap = Gap(START_US + 2 * SECOND, START_US + 3 * SECOND, "video", "loss")
    told = story(SHARED, [event(0, "starting", ASKED), event(9, "draining", "The share ended", 2)], [gap])
    assert [(e.kind, e.sentence) for e in told.events] == [
        ("starting", ASKED),
        ("gap", "No picture for 1.0 s: packets stayed lost on the way here"),
        ("draining", "The share ended"),
    ]


def test_what_is_older_than_its_events_is_told_from_its_row() -> None:
    failed = a_row(state=SessionState.FAILED, reason="It broke", ended_at_us=START_US)
    assert sentences(failed) == ["It was asked for", "It broke"]
    assert sentences(SHARED) == ["It was asked for", "It is being recorded"]


def test_what_is_kept_no_more_is_told_where_it_was_and_no_time_is_counted_across_it() -> None:
    told = story(
        SHARED,
        [
            event(0, "starting", ASKED, 1),
            event(1, "recording", "The first key frame is on disk", 2),
            event(60, "interrupted", "The publisher stopped sending", 3),
            event(900, "recording", "The first key frame is on disk", 34),
        ],
        [],
    )
    assert told.left_out == 30
    assert [(e.at_us - START_US, e.kind, e.sentence) for e in told.events[2:]] == [
        (60 * SECOND, "interrupted", "The publisher stopped sending"),
        (60 * SECOND, "left-out", "30 events after this are kept no more"),
        (900 * SECOND, "recording", "The first key frame is on disk"),
    ]


def test_of_a_session_whose_window_has_passed_it_says_what_to_do_about_its_end() -> None:
    expired = a_row(state=SessionState.EXPIRED, reason="Its window has passed")
    events = [
        event(0, "starting", ASKED, 1),
        event(60, "draining", "The publisher stopped sending", 2),
        event(900, "expired", "Its window has passed", 3),
    ]
    assert story(expired, events, []).next_step == next_step("The publisher stopped sending") is not None
    events[1] = event(60, "draining", "The share ended", 2)
    assert story(expired, events, []).next_step is None


def test_it_says_when_the_buffer_could_not_be_read() -> None:
    assert story(SHARED, [], []).gaps_known
    assert not story(SHARED, [], None).gaps_known


def test_a_failure_says_what_to_do() -> None:
    failed = a_row(state=SessionState.FAILED, reason="No picture came within 30 s: the publisher sent no key frame")
    assert "key frames" in (story(failed, [], []).next_step or "")
    assert next_step("Stopped by its user") is None


@pytest.mark.parametrize("beginning", [beginning for beginning, _ in NEXT_STEPS])
def test_every_cause_with_a_next_step_is_one_that_the_program_says(beginning: str) -> None:
    assert any(said.startswith(beginning) for said in _SAID)


@pytest.mark.parametrize(("us", "said"), [(0, "0.0 s"), (59_900_000, "59.9 s"), (90 * SECOND, "1 min 30 s")])
def test_durations_are_said_as_people_do(us: int, said: str) -> None:
    assert human_time(us) == said


def test_hours_are_said_without_seconds() -> None:
    assert human_time(3 * 3600 * SECOND + 125 * SECOND) == "3 h 2 min"


def _strings() -> set[str]:
    """Every sentence in the program, but for the causes that the next steps name."""
    files = [path for path in Path(lookback.__file__).parent.rglob("*.py") if path.name != "next_steps.py"]
    return {
        node.value
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


_SAID = _strings()
