"""What an installation's metrics are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, get_args

from lookback.api.metrics import alert_metric, eviction_metrics, figure_metrics, recorder_metrics, webhook_metrics
from lookback.api.space_metrics import SpaceMetrics
from lookback.bootstrap.parts import clock_us
from lookback.buffer.retention import Reason
from lookback.db.figures import SqlFigures
from lookback.errors import LivekitUnavailableError
from lookback.operations.figures import FigureWatch
from lookback.sessions.model import SessionState, Source
from lookback.sessions.service import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.api.metrics import Metrics
    from lookback.api.ports import Readiness
    from lookback.livekit.webhooks import LivekitWebhooks
    from lookback.operations.alerts import AlertDesk
    from lookback.operations.space_desk import SpaceDesk
    from lookback.recorder.supervisor import Supervisor
    from lookback.sessions.keeper import SessionKeeper
    from lookback.sessions.rooms import LivekitServer
    from lookback.sessions.sweeping import Sweeper
    from lookback.settings import Settings

_NO_ROOM = "lookback-is-livekit-there"


@dataclass(frozen=True, slots=True)
class Measured:
    """The parts that are asked. LiveKit's are None when it is not configured."""

    recorder: Supervisor
    keeper: SessionKeeper
    sweeper: Sweeper
    space: SpaceDesk
    readiness: Readiness
    livekit: LivekitServer | None
    webhooks: LivekitWebhooks | None
    alerts: AlertDesk

    async def checks(self) -> Mapping[str, bool]:
        """Whether each part works, but for the recorder, of which that is known at any time."""
        found = {check.name: check.reason is None for check in await self.readiness.checks()}
        found.pop("recorder", None)
        if self.livekit is not None:
            try:
                await self.livekit.room(_NO_ROOM)
            except LivekitUnavailableError:
                found["livekit"] = False
            else:
                found["livekit"] = True
        return found

    def told(self) -> Iterator[Metric]:
        """What is known without asking anybody."""
        yield from recorder_metrics(self.recorder.status, self.recorder.totals)
        yield from eviction_metrics(self.sweeper.evicted, self.sweeper.evicted_bytes, [r.value for r in Reason])
        yield from SpaceMetrics(self.space.now).collect()
        yield alert_metric(self.alerts.sent, self.alerts.failed)
        if self.webhooks is not None:
            yield from webhook_metrics(self.webhooks.accepted_us, self.webhooks.refused_us)


def measure(metrics: Metrics, measured: Measured, settings: Settings, engine: AsyncEngine) -> FigureWatch:
    """Let the metrics tell of the parts; `run` what looks at those that take long, until the end."""
    keeper, recorder, sweeper = measured.keeper, measured.recorder, measured.sweeper
    states = [state for state in SessionState if state in SHOWN]
    metrics.watch(
        lambda: recorder.connected,
        {state.value: partial(lambda of: keeper.counts[of], state) for state in states},
        {source: partial(lambda of: keeper.shares[of], source) for source in get_args(Source)},
    )
    watch = FigureWatch(
        measured.checks,
        SqlFigures(engine, settings.quota_bytes, clock_us),
        {"buffer": settings.buffer_path, "storage": settings.storage_path},
    )
    metrics.tell(measured.told, lambda: figure_metrics(watch.latest, sweeper.buffered_bytes))
    return watch
