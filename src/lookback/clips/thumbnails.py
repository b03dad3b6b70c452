"""Give every closed segment its thumbnail: one at a time, off the event loop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import structlog

from lookback.buffer.layout import segment_stem
from lookback.buffer.reader import list_segments, read_segment
from lookback.buffer.session_file import read_session
from lookback.buffer.threads import ANYBODYS, DiskThreads
from lookback.clips.poster import make_thumbnail
from lookback.errors import LookbackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lookback.buffer.layout import BufferLayout
    from lookback.buffer.reader import Segment, SegmentCache
    from lookback.clips.ports import Clock, Wait

log = structlog.get_logger(__name__)

_NEW = "thumbnail.new"
_PAUSE_US = 2_000_000
_MOST_FAILURES = 10_000


class Thumbnailer:
    """Looks for segments without a thumbnail and makes them."""

    def __init__(
        self, layout: BufferLayout, cache: SegmentCache, clock: Clock, wait: Wait, threads: DiskThreads = ANYBODYS
    ) -> None:
        self._threads = threads
        self._layout = layout
        self._cache = cache
        self._clock = clock
        self._wait = wait
        self._failed: set[Path] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.catch_up()
            except OSError as error:
                log.warning("thumbnails.paused", error=str(error))  # the disk is away, full or read-only for a while
            await self._wait(self._clock() + _PAUSE_US)

    async def catch_up(self) -> int:
        """Make what is missing now; return how many were made. Raises OSError where the disk takes nothing."""
        made = 0
        for segment in await self._threads.run(self._missing):
            made += await self._threads.run(self._make, segment)
        return made

    def _missing(self) -> list[Segment]:
        found = (segment for directory in self._layout.sessions() for segment in self._bare(directory))
        return [segment for segment in found if segment.media_path not in self._failed]

    def _bare(self, directory: Path) -> Iterator[Segment]:
        """The closed segments without a thumbnail. Only those are read: of ten thousand, most have theirs already."""
        listing = list_segments(directory)
        names = set(os.listdir(directory))  # noqa: PTH208 - names are all that is needed
        bare = [entry for entry in listing if f"{segment_stem(entry[0])}.webp" not in names]
        if bare[-1:] == listing[-1:] and not _has_ended(directory):
            bare = bare[:-1]  # it is being written
        for number, container in bare:
            segment = read_segment(directory, number, container, self._cache)
            if segment is not None:
                yield segment

    def _make(self, segment: Segment) -> bool:
        new = segment.media_path.with_name(_NEW)
        try:
            picture = make_thumbnail(segment)
        except (LookbackError, OSError) as error:
            self._remember_failure(segment, error)
            return False
        try:
            new.write_bytes(picture)
            new.replace(segment.thumbnail_path)
        except FileNotFoundError:
            return False  # the session was removed meanwhile
        if not segment.index_path.exists():
            segment.thumbnail_path.unlink(missing_ok=True)  # evicted meanwhile: nobody would remove it any more
        return True

    def _remember_failure(self, segment: Segment, error: Exception) -> None:
        if segment.media_path.exists():
            log.warning("thumbnail.failed", segment=segment.number, error=str(error))
        if len(self._failed) >= _MOST_FAILURES:
            self._failed.clear()
        self._failed.add(segment.media_path)


def _has_ended(directory: Path) -> bool:
    try:
        return read_session(directory).ended_at_us is not None
    except (OSError, LookbackError):
        return False
