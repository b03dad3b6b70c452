from __future__ import annotations

from typing import Any

from lookback.recorder.control import SessionMoved
from lookback.recorder.moves import LastMoves


def moved(session_id: str, to: Any, at_us: int = 1) -> SessionMoved:
    return SessionMoved(session_id=session_id, to=to, cause="", at_us=at_us)


def test_the_last_move_of_each_session_is_kept_in_order() -> None:
    moves = LastMoves()
    for move in (moved("a", "recording"), moved("b", "recording"), moved("a", "interrupted", 2)):
        moves.add(move)
    assert [(m.session_id, m.to) for m in moves] == [("b", "recording"), ("a", "interrupted")]


def test_a_storage_fault_does_not_hide_the_state() -> None:
    moves = LastMoves()
    moves.add(moved("a", "recording"))
    moves.add(moved("a", "storage-failing"))
    assert [m.to for m in moves] == ["recording"]


def test_sessions_that_are_over_are_forgotten_some_day_and_others_never() -> None:
    moves = LastMoves()
    moves.add(moved("alive", "interrupted"))
    for number in range(1000):
        moves.add(moved(f"over-{number}", "stopped"))
    kept = {m.session_id for m in moves}
    assert "alive" in kept
    assert "over-999" in kept
    assert len(kept) < 300
