from __future__ import annotations

from lookback.api.metrics import Metrics, RecorderMetrics
from lookback.recorder.control import SessionStats, WorkerStatus


def stats(session_id: str, packets: int, lost: int) -> SessionStats:
    return SessionStats(session_id=session_id, connected=True, recording=True, packets=packets, packets_lost=lost)


def lines(status: WorkerStatus | None) -> list[str]:
    metrics = Metrics()
    metrics.registry.register(RecorderMetrics(lambda: status))
    return metrics.text().decode().splitlines()


def test_the_recorder_is_the_sum_of_its_sessions() -> None:
    sessions = [stats("a", 100, 1), stats("b", 50, 0)]
    told = lines(WorkerStatus(pid=1, started_at_us=0, cpu_seconds=2.5, rss_bytes=1000, udp_port=1, sessions=sessions))
    assert "lookback_recorder_sessions 2.0" in told
    assert "lookback_recorder_packets 150.0" in told
    assert "lookback_recorder_packets_lost 1.0" in told
    assert "lookback_recorder_cpu_seconds_total 2.5" in told


def test_without_a_recorder_nothing_is_told_of_it() -> None:
    assert not [line for line in lines(None) if "lookback_recorder_packets" in line]


def test_requests_are_counted_by_the_pattern_of_their_address() -> None:
    metrics = Metrics()
    metrics.request("GET", "/livekit-replay/clips/{clip_id}", 200, 0.004)
    told = metrics.text().decode()
    assert 'lookback_http_requests_total{method="GET",route="/livekit-replay/clips/{clip_id}",status="200"} 1.0' in told
