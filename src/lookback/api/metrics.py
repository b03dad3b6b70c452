"""Every metric there is, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 3, 10)


class Metrics:
    """The counters of one application; two applications in one process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lookback_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "lookback_http_request_seconds", "Time to answer", ["route"], registry=self.registry, buckets=_SECONDS
        )
        self.sessions = Gauge("lookback_sessions", "Sessions by state", ["state"], registry=self.registry)
        self.recorder_up = Gauge("lookback_recorder_up", "Whether the recorder is connected", registry=self.registry)

    def watch(self, recorder_up: Callable[[], bool], sessions: Mapping[str, Callable[[], int]]) -> None:
        """Ask these whenever somebody looks: whether the recorder is connected, how many sessions are in a state."""
        self.recorder_up.set_function(recorder_up)
        for state, count in sessions.items():
            self.sessions.labels(state).set_function(count)

    def request(self, method: str, route: str, status: int, took_seconds: float) -> None:
        """Count a request by the pattern of its address."""
        self.requests.labels(method, route, status).inc()
        self.request_seconds.labels(route).observe(took_seconds)

    def text(self) -> bytes:
        """Write everything in the text format of Prometheus."""
        return generate_latest(self.registry)
