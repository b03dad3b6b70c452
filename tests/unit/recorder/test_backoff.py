from __future__ import annotations

from lookback.recorder.backoff import Backoff


def test_delays_double_up_to_a_limit() -> None:
    backoff = Backoff(0.2, 10.0, 60.0)
    assert [backoff.after(1.0) for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_healthy_life_is_forgiven() -> None:
    backoff = Backoff(0.2, 10.0, 60.0)
    for _ in range(5):
        backoff.after(1.0)
    assert backoff.after(60.0) == 0.2
    assert backoff.after(1.0) == 0.4
