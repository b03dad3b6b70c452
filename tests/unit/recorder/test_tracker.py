from __future__ import annotations

from typing import Any

import pytest
from tests.support.sessions import a_session

from lookback.recorder.control import AcceptWhip, SessionMoved, StartSynthetic, StopSession
from lookback.recorder.tracker import LOST_CAUSE, SessionTracker


def moved(session_id: str, to: Any) -> SessionMoved:
    return SessionMoved(session_id=session_id, to=to, cause="", at_us=1)


def lost(tracker: SessionTracker, *known: str) -> list[str]:
    return [move.session_id for move in tracker.lost(9, except_for=known)]


def test_a_recorded_session_is_interrupted_by_its_recorders_death() -> None:
    tracker = SessionTracker()
    tracker.saw(moved("s", "recording"))
    assert tracker.lost(9) == [SessionMoved(session_id="s", to="interrupted", cause=LOST_CAUSE, at_us=9)]
    assert tracker.lost(10) == []


@pytest.mark.parametrize("end", ["interrupted", "failed", "stopped"])
def test_a_session_that_had_ended_before_is_not(end: str) -> None:
    tracker = SessionTracker()
    tracker.saw(moved("s", "recording"))
    tracker.saw(moved("s", end))
    assert lost(tracker) == []


def test_a_storage_fault_is_no_end() -> None:
    tracker = SessionTracker()
    tracker.saw(moved("s", "recording"))
    tracker.saw(moved("s", "storage-failing"))
    assert lost(tracker) == ["s"]


def test_a_session_that_was_just_asked_for_is_lost_too() -> None:
    tracker = SessionTracker()
    tracker.asked(StartSynthetic(session=a_session("s")))
    assert lost(tracker) == ["s"]


def test_a_refused_start_loses_nothing() -> None:
    tracker = SessionTracker()
    request = AcceptWhip(session=a_session("s"), offer="")
    tracker.asked(request)
    tracker.refused(request)
    assert lost(tracker) == []


def test_a_refused_continuation_leaves_the_running_recording() -> None:
    tracker = SessionTracker()
    tracker.saw(moved("s", "recording"))
    request = AcceptWhip(session=a_session("s"), offer="")
    tracker.asked(request)
    tracker.refused(request)
    assert lost(tracker) == ["s"]


def test_a_stopped_session_is_nobodys_loss() -> None:
    tracker = SessionTracker()
    tracker.saw(moved("s", "recording"))
    tracker.asked(StopSession(session_id="s", cause=""))
    assert lost(tracker) == []


def test_what_the_next_recorder_knows_is_not_lost() -> None:
    tracker = SessionTracker()
    for session_id in ("a", "b", "c"):
        tracker.saw(moved(session_id, "recording"))
    assert lost(tracker, "b") == ["a", "c"]
    assert lost(tracker) == ["b"]
