"""Sweeping 10,000 segments in 200 sessions while streams are recorded, with and without anything to delete."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import time
from typing import TYPE_CHECKING, Any

from tests.support.encoded_clip import ClipShape, encoded_clip
from tests.support.installation import an_installation
from tests.support.media import record

from bench.figures import Report, spread
from bench.places import scratch
from bench.publishing import Network, Publishing, frames_lost, publishing
from lookback.buffer.layout import BufferLayout
from lookback.buffer.reader import summary
from lookback.buffer.session_file import SessionRecord, write_session

if TYPE_CHECKING:
    from tests.support.installation import Installation
    from tests.support.people import Json

    from bench.figures import Effort

SESSIONS, SEGMENTS, STREAMS = 200, 50, 3
_SECOND_US = 1_000_000
_ENDED_AGO_S = 20


async def run(effort: Effort) -> Report:
    report = Report()
    with scratch() as folder:
        _fill(BufferLayout(folder / "buffer"))
        async with an_installation(folder) as server:
            async with publishing(server, [Network()] * STREAMS) as running:
                await asyncio.sleep(effort.pick(20, 5))
                figures = await _measure(server, effort.pick(10, 4))
                await asyncio.sleep(2)
            report.figures = figures | _what_was_lost(server, running)
            first = re.search(
                r'"took_ms": ?(\d+)', next(line for line in server.log.splitlines() if "Cleaned up" in line)
            )
            report.figures["firstSweepMs"] = int(first[1]) if first else None
    report.at_most("a sweep with nothing to delete, p95", figures["idleSweepMs"]["p95"], 1000, "ms")
    report.at_most(f"a sweep that deletes {SESSIONS} segments, p95", figures["usualSweepMs"]["p95"], 1000, "ms")
    report.at_most("the first sweep of a process", report.figures["firstSweepMs"], 1000, "ms")
    report.at_most("video frames lost meanwhile", report.figures["framesLost"], 0)
    report.at_most("gaps meanwhile", report.figures["gaps"], 0)
    return report


def _fill(layout: BufferLayout) -> None:
    """Sessions that ended a moment ago: real segments with sound and thumbnails, the same in every one of them."""
    first = layout.session_dir("bench", "0", "0")
    start_us = time.time_ns() // 1000 - (SEGMENTS * 10 + _ENDED_AGO_S) * _SECOND_US
    clip = encoded_clip(ClipShape(bitrate_bps=100_000))
    record(first, clip, start_us=start_us, frames=SEGMENTS * 10 * clip.shape.fps, segment_us=10 * _SECOND_US)
    for media in first.glob("*.mp4"):
        media.with_suffix(".webp").write_bytes(secrets.token_bytes(4096))
    for number in range(SESSIONS):
        name = str(number)
        whose = SessionRecord(name, "bench", name, "whip", start_us, None, name, start_us + SEGMENTS * 10 * _SECOND_US)
        directory = layout.session_dir("bench", name, name)
        if number:
            shutil.copytree(first, directory)
        write_session(directory, whose)
    os.sync()


async def _measure(server: Installation, rounds: int) -> dict[str, Any]:
    async with server.person("root", admin=True) as admin:

        async def sweep(**wish: Any) -> Json:
            answer: Json = (await admin.answer("POST", "admin/cleanup", json=wish)).json()
            return answer

        idle = [(await sweep())["tookMs"] for _ in range(rounds)]
        everything = await sweep(dryRun=True, freeBytes=1 << 50)
        one_each = everything["sizeBytes"] * SESSIONS // everything["segments"]
        usual = [(await sweep(freeBytes=one_each))["tookMs"] for _ in range(rounds)]
        half = await sweep(freeBytes=everything["sizeBytes"] // 2)
    return {
        "sessions": half["sessions"],
        "segments": SESSIONS * SEGMENTS,
        "idleSweepMs": spread(idle),
        "usualSweepMs": spread(usual),
        "halfSweepMs": half["tookMs"],
        "deletedByHalf": half["segments"],
        "previewMs": everything["tookMs"],
    }


def _what_was_lost(server: Installation, running: Publishing) -> dict[str, int]:
    directories = [server.session_dir(session) for session in running.sessions]
    return {
        "framesLost": sum(frames_lost(directory) for directory in directories),
        "gaps": sum(len(summary(directory).gaps) for directory in directories),
    }
