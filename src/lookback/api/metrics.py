"""Every metric there is, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric

    from lookback.recorder.control import SessionStats, WorkerStatus

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 3, 10)

# Name, what it counts, and the counter of each session that it adds up.
_TOTALS: tuple[tuple[str, str, Callable[[SessionStats], int]], ...] = (
    ("lookback_recorder_written_bytes", "Bytes written to the buffer", lambda s: s.bytes_written),
    ("lookback_recorder_video_frames", "Pictures received", lambda s: s.video_frames),
    ("lookback_recorder_audio_frames", "Sound packets received", lambda s: s.audio_frames),
    ("lookback_recorder_packets", "RTP packets received", lambda s: s.packets),
    ("lookback_recorder_packets_lost", "RTP packets given up for lost", lambda s: s.packets_lost),
    ("lookback_recorder_nacks", "Packets asked for again", lambda s: s.nacks_sent),
    ("lookback_recorder_retransmissions", "Packets that came again", lambda s: s.retransmissions),
    ("lookback_recorder_key_frame_requests", "Key frames asked for", lambda s: s.key_frame_requests),
)


class RecorderMetrics(Collector):
    """What the recorder said last about itself: sums over its running sessions, so they fall when one ends."""

    def __init__(self, status: Callable[[], WorkerStatus | None]) -> None:
        self._status = status

    def describe(self) -> list[Metric]:
        """Nothing: names are fixed below, and nobody else uses their prefix."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield everything, or nothing while there is no recorder."""
        status = self._status()
        if status is None:
            return
        yield GaugeMetricFamily("lookback_recorder_sessions", "Sessions of the recorder", len(status.sessions))
        yield GaugeMetricFamily("lookback_recorder_resident_bytes", "Memory of the recorder", status.rss_bytes)
        yield CounterMetricFamily("lookback_recorder_cpu_seconds", "CPU time of the recorder", status.cpu_seconds)
        for name, meaning, count in _TOTALS:
            yield GaugeMetricFamily(name, meaning, sum(map(count, status.sessions)))


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
