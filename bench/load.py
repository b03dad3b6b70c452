"""40 captures at once while 10 streams record: how long they take, and whether a frame is lost."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from tests.support.installation import an_installation

from bench.figures import Report, spread
from bench.places import scratch
from bench.publishing import Network, Publishing, frames_lost, publishing

if TYPE_CHECKING:
    from bench.figures import Effort

STREAMS, CAPTURES = 10, 40


async def run(effort: Effort) -> Report:
    report = Report()
    times: list[float] = []
    with scratch() as folder:
        async with an_installation(folder, LOOKBACK_LOG_LEVEL="warning") as server:
            async with publishing(server, [Network()] * STREAMS) as running:
                await asyncio.sleep(effort.pick(30, 10))
                for turn in range(effort.pick(5, 2)):
                    times += await _capture_all_at_once(running, turn)
                    await asyncio.sleep(2)
            lost = sum(frames_lost(server.session_dir(session)) for session in running.sessions)
    report.figures = {"captureMs": spread(times), "framesLost": lost, "streams": STREAMS, "atOnce": CAPTURES}
    report.at_most(f"{CAPTURES} captures at once, p95", report.figures["captureMs"]["p95"], 1000, "ms")
    report.at_most("video frames lost meanwhile", lost, 0)
    return report


async def _capture_all_at_once(running: Publishing, turn: int) -> list[float]:
    """Milliseconds of every capture; no two are alike, so that none is answered with another's clip."""

    async def capture(number: int) -> float:
        stream = number % STREAMS
        begun = perf_counter()
        await running.people[stream].captures(
            running.sessions[stream], durationSeconds=5 + number / 20, title=f"{turn} {number}"
        )
        return (perf_counter() - begun) * 1000

    return await asyncio.gather(*map(capture, range(CAPTURES)))
