"""CPU of the recorder per 1080p30 4 Mbit/s stream, at 1, 5 and 20 streams over WHIP, writing and fsyncing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.support.installation import an_installation

from bench.content import SHAPE
from bench.figures import Report
from bench.places import scratch
from bench.processes import receive_buffer_errors, usage
from bench.publishing import Network, Publishing, frames_lost, publishing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.installation import Installation

    from bench.figures import Effort
    from lookback.recorder.control import SessionStats

STREAMS = (1, 5, 20)
SETTLE_SECONDS = 3
_MIB = 1024 * 1024
_COUNTED = ("video_frames", "packets", "packets_lost", "nacks_sent", "retransmissions", "key_frame_requests")


async def run(effort: Effort) -> Report:
    report = Report()
    seconds = effort.pick(30, 10)
    for streams in STREAMS:
        with scratch() as folder:
            report.figures[str(streams)] = await _measure(folder, streams, seconds)
    _hold_against_bars(report, report.figures[str(STREAMS[-1])])
    return report


async def _measure(folder: Path, streams: int, seconds: int) -> dict[str, Any]:
    async with an_installation(folder, LOOKBACK_LOG_LEVEL="warning") as server:
        async with publishing(server, [Network()] * streams) as running:
            await asyncio.sleep(SETTLE_SECONDS)
            found = await _window(server, streams, seconds)
        return found | _what_arrived(server, running)


async def _window(server: Installation, streams: int, seconds: int) -> dict[str, Any]:
    pid = await server.recorder_pid()
    dropped, counts, before = receive_buffer_errors(), await _counts(server), usage(pid)
    await asyncio.sleep(seconds)
    after, counts_after = usage(pid), await _counts(server)
    cpu, took = after.cpu_percent_since(before), after.at - before.at
    change = {name: counts_after[name] - counts[name] for name in _COUNTED}
    return {
        "streams": streams,
        "windowSeconds": round(took, 2),
        "cpuPercent": round(cpu, 2),
        "cpuPercentPerStream": round(cpu / streams, 3),
        "fps": round(change["video_frames"] / took / streams, 2),
        "packetsPerSecond": round(change["packets"] / took),
        "writtenMbitPerSecond": round((after.written_bytes - before.written_bytes) * 8 / took / 1e6, 1),
        "packetsLost": change["packets_lost"],
        "nacks": change["nacks_sent"],
        "retransmissions": change["retransmissions"],
        "plisPerStreamAndSecond": round(change["key_frame_requests"] / took / streams, 2),
        "rssMiB": round(after.rss_bytes / _MIB, 1),
        "receiveBufferErrors": receive_buffer_errors() - dropped,
    }


async def _counts(server: Installation) -> dict[str, int]:
    sessions: list[SessionStats] = (await server.recorder_status()).sessions
    return {name: sum(getattr(session, name) for session in sessions) for name in _COUNTED}


def _what_arrived(server: Installation, running: Publishing) -> dict[str, Any]:
    """Over the whole run, not only the window."""
    return {
        "framesSent": sum(counts["frames"] for counts in running.sent),
        "framesLost": sum(frames_lost(server.session_dir(session)) for session in running.sessions),
    }


def _hold_against_bars(report: Report, most: dict[str, Any]) -> None:
    where = f"at {STREAMS[-1]} streams"
    report.at_most(f"recorder CPU per stream {where}", most["cpuPercentPerStream"], 2, "% of a core")
    report.at_least(f"frames per second {where}", most["fps"], SHAPE.fps - 0.1)
    report.at_most(f"video frames lost {where}", most["framesLost"], 0)
    report.at_most(f"key frame requests per stream and second {where}", most["plisPerStreamAndSecond"], 0.6)
    report.at_most(f"resident memory {where}", most["rssMiB"], 200, "MiB")
