"""Follow one egress: read its playlist again and again, and hand on each file once, in order, when it is there."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from lookback.errors import MalformedError
from lookback.recorder.egress import rules
from lookback.recorder.egress.clock import EgressClock
from lookback.recorder.egress.media_file import arranged
from lookback.recorder.egress.playlist import MOST_BYTES, Entry, Playlist, parse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from pathlib import Path

    from lookback.recorder.egress.media_file import MediaFile
    from lookback.recorder.egress.reader import TsReader

log = structlog.get_logger(__name__)

POLL_S = 0.2
_TOLERANCE_US = 50_000  # dates are of milliseconds, and a file's end is where its last picture's time is over
_NOT_YET = (ValueError, OSError)


@dataclass(frozen=True, slots=True)
class EgressPlace:
    """Where one egress writes. `spare`: the folder that it writes to first, when that can be reached."""

    directory: Path
    playlist: str
    spare: Path | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file of the playlist; `media` is None when it cannot be had."""

    entry: Entry
    media: MediaFile | None


class Follower:
    """One egress. Iterate `arrivals` until it is over; `cause` then says why."""

    def __init__(
        self,
        place: EgressPlace,
        reader: TsReader,
        clock: Callable[[], int],
        *,
        segment_us: int,
        delay_us: int,
        after_us: int,
    ) -> None:
        self.place = place
        self.cause = ""
        self._reader, self._clock = reader, clock
        self._segment_us, self._delay_us, self._after_us = segment_us, delay_us, after_us
        self._time = EgressClock(delay_us)
        self._progress = rules.Progress(clock())
        self._last: Entry | None = None
        self._seen: tuple[int, int, int] | None = None
        self._named_us: int | None = None

    def finish(self) -> None:
        """Note that the egress is being stopped: it ends within seconds, with or without saying so."""
        if self._progress.finishing_us is None:
            self._progress = replace(self._progress, finishing_us=self._clock())

    async def arrivals(self) -> AsyncGenerator[Arrival]:
        """Yield the files as they come."""
        playlist = Playlist()
        while not self.cause:
            playlist = await asyncio.to_thread(self._read_playlist, playlist)
            taken = False
            async for arrival in self._new(playlist):
                taken = True
                yield arrival
            complete = playlist.ended and (not playlist.entries or self._last == playlist.entries[-1])
            self._progress = replace(self._progress, ended=complete)
            self.cause = rules.over(self._progress, self._segment_us, self._clock()) or ""
            if not self.cause and not taken:
                await asyncio.sleep(POLL_S)
        if self.cause != rules.ENDED and (tail := await self._tail()) is not None:
            yield tail

    async def _new(self, playlist: Playlist) -> AsyncIterator[Arrival]:
        for entry in playlist.entries:
            if self._last is not None and entry.number <= self._last.number:
                continue
            if self._known_already(entry):
                self._took(entry)
                continue
            media = await self._media(self.place.directory / entry.name, entry)
            if media is None and self._may_still_come(entry):
                return
            self._took(entry)
            yield Arrival(entry, media)

    def _took(self, entry: Entry) -> None:
        self._last, self._named_us = entry, None
        self._progress = replace(self._progress, heard_us=self._clock(), any_file=True)

    def _known_already(self, entry: Entry) -> bool:
        """Whether an earlier recorder has taken it."""
        if entry.start_us is None:
            return False
        return entry.start_us - self._delay_us + entry.duration_us <= self._after_us + _TOLERANCE_US

    def _may_still_come(self, entry: Entry) -> bool:
        now_us = self._clock()
        self._named_us = self._named_us or now_us
        missing = not (self.place.directory / entry.name).exists()
        return missing and now_us - self._named_us < rules.MISSING_FILE_US

    async def _media(self, path: Path, entry: Entry, *, torn: bool = False) -> MediaFile | None:
        try:
            read = await self._reader.read(path)
        except OSError as error:
            log.warning("egress.reader_not_started", error=str(error))
            return None
        whole = not read.reason and not torn
        try:
            return arranged(read.samples, entry, self._time, whole=whole, now_us=self._clock())
        except MalformedError as error:
            log.info("egress.file_unusable", file=path.name, reason=read.reason or str(error))
            return None

    async def _tail(self) -> Arrival | None:
        """What a killed egress has written of the file after its last one, here or where it writes first."""
        last = self._last
        name = rules.following_name(last.name) if last is not None else None
        if last is None or name is None:
            return None
        start_us = last.start_us + last.duration_us if last.start_us is not None else None
        entry = Entry(last.number + 1, name, 0, start_us)
        for folder in (self.place.spare, self.place.directory):
            media = await self._media(folder / name, entry, torn=True) if folder is not None else None
            if media is not None:
                log.info("egress.tail_saved", file=name, length_us=media.until_us - media.start_us)
                return Arrival(entry, media)
        return None

    def _read_playlist(self, known: Playlist) -> Playlist:
        """What it says now; what it said before while it is being rewritten or cannot be read. Blocks."""
        path = self.place.directory / self.place.playlist
        with suppress(*_NOT_YET):
            status = path.stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            if stamp == self._seen or status.st_size > MOST_BYTES:
                return known
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                found = parse(file.read(MOST_BYTES))
            self._seen = stamp if found.entries else None
            return found if found.entries else known
        return known
