"""Every metric there is, by name. Base units, `_total` for what only grows, no label that strangers can choose."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from lookback.clips.stopwatch import work_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client import Metric

    from lookback.clips.stopwatch import Step
    from lookback.operations.figures import Figures, Stored
    from lookback.recorder.control import WorkerStatus
    from lookback.recorder.totals import Totals

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 3, 10)
_ONLY_WORKER = "1"

# Name, what it counts, the field of recorder.totals that it is, and how many of those make one unit.
_TOTALS: tuple[tuple[str, str, str, float], ...] = (
    ("lookback_recorder_written_bytes", "Bytes written to the buffer", "bytes_written", 1),
    ("lookback_gap_seconds", "Time of sessions that is missing in their buffers", "gap_us", 1e6),
    ("lookback_recorder_video_frames", "Pictures received", "video_frames", 1),
    ("lookback_recorder_audio_frames", "Sound packets received", "audio_frames", 1),
    ("lookback_recorder_packets", "RTP packets received", "packets", 1),
    ("lookback_recorder_packets_lost", "RTP packets given up for lost", "packets_lost", 1),
    ("lookback_recorder_packets_recovered", "RTP packets that came when asked for again", "retransmissions", 1),
    ("lookback_recorder_nacks", "RTP packets asked for again", "nacks_sent", 1),
    ("lookback_recorder_key_frame_requests", "Key frames asked for", "key_frame_requests", 1),
)


class _Told(Collector):
    """Makes its metrics when somebody looks. Their names are fixed here, and nobody else uses their prefix."""

    def __init__(self, tell: Callable[[], Iterable[Metric]]) -> None:
        self._tell = tell

    def describe(self) -> list[Metric]:
        """Nothing, so that it need not be asked before it is ready."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield everything that is known."""
        yield from self._tell()


def recorder_metrics(status: WorkerStatus | None, totals: Totals) -> Iterator[Metric]:
    """What the recorder said last about itself, and sums over all its sessions; while there is none, only the sums."""
    for name, meaning, field, unit in _TOTALS:
        yield CounterMetricFamily(name, meaning, totals.counts[field] / unit)
    if status is None:
        return
    sessions = status.sessions
    yield GaugeMetricFamily("lookback_recorder_sessions", "Sessions of the recorder", len(sessions))
    failing = sum(session.storage_fault is not None for session in sessions)
    yield GaugeMetricFamily("lookback_recorder_storage_faults", "Sessions that cannot be written now", failing)
    lag_s = max((session.lag_us for session in sessions), default=0) / 1e6
    yield GaugeMetricFamily("lookback_segment_lag_seconds", "Longest time that something waits to be written", lag_s)
    memory = GaugeMetricFamily("lookback_recorder_resident_bytes", "Memory of a recorder worker", labels=["worker"])
    memory.add_metric([_ONLY_WORKER], status.rss_bytes)
    yield memory
    cpu = CounterMetricFamily("lookback_recorder_cpu_seconds", "CPU time of a recorder worker", labels=["worker"])
    cpu.add_metric([_ONLY_WORKER], status.cpu_seconds)
    yield cpu


def eviction_metrics(
    evicted: Mapping[str, int], evicted_bytes: Mapping[str, int], reasons: Iterable[str]
) -> Iterator[Metric]:
    """What the sweeps deleted, by reason."""
    segments = CounterMetricFamily("lookback_evicted_segments", "Segments that were deleted", labels=["reason"])
    size = CounterMetricFamily("lookback_evicted_bytes", "Bytes of segments that were deleted", labels=["reason"])
    for reason in reasons:
        segments.add_metric([reason], evicted.get(reason, 0))
        size.add_metric([reason], evicted_bytes.get(reason, 0))
    yield from (segments, size)


def figure_metrics(figures: Figures, buffered_bytes: int) -> Iterator[Metric]:
    """What was found at the last look at disks, database and LiveKit."""
    healthy = GaugeMetricFamily("lookback_healthy", "Whether a part works that must", labels=["part"])
    for part, works in figures.healthy.items():
        healthy.add_metric([part], works)
    yield healthy
    yield from _disk_metrics(figures)
    sizes = {"buffer": buffered_bytes}
    if figures.stored is not None:
        sizes |= {"clips": figures.stored.clip_bytes, "deleted-clips": figures.stored.deleted_bytes}
        yield from _library_metrics(figures.stored)
    stored = GaugeMetricFamily("lookback_stored_bytes", "What is kept, by kind", labels=["kind"])
    for kind, size in sizes.items():
        stored.add_metric([kind], size)
    yield stored


def _disk_metrics(figures: Figures) -> Iterator[Metric]:
    size = GaugeMetricFamily("lookback_disk_size_bytes", "Size of the disk under a root", labels=["root"])
    free = GaugeMetricFamily("lookback_disk_free_bytes", "What is free there for this program", labels=["root"])
    inodes = GaugeMetricFamily("lookback_disk_free_inodes", "How many more files fit there", labels=["root"])
    for root, room in figures.rooms.items():
        size.add_metric([root], room.total_bytes)
        free.add_metric([root], room.free_bytes)
        inodes.add_metric([root], room.free_inodes)
    yield from (size, free, inodes)


def _library_metrics(stored: Stored) -> Iterator[Metric]:
    yield GaugeMetricFamily("lookback_clips", "Saved clips", stored.clips)
    yield GaugeMetricFamily("lookback_quota_reserved_bytes", "Held for clips being made", stored.reserved_bytes)
    yield GaugeMetricFamily("lookback_users", "Users that are known", stored.users)
    yield GaugeMetricFamily("lookback_users_near_quota", "Users with less than a tenth left", stored.near_quota)


def webhook_metrics(accepted_us: int | None, refused_us: int | None) -> Iterator[Metric]:
    """When LiveKit called last; 0 before it did."""
    for kind, at_us in (("accepted", accepted_us), ("refused", refused_us)):
        name = f"lookback_livekit_webhook_{kind}_timestamp_seconds"
        yield GaugeMetricFamily(name, f"When a webhook was {kind} last", (at_us or 0) / 1e6)


def alert_metric(sent: int, failed: int) -> Metric:
    """How many alerts were posted to LOOKBACK_ALERT_WEBHOOK, and how many were given up."""
    alerts = CounterMetricFamily("lookback_alerts", "Alerts to administrators", labels=["outcome"])
    alerts.add_metric(["sent"], sent)
    alerts.add_metric(["failed"], failed)
    return alerts


class Metrics:
    """The counters of one application; two applications in one process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "lookback_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "lookback_http_request_seconds", "Time to answer", ["route"], registry=self.registry, buckets=_SECONDS
        )
        self.capture_seconds = Histogram(
            "lookback_capture_seconds",
            "Time to make a clip, by step; all of them but waiting for what is still being recorded are `total`",
            ["step"],
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.sessions = Gauge("lookback_sessions", "Sessions by state", ["state"], registry=self.registry)
        self.shares = Gauge("lookback_shares", "Sessions that run, by source", ["source"], registry=self.registry)
        self.recorder_up = Gauge("lookback_recorder_up", "Whether the recorder is connected", registry=self.registry)

    def watch(
        self,
        recorder_up: Callable[[], bool],
        sessions: Mapping[str, Callable[[], int]],
        shares: Mapping[str, Callable[[], int]],
    ) -> None:
        """Ask these whenever somebody looks: is the recorder there, how many sessions are in a state, of a source."""
        self.recorder_up.set_function(recorder_up)
        for gauge, counts in ((self.sessions, sessions), (self.shares, shares)):
            for word, count in counts.items():
                gauge.labels(word).set_function(count)

    def tell(self, *families: Callable[[], Iterable[Metric]]) -> None:
        """Ask these, too."""
        self.registry.register(_Told(lambda: chain.from_iterable(family() for family in families)))

    def request(self, method: str, route: str, status: int, took_seconds: float) -> None:
        """Count a request by the pattern of its address."""
        self.requests.labels(method, route, status).inc()
        self.request_seconds.labels(route).observe(took_seconds)

    def captured(self, seconds: Mapping[Step, float]) -> None:
        """See clips.stopwatch.CaptureTimes."""
        for step, took in seconds.items():
            self.capture_seconds.labels(step).observe(took)
        self.capture_seconds.labels("total").observe(work_seconds(seconds))

    def text(self) -> bytes:
        """Write everything in the text format of Prometheus."""
        return generate_latest(self.registry)
