from __future__ import annotations

from typing import Any

import pytest

from lookback.api.metrics import Metrics, eviction_metrics, figure_metrics, recorder_metrics, webhook_metrics
from lookback.operations.figures import Figures, Room, Stored
from lookback.recorder.control import SessionStats, WorkerStatus
from lookback.recorder.totals import Totals


def stats(session_id: str, **counts: Any) -> SessionStats:
    return SessionStats(session_id=session_id, connected=True, recording=True, **counts)


def status(*sessions: SessionStats) -> WorkerStatus:
    return WorkerStatus(pid=1, started_at_us=0, cpu_seconds=2.5, rss_bytes=1000, udp_port=1, sessions=list(sessions))


def lines(now: WorkerStatus | None, *before: WorkerStatus) -> list[str]:
    totals, metrics = Totals(), Metrics()
    for seen in (*before, *([now] if now else [])):
        totals.saw(seen)
    metrics.tell(lambda: recorder_metrics(now, totals))
    return metrics.text().decode().splitlines()


def test_the_recorder_is_the_sum_of_its_sessions() -> None:
    told = lines(status(stats("a", packets=100, packets_lost=1, retransmissions=3), stats("b", packets=50)))
    assert "lookback_recorder_sessions 2.0" in told
    assert "lookback_recorder_packets_total 150.0" in told
    assert "lookback_recorder_packets_lost_total 1.0" in told
    assert "lookback_recorder_packets_recovered_total 3.0" in told
    assert 'lookback_recorder_cpu_seconds_total{worker="1"} 2.5' in told


def test_totals_never_fall() -> None:
    ended = lines(status(stats("b", packets=60)), status(stats("a", packets=100), stats("b", packets=50)))
    assert "lookback_recorder_packets_total 160.0" in ended
    another_publisher = lines(status(stats("a", packets=10)), status(stats("a", packets=100)))
    assert "lookback_recorder_packets_total 110.0" in another_publisher
    assert "lookback_recorder_packets_total 100.0" in lines(None, status(stats("a", packets=100)))


def test_the_lag_is_that_of_the_session_that_waits_longest() -> None:
    told = lines(status(stats("a", lag_us=200_000), stats("b", lag_us=4_500_000, storage_fault="The disk is full")))
    assert "lookback_segment_lag_seconds 4.5" in told
    assert "lookback_recorder_storage_faults 1.0" in told
    assert "lookback_segment_lag_seconds 0.0" in lines(status())


def test_gaps_are_told_in_seconds() -> None:
    assert "lookback_gap_seconds_total 1.5" in lines(status(stats("a", gap_us=1_500_000)))


def test_without_a_recorder_only_sums_are_told_of_it() -> None:
    told = lines(None)
    assert "lookback_recorder_packets_total 0.0" in told
    assert not [line for line in told if line.startswith("lookback_segment_lag_seconds")]


def test_requests_are_counted_by_the_pattern_of_their_address() -> None:
    metrics = Metrics()
    metrics.request("GET", "/livekit-replay/clips/{clip_id}", 200, 0.004)
    told = metrics.text().decode()
    assert 'lookback_http_requests_total{method="GET",route="/livekit-replay/clips/{clip_id}",status="200"} 1.0' in told


def test_the_time_for_a_clip_is_without_the_wait_for_what_is_still_being_recorded() -> None:
    metrics = Metrics()
    metrics.captured({"find": 0.001, "commit": 1.5, "plan": 0.25, "row": 0.5})
    sums = {
        step: metrics.registry.get_sample_value("lookback_capture_seconds_sum", {"step": step})
        for step in ("plan", "commit", "total")
    }
    assert sums == pytest.approx({"plan": 0.25, "commit": 1.5, "total": 0.751})


def test_every_reason_for_an_eviction_is_there_from_the_start() -> None:
    metrics = Metrics()
    metrics.tell(lambda: eviction_metrics({"age": 3}, {"age": 300}, ["age", "space"]))
    told = metrics.text().decode().splitlines()
    assert 'lookback_evicted_segments_total{reason="age"} 3.0' in told
    assert 'lookback_evicted_bytes_total{reason="age"} 300.0' in told
    assert 'lookback_evicted_segments_total{reason="space"} 0.0' in told


def test_what_is_not_known_is_not_told() -> None:
    metrics = Metrics()
    metrics.tell(lambda: figure_metrics(Figures({"database": False}), 5))
    told = metrics.text().decode().splitlines()
    assert 'lookback_healthy{part="database"} 0.0' in told
    assert 'lookback_stored_bytes{kind="buffer"} 5.0' in told
    assert not [line for line in told if line.startswith(('lookback_stored_bytes{kind="clips"}', "lookback_clips"))]


def test_disks_and_the_library_are_told() -> None:
    found = Figures({"database": True}, Stored(7, 700, 30, 20, 4, 1), {"buffer": Room(1000, 400, 9)})
    metrics = Metrics()
    metrics.tell(lambda: figure_metrics(found, 5), lambda: webhook_metrics(2_500_000, None))
    told = metrics.text().decode().splitlines()
    for line in (
        'lookback_stored_bytes{kind="clips"} 700.0',
        'lookback_stored_bytes{kind="deleted-clips"} 30.0',
        "lookback_clips 7.0",
        "lookback_quota_reserved_bytes 20.0",
        "lookback_users_near_quota 1.0",
        'lookback_disk_free_bytes{root="buffer"} 400.0',
        'lookback_disk_free_inodes{root="buffer"} 9.0',
        "lookback_livekit_webhook_accepted_timestamp_seconds 2.5",
        "lookback_livekit_webhook_refused_timestamp_seconds 0.0",
    ):
        assert line in told
