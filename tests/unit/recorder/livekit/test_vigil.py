"""What is overdue, in time that a test makes pass."""

from __future__ import annotations

import pytest

from lookback.recorder.livekit.vigil import Vigil


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def look(vigil: Vigil, clock: Clock, seconds: float) -> None:
    clock.seconds += seconds
    vigil.look()


def test_a_ping_is_due_every_few_seconds(clock: Clock) -> None:
    vigil = Vigil(5, 15, clock)
    due = []
    for _ in range(12):
        look(vigil, clock, 1)
        due.append(vigil.ping_due())
    assert [second for second, is_due in enumerate(due, 1) if is_due] == [5, 10]


def test_a_server_that_does_not_say_how_often_is_pinged_too(clock: Clock) -> None:
    vigil = Vigil(0, 0, clock)
    look(vigil, clock, 5)
    assert vigil.ping_due()
    assert not vigil.pong_overdue


def test_a_socket_without_pongs_is_dead(clock: Clock) -> None:
    vigil = Vigil(5, 15, clock)
    look(vigil, clock, 14)
    vigil.ponged()
    look(vigil, clock, 14)
    assert not vigil.pong_overdue
    look(vigil, clock, 1)
    assert vigil.pong_overdue


def test_an_offer_may_wait_for_some_seconds(clock: Clock) -> None:
    vigil = Vigil(5, 15, clock)
    look(vigil, clock, 60)
    vigil.offered()
    look(vigil, clock, 7)
    assert not vigil.answer_overdue
    look(vigil, clock, 1)
    assert vigil.answer_overdue


def test_silence_asks_for_another_path_once_and_then_for_another_connection(clock: Clock) -> None:
    vigil = Vigil(5, 15, clock)
    vigil.heard(10)
    restarts, dead = [], []
    for second in range(1, 12):
        look(vigil, clock, 1)
        vigil.heard(10)
        restarts += [second] * vigil.restart_due
        dead += [second] * vigil.dead
    assert restarts == [4]
    assert dead == [9, 10, 11]


def test_whoever_is_heard_again_is_not_dead(clock: Clock) -> None:
    vigil = Vigil(5, 15, clock)
    vigil.heard(10)
    look(vigil, clock, 5)
    vigil.heard(10)
    assert vigil.restart_due
    look(vigil, clock, 3)
    vigil.heard(11)
    look(vigil, clock, 3)
    vigil.heard(11)
    assert not vigil.dead
    assert not vigil.restart_due
    look(vigil, clock, 1)
    vigil.heard(11)
    assert vigil.restart_due  # another silence, another try


def test_silence_before_there_is_a_connection_is_none(clock: Clock) -> None:
    vigil = Vigil(5, 15, clock)
    look(vigil, clock, 60)
    vigil.heard(None)
    assert not vigil.dead
    assert not vigil.restart_due
