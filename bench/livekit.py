"""Recording in a LiveKit room: start latency, how far behind the buffer is, CPU and memory at 20 streams, and loss."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.support.livekit_recorder import RoomRecorder, a_room_recorder, share_of
from tests.support.livekit_server import LivekitServer, a_livekit_server

from bench.content import SHAPE
from bench.figures import Report, spread
from bench.places import scratch
from bench.processes import receive_buffer_errors, usage
from bench.publishing import frames_lost, sending
from lookback.buffer.reader import summary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bench.figures import Effort
    from lookback.recorder.control import SessionSpec

STREAMS = 20
LOSSES = (0.02, 0.05, 0.10)
SETTLE_SECONDS = 3
_MIB = 1024 * 1024
_IMPAIRED = (sys.executable, "-m", "tests.support.impaired_recorder")


async def run(effort: Effort) -> Report:
    report = Report()
    with scratch() as folder:
        async with a_livekit_server(folder / "livekit") as server:
            async with sharing(server, 1) as (alice,):
                await _starts(report, folder / "starts", server, alice, effort.pick(30, 8))
                await _age(report, folder / "age", server, alice, effort.pick(30, 10))
                for loss in LOSSES:
                    found = await _loss(folder / f"loss-{loss}", server, alice, loss, effort.pick(60, 15))
                    report.figures[f"{loss:.0%} loss"] = found
                    report.at_most(f"video frames lost at {loss:.0%} loss", found["framesLost"], 0)
            await _load(report, folder / "load", server, effort.pick(30, 10))
    return report


@asynccontextmanager
async def sharing(server: LivekitServer, streams: int) -> AsyncIterator[list[SessionSpec]]:
    """So many people, each in a room of their own, publish the content; the sessions that would record them."""
    sessions = [share_of("sharer", f"bench-{number}") for number in range(streams)]
    where: list[dict[str, Any]] = [
        {
            "url": f"{server.url}/whip/v1",
            "token": server.token("sharer", session.room_name),
            "loss": 0.0,
            "delay_s": 0.0,
        }
        for session in sessions
    ]
    async with sending(where):
        yield sessions


@asynccontextmanager
async def recorder(folder: Path, server: LivekitServer, **more: Any) -> AsyncIterator[RoomRecorder]:
    """A recorder that takes what WHIP publishes, which is a camera to LiveKit."""
    async with a_room_recorder(folder, server, livekit_camera=True, log_level="warning", **more) as running:
        yield running


async def _starts(report: Report, folder: Path, server: LivekitServer, alice: SessionSpec, rounds: int) -> None:
    """From the request to the first key frame on disk, of a share that is live already."""
    laps: list[float] = []
    async with recorder(folder, server) as running:
        for number in range(rounds):
            session = alice.model_copy(update={"session_id": f"start-{number}"})
            asked_us = time.time_ns() // 1000
            await running.record(session)
            move = await running.worker.sees(session, "recording")
            laps.append((move.at_us - asked_us) / 1000)
            await running.stop(session)
    report.figures["startMs"] = spread(laps)
    report.at_most("start to first key frame on disk, p95", report.figures["startMs"]["p95"], 1000, "ms")


async def _age(report: Report, folder: Path, server: LivekitServer, alice: SessionSpec, seconds: int) -> None:
    """How far the newest moment that a capture would contain is behind now."""
    ages: list[float] = []
    async with recorder(folder, server) as running:
        await running.record(alice)
        await running.worker.sees(alice, "recording")
        await asyncio.sleep(SETTLE_SECONDS)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            until_us = summary(running.worker.directory(alice)).until_us or 0
            ages.append((time.time_ns() // 1000 - until_us) / 1000)
            await asyncio.sleep(0.037)  # no multiple of a frame or of a fragment
        await running.stop(alice)
    report.figures["newestMomentMs"] = spread(ages)
    report.at_most("newest moment behind the publisher, at most", report.figures["newestMomentMs"]["max"], 1200, "ms")


async def _loss(folder: Path, server: LivekitServer, alice: SessionSpec, loss: float, seconds: int) -> dict[str, Any]:
    """Video frames lost when packets between LiveKit and the recorder are, either way."""
    async with recorder(folder, server, command=_IMPAIRED, environment={"LOSS": str(loss)}) as running:
        await running.record(alice)
        await running.worker.sees(alice, "recording")
        await asyncio.sleep(seconds)
        (stats,) = (await running.worker.status()).sessions
        await running.stop(alice)
        return {
            "seconds": seconds,
            "framesLost": frames_lost(running.worker.directory(alice)),
            "nacks": stats.nacks_sent,
            "retransmissions": stats.retransmissions,
            "plis": stats.key_frame_requests,
        }


async def _load(report: Report, folder: Path, server: LivekitServer, seconds: int) -> None:
    """CPU and memory of the recorder with one stream and with many."""
    async with AsyncExitStack() as stack:
        sessions = await stack.enter_async_context(sharing(server, STREAMS))
        running = await stack.enter_async_context(recorder(folder, server))
        await _record(running, sessions[:1])
        alone = await _window(running, 1, seconds)
        await _record(running, sessions[1:])
        most = await _window(running, STREAMS, seconds)
        lost = sum(frames_lost(running.worker.directory(session)) for session in sessions)
    per_stream = round((most["rssMiB"] - alone["rssMiB"]) / (STREAMS - 1), 2)
    report.figures |= {"1": alone, str(STREAMS): most | {"framesLost": lost, "rssMiBPerStream": per_stream}}
    report.at_most(f"CPU per stream at {STREAMS} streams", most["cpuPercentPerStream"], 2, "% of a core")
    report.at_most(f"memory per stream at {STREAMS} streams", per_stream, 10, "MiB")
    report.at_least(f"frames per second at {STREAMS} streams", most["fps"], SHAPE.fps - 0.1)
    report.at_most(f"video frames lost at {STREAMS} streams", lost, 0)


async def _record(running: RoomRecorder, sessions: list[SessionSpec]) -> None:
    for session in sessions:
        await running.record(session)
    for session in sessions:
        await running.worker.sees(session, "recording")
    await asyncio.sleep(SETTLE_SECONDS)


async def _window(running: RoomRecorder, streams: int, seconds: int) -> dict[str, Any]:
    status, dropped = await running.worker.status(), receive_buffer_errors()
    frames, before = sum(session.video_frames for session in status.sessions), usage(status.pid)
    await asyncio.sleep(seconds)
    after, status = usage(status.pid), await running.worker.status()
    took = after.at - before.at
    frames = sum(session.video_frames for session in status.sessions) - frames
    return {
        "streams": streams,
        "windowSeconds": round(took, 2),
        "cpuPercent": round(after.cpu_percent_since(before), 2),
        "cpuPercentPerStream": round(after.cpu_percent_since(before) / streams, 3),
        "fps": round(frames / took / streams, 2),
        "rssMiB": round(after.rss_bytes / _MIB, 1),
        "receiveBufferErrors": receive_buffer_errors() - dropped,
    }
