"""Reading and verifying the index files of 10 minutes: what a capture in a fresh process pays first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.buffers import fill_buffer
from bench.content import bitrate_bps, content
from bench.figures import Report, Stopwatch
from bench.places import scratch
from lookback.buffer.reader import SegmentCache, read_segments

if TYPE_CHECKING:
    from bench.figures import Effort


async def run(effort: Effort) -> Report:
    report = Report()
    with scratch() as folder:
        filled = fill_buffer(folder, user_id="bench")
        cold, warm, cache = Stopwatch(), Stopwatch(), SegmentCache()
        for _ in range(effort.pick(40, 10)):
            with cold.lap():
                segments = read_segments(filled.directory)
            read_segments(filled.directory, cache=cache)
            with warm.lap():
                read_segments(filled.directory, cache=cache)
        report.figures = {
            "readAndVerifyMs": cold.spread,
            "withCacheMs": warm.spread,
            "segments": len(segments),
            "samples": sum(len(segment.index.samples) for segment in segments),
            "indexBytes": sum(segment.index_path.stat().st_size for segment in segments),
            "mediaBytes": sum(segment.media_path.stat().st_size for segment in segments),
            "videoBitrateBps": bitrate_bps(content()),
        }
    report.at_most("read and verify the indexes of 10 min (about 5 ms), median", cold.spread["median"], 6, "ms")
    return report
