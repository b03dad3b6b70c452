"""What recording asks of the disk: bytes per recorded byte, and syncs per stream and minute, on disk and in memory."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from tests.support.installation import ROOT, an_installation

from bench.counting.sitecustomize import LAYOUT
from bench.figures import Report
from bench.places import scratch
from bench.processes import usage
from bench.publishing import Network, frames_lost, publishing
from lookback.buffer.reader import read_segments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.installation import Installation
    from tests.support.people import Json

    from bench.figures import Effort

STREAMS = 5
SEGMENT_SECONDS = (10, 15)
SETTLE_SECONDS = 3
_MEMORY = Path("/dev/shm")
_SAID = {"disk": "on a disk", "memory": "in memory"}
_BAR = 1.03


@dataclass(frozen=True, slots=True)
class Reading:
    """Of one moment. `recorded`: bytes of encoded pictures and sound; `kept`: size of all files of the sessions.

    `stored`: what the kernel says went to storage; `written`, `writes`, `syncs`: what the recorder asked for.
    """

    at: float
    recorded: int
    kept: int
    stored: int
    written: int
    writes: int
    syncs: int


async def run(effort: Effort) -> Report:
    report = Report()
    seconds = effort.pick(60, 20)
    for where, said in _SAID.items():
        for length in SEGMENT_SECONDS:
            with scratch() as folder, _buffer(where, folder) as buffer:
                found = await _measure(folder, buffer, length, seconds)
            report.figures[f"{where}, segments of {length} s"] = found
            _hold_against_bars(report, f"{said} with segments of {length} s", found)
    return report


@contextmanager
def _buffer(where: str, folder: Path) -> Iterator[Path]:
    if where == "disk":
        yield folder / "buffer"
        return
    with tempfile.TemporaryDirectory(prefix="lookback-bench-", dir=_MEMORY, ignore_cleanup_errors=True) as path:
        yield Path(path) / "buffer"


async def _measure(folder: Path, buffer: Path, length: int, seconds: int) -> dict[str, Any]:
    counts = folder / "counts"
    counts.write_bytes(bytes(LAYOUT.size))
    settings = {
        "REPLAY_BUFFER_PATH": str(buffer),
        "REPLAY_SEGMENT_DURATION_SECONDS": str(length),
        "LOOKBACK_LOG_LEVEL": "warning",
        "BENCH_COUNTS": str(counts),
        "PYTHONPATH": f"{ROOT / 'bench' / 'counting'}:{ROOT / 'src'}",
    }
    async with an_installation(folder / "home", **settings) as server:
        async with publishing(server, [Network()] * STREAMS) as running:
            await asyncio.sleep(SETTLE_SECONDS)
            before = await _read(server, counts, running.sessions)
            await asyncio.sleep(seconds)
            after = await _read(server, counts, running.sessions)
        lost = sum(frames_lost(server.session_dir(session)) for session in running.sessions)
    return {**_change(before, after), "framesLost": lost}


async def _read(server: Installation, counts: Path, sessions: Iterable[Json]) -> Reading:
    folders = [server.session_dir(session) for session in sessions]
    stored = usage(await server.recorder_pid()).written_bytes
    return await asyncio.to_thread(_reading, counts, folders, stored)


def _reading(counts: Path, folders: list[Path], stored: int) -> Reading:
    written, writes, syncs = LAYOUT.unpack(counts.read_bytes())
    kept = sum(path.stat().st_size for folder in folders for path in folder.iterdir())
    recorded = sum(int(s.index.samples["size"].sum()) for folder in folders for s in read_segments(folder))
    return Reading(monotonic(), recorded, kept, stored, written, writes, syncs)


def _change(before: Reading, after: Reading) -> dict[str, Any]:
    seconds = after.at - before.at
    recorded, kept = after.recorded - before.recorded, after.kept - before.kept
    stored, written = after.stored - before.stored, after.written - before.written
    per_stream_minute = 60 / seconds / STREAMS
    return {
        "streams": STREAMS,
        "windowSeconds": round(seconds, 2),
        "recordedMbitPerSecond": round(recorded * 8 / seconds / 1e6, 2),
        "keptPerRecordedByte": round(kept / recorded, 4),
        "writtenPerRecordedByte": round(written / recorded, 4),
        "storedPerRecordedByte": round(stored / recorded, 4) if stored else None,
        "writesPerStreamAndMinute": round((after.writes - before.writes) * per_stream_minute, 1),
        "syncsPerStreamAndMinute": round((after.syncs - before.syncs) * per_stream_minute, 1),
    }


def _hold_against_bars(report: Report, where: str, found: dict[str, Any]) -> None:
    report.at_most(f"bytes that the recorder writes per recorded byte {where}", found["writtenPerRecordedByte"], _BAR)
    if found["storedPerRecordedByte"] is not None:  # a file system in memory stores nothing
        # In whole pages: the last one of a file that grows is stored anew after every sync.
        report.at_most(f"bytes that are stored per recorded byte {where}", found["storedPerRecordedByte"], _BAR)
    report.at_most(f"video frames lost {where}", found["framesLost"], 0)
