"""Metrics of the disk-full ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import Metric

    from lookback.operations.space_desk import SpaceReport


class SpaceMetrics(Collector):
    """How full the disks may get, and what is done about it."""

    def __init__(self, report: Callable[[], SpaceReport]) -> None:
        self._report = report

    def describe(self) -> list[Metric]:
        """Nothing: names are fixed below, and nobody else uses them."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield everything."""
        report = self._report()
        yield GaugeMetricFamily("lookback_space_step", "Step of the disk-full ladder, 0 is none", int(report.step))
        yield GaugeMetricFamily("lookback_sessions_shortened", "Sessions shorter than promised", report.shortened)
        yield GaugeMetricFamily("lookback_sessions_paused", "Sessions paused for want of space", report.paused)
        floor = GaugeMetricFamily("lookback_disk_floor_bytes", "How much shall stay free there", labels=["root"])
        for name, disk in report.disks.items():
            floor.add_metric([name], disk.floor_bytes)
        yield floor
