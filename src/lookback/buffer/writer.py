"""Write one run: samples in, fragments of half a second out, segments that start with a key frame."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.buffer.ended_segments import EndedSegments
from lookback.buffer.layout import highest_number, segment_paths
from lookback.buffer.picture_track import Pictures, PictureTrack
from lookback.buffer.segment_file import SegmentFile
from lookback.buffer.soundtrack import Soundtrack
from lookback.media.index import Flag, SegmentHeader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookback.media.index import LossCause
    from lookback.media.segment import PendingSample, SegmentFormat
    from lookback.media.sound import Sound

FRAGMENT_US = 500_000
SEGMENT_US = 10_000_000
_FIRST_FRAGMENT_US = 100_000
_LONGEST_FRAGMENT_US = 20_000_000  # WebM's blocks can stand 32 s from the start of their cluster


@dataclass(slots=True)
class WriterStats:
    """Counts since the run began. What had come at `written_us` is written; 0 before there was anything to write."""

    segment: int = 0
    fragments: int = 0
    bytes_written: int = 0
    video_samples: int = 0
    audio_samples: int = 0
    lost_samples: int = 0
    lost_us: int = 0
    written_us: int = 0
    dropped_fragments: int = 0


class RunWriter:
    """Appends one run to a session directory; continues its numbering.

    `sync` gets duplicated descriptors after each fragment: it makes them durable and closes them, off the event loop.
    A disk that fails costs the fragments it fails for: `fault` says so while it lasts, `wants_key_frame` asks for the
    frame at which writing can resume. While it is `held` everything is as on a full disk, and nothing is written.

    Its clock is the newest instant it has heard of, from samples or ticks. How long a sample waits counts from when
    it came, not from its own instant: on a slow network pictures come a second behind their sound.
    """

    def __init__(
        self,
        directory: Path,
        *,
        format: SegmentFormat,  # noqa: A002 - the word of the domain
        run_id: bytes,
        audio: Sound | None,
        sync: Callable[[list[int]], None],
        segment_us: int = SEGMENT_US,
        fragment_us: int = FRAGMENT_US,
        write: Callable[[int, memoryview], int] = os.write,
    ) -> None:
        self._directory, self._format, self._run_id = directory, format, run_id
        self._sync, self._segment_us, self._fragment_us, self._write = sync, segment_us, fragment_us, write
        self._file: SegmentFile | None = None
        self._ended = EndedSegments(run_id)
        self._pictures = PictureTrack(format.smallest_step_us)
        self._audio = audio
        self._sound = Soundtrack(audio) if audio is not None else None
        self._fragment_number = 0
        self._clock_us = 0
        self._flushed_us = 0
        self._missing = False
        self._closed = False
        self.stats = WriterStats()
        self.fault: OSError | None = None
        self.held = False
        self.picture_size: tuple[int, int] | None = None

    @property
    def wants_key_frame(self) -> bool:
        """Whether nothing can be written before the next key frame."""
        return self._file is None and not self._closed

    def video(
        self,
        dts_us: int,
        data: bytes,
        *,
        key: bool,
        reference_lost: bool = False,
        discontinuity: bool = False,
        cts_us: int = 0,
    ) -> None:
        """Take a frame. Until the first key frame, and after a disk fault until the next, frames are let go.

        `cts_us` as in PendingSample. Raises MalformedError for a key frame that is none.
        """
        self._clock_us = max(self._clock_us, dts_us)
        dts_us = self._pictures.growing(dts_us)
        if discontinuity:
            self._pictures.miss(dts_us)
        if key:
            complete = self._format.complete(data)
            if complete is None or not self._ready_for(dts_us, complete):
                return
            data = complete
        if self._file is None:
            return
        flags = Flag.SYNC if key else Flag.REFERENCE_LOST if reference_lost else Flag.NONE
        self._pictures.add(dts_us, data, flags, self._clock_us, cts_us)
        self._flush_if_due(self._pictures.oldest, dts_us)

    def audio(self, dts_us: int, data: bytes) -> None:
        """Take a packet; before the first key frame, and where silence already stands, it is let go.

        Raises MalformedError for one that is none.
        """
        if self._file is None or self._sound is None:
            return
        self._clock_us = max(self._clock_us, dts_us)
        self._sound.add(dts_us, data, self._clock_us)
        self._flush_if_due(self._sound.oldest, dts_us)

    def tick(self, now_us: int, *, missing: bool = False) -> None:
        """Let time pass. Call it while the publisher is alive; `missing`: video packets are being waited for."""
        self._clock_us = max(self._clock_us, now_us)
        self._missing = missing
        if self._file is not None and self._clock_us - self._waiting_since_us() >= self._due_us:
            self._flush()

    def miss(self, until_us: int, cause: LossCause) -> None:
        """What came before the next frame, at `until_us`, is lost."""
        self._pictures.miss(until_us, cause)

    def lack(self, start_us: int, end_us: int, cause: LossCause) -> None:
        """Something is lost of a stretch whose pictures have come."""
        if self._file is not None:
            self._pictures.lack(start_us, end_us, cause)

    def flush(self, until_us: int) -> None:
        """Write all there is: the newest frame is known to be shown until `until_us`, and nothing is on its way."""
        self._clock_us = max(self._clock_us, until_us)
        if self._file is not None:
            sound = self._sound.take(self._clock_us) if self._sound is not None else []
            self._append(self._pictures.take_all(self._clock_us, until_us), sound)

    def close(self, now_us: int) -> None:
        """Write what is left and end the segment; `now_us` is when the run ended."""
        self._clock_us = max(self._clock_us, now_us)
        if self._file is not None:
            self._end_segment(None)
        self._closed = True

    @property
    def _due_us(self) -> int:
        """How long samples wait: the very first only a moment, because somebody waits for the recording to begin."""
        return self._fragment_us if self.stats.fragments else min(_FIRST_FRAGMENT_US, self._fragment_us)

    def _waiting_since_us(self) -> int:
        waiting = [track.oldest for track in (self._pictures, self._sound) if track is not None]
        if self._missing:  # the newest frame stays, however long it has been there
            return self._flushed_us
        return min((sample.seen_us for sample in waiting if sample is not None), default=self._flushed_us)

    def _flush_if_due(self, oldest: PendingSample | None, newest_us: int) -> None:
        if oldest is not None and newest_us - oldest.dts_us >= self._due_us:
            self._flush()

    def _ready_for(self, dts_us: int, key_frame: bytes) -> bool:
        """Make sure that a segment is open for a key frame at `dts_us`."""
        if self._file is not None and dts_us - self._file.first_dts_us >= self._segment_us:
            self._end_segment(dts_us)
        if self._file is None:
            self._open(dts_us, key_frame)
        return self._file is not None

    def _open(self, dts_us: int, key_frame: bytes) -> None:
        if self.held:
            self._fail(_held())
            return
        opening = self._format.open(key_frame, audio=self._audio)
        header = SegmentHeader(len(opening.init), opening.width, opening.height, dts_us, self._run_id)
        try:
            if self.fault is not None and (lost_after_us := self._ended.lost_after_us(self._directory)) is not None:
                self._pictures.kept_until(lost_after_us)
            number = highest_number(self._directory) + 1
            paths = segment_paths(self._directory, number, self._format.extension)
            self._file = SegmentFile(paths, opening.init, header, self._write)
        except OSError as error:
            self._fail(error)
            return
        self.stats.segment = number
        self.picture_size = (opening.width, opening.height)
        self._flushed_us = self._clock_us
        self._pictures.begin(dts_us)
        if self._sound is not None:
            self._sound.begin(dts_us, self._clock_us)

    def _flush(self) -> None:
        """Write what is there and need not wait."""
        sound = self._sound.take(self._clock_us) if self._sound is not None else []
        self._append(self._pictures.take(self._clock_us, missing=self._missing), sound)

    def _end_segment(self, next_us: int | None) -> None:
        """Write everything before the next segment's key frame at `next_us`; None: there is no next segment."""
        sound = self._sound.take(self._clock_us, next_us) if self._sound is not None else []
        self._append(self._pictures.take_all(self._clock_us, next_us), sound)
        self._close_file()

    def _append(self, pictures: Pictures, sound: list[PendingSample]) -> None:
        self._flushed_us = self._clock_us
        for part, heard in _parts(pictures, sound):
            if not self._write_fragment(part, heard):
                return
        self.stats.written_us = self._clock_us
        self._pictures.committed()

    def _write_fragment(self, pictures: Pictures, sound: list[PendingSample]) -> bool:
        file = self._file
        if file is None:
            return False
        self._fragment_number += 1
        shown, hidden, notes = pictures
        data, samples = b"", [note._replace(offset=file.media_size) for note in notes]
        if shown or hidden or sound:
            data, rows = self._format.fragment(self._fragment_number, file.media_size, shown, sound, hidden)
            samples = rows + samples
        try:
            if self.held:
                raise _held()
            written = file.append(self._fragment_number, data, samples)
        except OSError as error:
            self._fail(error)
            return False
        self.fault = None
        self._count(pictures, sound, written)
        self._make_durable(file)
        return True

    def _count(self, pictures: Pictures, sound: list[PendingSample], written: int) -> None:
        stats = self.stats
        stats.fragments += 1
        stats.bytes_written += written
        stats.video_samples += len(pictures.shown)
        stats.audio_samples += len(sound)
        stats.lost_samples += len(pictures.hidden)
        stats.lost_us += sum(sample.duration_us for sample in pictures.hidden)
        stats.lost_us += sum(note.duration_us for note in pictures.notes if note.flags & Flag.REFERENCE_LOST)

    def _fail(self, error: OSError) -> None:
        """Let the fragment go and wait for a key frame at which a new segment can start."""
        self.fault = error
        self.stats.written_us = self.stats.written_us or self._clock_us
        self.stats.dropped_fragments += 1
        self._pictures.interrupt()
        if self._sound is not None:
            self._sound.interrupt()
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None:
            self._make_durable(self._file)
            self._file.close()
            self._ended.add(self._file)
            self._file = None

    def _make_durable(self, file: SegmentFile) -> None:
        try:
            self._sync(file.handles())
        except OSError as error:  # no descriptor to spare: it is written, and made durable with the next fragment
            self.fault = error


def _held() -> OSError:
    return OSError(errno.ENOSPC, "Nothing is written, to keep the disk from filling up")


def _parts(pictures: Pictures, sound: list[PendingSample]) -> Iterator[tuple[Pictures, list[PendingSample]]]:
    """Split what is too long for one fragment; that happens where a publisher paused."""
    shown, hidden, notes = pictures
    if not (shown or hidden or notes or sound):
        return
    instants = [s.dts_us for group in (shown, hidden, sound) for s in group]
    begin_us, last_us = min(instants, default=0), max(instants, default=0)
    at_us = begin_us
    while last_us - at_us > _LONGEST_FRAGMENT_US:
        end_us = at_us + _LONGEST_FRAGMENT_US
        early = [[s for s in group if at_us <= s.dts_us < end_us] for group in (shown, hidden, sound)]
        yield Pictures(early[0], early[1], []), early[2]
        at_us = end_us
    if at_us > begin_us:
        shown, hidden, sound = ([s for s in group if s.dts_us >= at_us] for group in (shown, hidden, sound))
    yield Pictures(shown, hidden, notes), sound
