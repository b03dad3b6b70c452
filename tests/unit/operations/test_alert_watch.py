"""What nobody says by itself is noticed: once when it begins, once when it is over."""

from __future__ import annotations

from lookback.operations.alert_watch import AWAY_US, LOOK_EVERY_S, MOST_STARTS, OVERDUE_US, SPAN_US, AlertWatch
from lookback.operations.alerts import Alert, Severity, space_alert
from lookback.operations.space import Step

SECOND = 1_000_000


class Worker:
    starts = 1
    connected = True


class Scene:
    """A worker, a time and a last clean-up, all to be set; `told` by the watch."""

    def __init__(self) -> None:
        self.now_us, self.cleaned_us = 1_000 * SECOND, None  # type: int, int | None
        self.worker, self.told = Worker(), list[Alert]()
        self.watch = AlertWatch(self.worker, lambda: self.cleaned_us, self.told.append, clock=lambda: self.now_us)

    def passes(self, us: int) -> None:
        for _ in range(max(1, us // round(LOOK_EVERY_S * SECOND))):
            self.now_us += round(LOOK_EVERY_S * SECOND)
            self.watch.look()

    @property
    def types(self) -> list[str]:
        return [alert.type for alert in self.told]


def test_a_recorder_that_ends_once_or_twice_is_nothing_to_be_told() -> None:
    scene = Scene()
    scene.worker.starts = MOST_STARTS
    scene.passes(SPAN_US)
    scene.worker.starts += MOST_STARTS
    scene.cleaned_us = scene.now_us
    scene.passes(SPAN_US)
    assert scene.types == []


def test_a_recorder_that_ends_again_and_again_is_told_once_and_when_it_lives() -> None:
    scene = Scene()
    scene.worker.starts = MOST_STARTS + 1
    scene.passes(30 * SECOND)
    scene.worker.starts += 1
    scene.passes(30 * SECOND)
    assert scene.types == ["recorder.failing"]
    assert scene.told[0].facts == {"starts": MOST_STARTS + 1}
    assert scene.told[0].severity is Severity.CRITICAL
    scene.passes(SPAN_US)
    assert scene.types == ["recorder.failing", "recorder.back"]


def test_a_recorder_that_does_not_come_is_told() -> None:
    scene = Scene()
    scene.worker.connected = False
    scene.passes(AWAY_US)
    assert scene.types == []
    scene.passes(5 * SECOND)
    scene.worker.connected = True
    scene.passes(5 * SECOND)
    assert scene.types == ["recorder.failing", "recorder.back"]


def test_a_clean_up_that_misses_three_turns_is_told_also_when_there_was_none() -> None:
    scene = Scene()
    scene.passes(OVERDUE_US)
    assert scene.types == []
    scene.passes(5 * SECOND)
    assert scene.types == ["cleanup.overdue"]
    assert scene.told[0].facts == {"lastAt": None}
    scene.cleaned_us = scene.now_us
    scene.passes(OVERDUE_US)
    assert scene.types == ["cleanup.overdue", "cleanup.back"]
    scene.passes(5 * SECOND)
    assert scene.types[2:] == ["cleanup.overdue"]
    assert scene.told[-1].facts["lastAt"]


def test_every_step_of_the_ladder_has_a_type_of_its_own() -> None:
    told = [space_alert(step, {"freeBytes": 1}) for step in Step]
    assert [alert.type for alert in told] == [
        "space.calm",
        "space.no-renditions",
        "space.small-captures",
        "space.shorter-windows",
        "space.fewer-sessions",
    ]
    assert [alert.severity.value for alert in told] == ["info", "warning", "warning", "critical", "critical"]
