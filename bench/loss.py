"""Video frames lost in 30 s over networks that lose 2 and 10 percent of all packets and take 20 ms each way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.installation import an_installation

from bench.figures import Report
from bench.places import scratch
from bench.publishing import Network, frames_lost, publishing

if TYPE_CHECKING:
    from bench.figures import Effort

NETWORKS = (Network(loss=0.02, delay_s=0.02), Network(loss=0.10, delay_s=0.02))


async def run(effort: Effort) -> Report:
    report = Report()
    seconds = effort.pick(30, 10)
    with scratch() as folder:
        async with an_installation(folder, LOOKBACK_LOG_LEVEL="warning") as server:
            async with publishing(server, NETWORKS) as running:
                await asyncio.sleep(seconds)
            for network, session, sent in zip(NETWORKS, running.sessions, running.sent, strict=True):
                name = f"{network.loss:.0%} loss"
                lost = frames_lost(server.session_dir(session))
                report.figures[name] = {"seconds": seconds, "framesLost": lost, **sent}
                report.at_most(f"video frames lost at {name} and {network.delay_s * 1000:g} ms", lost, 0)
    return report
