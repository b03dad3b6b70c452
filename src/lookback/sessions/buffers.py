"""What a session's directory holds, as people and players see it. Reading is done off the event loop."""

from __future__ import annotations

import shutil
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

from lookback.buffer.eviction import remove_session
from lookback.buffer.marker import is_away
from lookback.buffer.reader import SegmentCache, read_segments, summary
from lookback.buffer.session_file import read_session
from lookback.buffer.threads import ANYBODYS, DiskThreads
from lookback.clips.durable import storage_errors
from lookback.clips.files import size_of
from lookback.errors import MalformedError, NotFoundError
from lookback.media.h264 import codec_string
from lookback.media.index import NEVER_SHOWN
from lookback.media.sound import sound_of
from lookback.sessions.views import FragmentView, MediaPart, SegmentView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from lookback.buffer.layout import BufferLayout
    from lookback.buffer.reader import Buffered, Segment
    from lookback.buffer.session_file import SessionRecord
    from lookback.sessions.model import Session

    P = ParamSpec("P")
    T = TypeVar("T")


class SessionBuffers:
    """Finds and reads the directories of sessions, in `threads`.

    What people and players wait for raises StorageUnavailableError where the disk does not let it be read, or does not
    answer.
    """

    def __init__(self, layout: BufferLayout, cache: SegmentCache, threads: DiskThreads = ANYBODYS) -> None:
        self._layout = layout
        self._cache = cache
        self.threads = threads

    def directory(self, session: Session) -> Path:
        """Where the session's segments are."""
        return self._layout.session_dir(session.room_name, session.user_id, session.session_id)

    async def away(self) -> bool:
        """Whether the disk with the directories is not there, as far as it is known which one that is; raises OSError.

        Without it every session looks as if nothing were buffered.
        """
        known = self._layout.identity
        return known is not None and await self.threads.ask(is_away, self._layout.root, known)

    async def buffered(self, session: Session) -> Buffered:
        """Summarise what there is."""
        return await self._read(summary, self.directory(session), self._cache)

    async def segments(self, session: Session, after: int) -> tuple[SegmentView, ...]:
        """Return the segments from number `after` on."""
        return await self._read(self._views, self.directory(session), after)

    async def segment(self, session: Session, number: int) -> MediaPart:
        """Return what is committed of one segment's media file; raises NotFoundError."""
        found = await self._read(self._find, self.directory(session), number)
        return self._part(found, found.media_path, found.index.media_bytes, f"video/{found.container}")

    async def thumbnail(self, session: Session, number: int) -> MediaPart:
        """Return one segment's thumbnail; raises NotFoundError."""
        found = await self._read(self._find, self.directory(session), number)
        size = await self._read(size_of, found.thumbnail_path)
        if size is None:
            raise NotFoundError("There is no thumbnail yet")
        return self._part(found, found.thumbnail_path, size, "image/webp")

    async def remove(self, session: Session) -> None:
        """Delete all there is; raises OSError."""
        directory = self.directory(session)
        if await self.threads.run(directory.exists):
            await self.threads.run(remove_session, directory)

    async def remove_user(self, user_id: str) -> None:
        """Delete all of a user's directories in all rooms, also those that no session knows; raises OSError."""
        await self.threads.run(self._remove_user, user_id)

    async def records(self) -> list[SessionRecord]:
        """Return what the directories themselves say whose they are."""
        return await self.threads.run(lambda: list(self._records()))

    async def _read(self, call: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        with storage_errors():
            return await self.threads.ask(call, *args, **more)

    def _part(self, of: Segment, path: Path, size: int, kind: str) -> MediaPart:
        extent = of.extent
        return MediaPart(path, size, kind, _etag(of, size), extent.start_us, extent.end_us, self.threads)

    def _remove_user(self, user_id: str) -> None:
        for directory in self._layout.user_dirs(user_id):
            shutil.rmtree(directory)
            with suppress(OSError):  # others shared in this room, too
                directory.parent.rmdir()

    def _records(self) -> Iterator[SessionRecord]:
        for directory in self._layout.sessions():
            try:
                yield read_session(directory)
            except (OSError, MalformedError):
                continue  # `lookback check` says so; nobody can be asked whose it is

    def _find(self, directory: Path, number: int) -> Segment:
        for segment in read_segments(directory, cache=self._cache):
            if segment.number == number:
                return segment
        raise NotFoundError("This part of the buffer is gone or was never there")

    def _views(self, directory: Path, after: int) -> tuple[SegmentView, ...]:
        return tuple(_views_of(s for s in read_segments(directory, cache=self._cache) if s.number >= after))


def _etag(segment: Segment, size: int) -> str:
    """Bytes once committed never change, so the run, the number and how much there is say which they are."""
    return f'"{segment.index.header.run_id.hex()}-{segment.number}-{size}"'


def _views_of(segments: Iterable[Segment]) -> Iterator[SegmentView]:
    for segment in segments:
        with suppress(FileNotFoundError):  # evicted a moment ago
            yield _view(segment)


def _view(segment: Segment) -> SegmentView:
    header = segment.index.header
    return SegmentView(
        number=segment.number,
        container=segment.container,
        mime_type=_mime_type(segment.media_path, header.init_size),
        run_id=header.run_id.hex(),
        start_us=segment.extent.start_us,
        end_us=segment.extent.end_us,
        size_bytes=segment.size_bytes,
        init_size=header.init_size,
        has_thumbnail=segment.thumbnail_path.exists(),
        fragments=tuple(_fragments(segment)),
    )


def _fragments(segment: Segment) -> Iterator[FragmentView]:
    """The fragments that a player can append, and the time they cover."""
    samples = segment.index.samples
    shown = samples[(samples["size"] > 0) & (samples["flags"] & NEVER_SHOWN == 0)]
    if not len(shown):
        return
    numbers, firsts = np.unique(shown["fragment"], return_index=True)
    starts = np.minimum.reduceat(shown["dts_us"], firsts).tolist()
    ends = np.maximum.reduceat(shown["dts_us"] + shown["duration_us"], firsts).tolist()
    times = {number: (start, end) for number, start, end in zip(numbers.tolist(), starts, ends, strict=True)}
    for commit in segment.index.commits:
        if (covered := times.get(int(commit["fragment"]))) is not None:
            yield FragmentView(int(commit["offset"]), int(commit["size"]), *covered)


@lru_cache(maxsize=4096)
def _mime_type(media_path: Path, init_size: int) -> str:
    """What MSE must be told, read from the segment's own start (RFC 6381)."""
    with media_path.open("rb") as file:
        init = file.read(init_size)
    sound = sound_of(init)
    heard = f",{sound.mime}" if sound is not None else ""
    if media_path.suffix == ".webm":
        return f'video/webm; codecs="vp8{heard}"'
    sps = init.index(b"avcC") + 12  # after the box's name, five bytes, the number of sets and the length of the first
    return f'video/mp4; codecs="{codec_string(init[sps : sps + 4])}{heard}"'
