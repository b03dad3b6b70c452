"""Write one run: samples in, fragments of half a second out, segments that start with a key frame.

The newest frame's duration is unknown until its successor comes: it waits for it, but not longer than HOLD_US, and not
at all while packets are missing, because then the successor is on its way.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lookback.buffer.layout import highest_number, segment_paths
from lookback.buffer.segment_file import SegmentFile
from lookback.buffer.soundtrack import Soundtrack
from lookback.media.index import Flag, LossCause, Sample, SegmentHeader
from lookback.media.samples import Track
from lookback.media.segment import PendingSample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.media.segment import SegmentFormat

FRAGMENT_US = 500_000
SEGMENT_US = 10_000_000
HOLD_US = 500_000
_HELD_MARGIN_US = 200_000  # a frame that is on its way may carry an instant a little in the past
_SMALLEST_STEP_US = 12  # one tick of 90 kHz, rounded up: decode times must grow


@dataclass(slots=True)
class WriterStats:
    """Counts since the run began."""

    segment: int = 0
    fragments: int = 0
    bytes_written: int = 0
    video_samples: int = 0
    audio_samples: int = 0
    lost_samples: int = 0
    dropped_fragments: int = 0


class RunWriter:
    """Appends one run to a session directory; continues its numbering.

    `sync` gets duplicated descriptors after each fragment: it makes them durable and closes them, off the event loop.
    A disk that fails costs the fragments it fails for: `fault` says so while it lasts, `wants_key_frame` asks for the
    frame at which writing can resume.
    """

    def __init__(
        self,
        directory: Path,
        *,
        format: SegmentFormat,  # noqa: A002 - the word of the domain
        run_id: bytes,
        audio: bool,
        sync: Callable[[list[int]], None],
        segment_us: int = SEGMENT_US,
        fragment_us: int = FRAGMENT_US,
        write: Callable[[int, memoryview], int] = os.write,
    ) -> None:
        self._directory, self._format, self._run_id = directory, format, run_id
        self._sync, self._segment_us, self._fragment_us, self._write = sync, segment_us, fragment_us, write
        self._file: SegmentFile | None = None
        self._video: list[PendingSample] = []
        self._hidden: list[PendingSample] = []
        self._notes: list[Sample] = []
        self._sound = Soundtrack() if audio else None
        self._fragment_number = 0
        self._last_video_us: int | None = None
        self._video_end_us: int | None = None
        self.stats = WriterStats()
        self.fault: OSError | None = None
        self.wants_key_frame = False
        self.picture_size: tuple[int, int] | None = None

    def video(
        self, dts_us: int, data: bytes, *, key: bool, reference_lost: bool = False, discontinuity: bool = False
    ) -> None:
        """Take a frame. Until the first key frame, and after a disk fault until the next, frames are let go."""
        if self._last_video_us is not None:
            dts_us = max(dts_us, self._last_video_us + _SMALLEST_STEP_US)
        if key:
            complete = self._format.complete(data)
            if complete is None or not self._ready_for(dts_us, complete):
                return
            data = complete
        if self._file is None:
            return
        if reference_lost and not key:
            self._hidden.append(PendingSample(dts_us, 0, data, Flag.REFERENCE_LOST))
        else:
            if discontinuity:
                self._note_loss(dts_us, LossCause.NETWORK)
            self._video.append(PendingSample(dts_us, 0, data, Flag.SYNC if key else Flag.NONE))
        self._last_video_us = dts_us
        self._flush_if_due(dts_us)

    def audio(self, dts_us: int, data: bytes) -> None:
        """Take a packet; before the first key frame, and where silence already stands, it is let go."""
        if self._file is None or self._sound is None:
            return
        self._sound.add(dts_us, data)
        self._flush_if_due(dts_us)

    def tick(self, now_us: int, *, missing: bool = False) -> None:
        """Let time pass. Call it while the publisher is alive; `missing`: video packets are being waited for."""
        if self._file is None or self._video_end_us is None:
            return
        oldest_us = self._oldest_us()
        if oldest_us is None or now_us - oldest_us >= self._fragment_us:
            self._flush(now_us, missing=missing)

    def close(self, now_us: int) -> None:
        """Write what is left and end the segment; `now_us` is when the run ended."""
        if self._file is not None:
            last_us = self._last_video_us or now_us
            self._flush(max(now_us, last_us + _SMALLEST_STEP_US), everything=True)
        self._close_file()

    def _oldest_us(self) -> int | None:
        pending = [group[0].dts_us for group in (self._video, self._hidden) if group]
        if self._sound is not None and self._sound.oldest_us is not None:
            pending.append(self._sound.oldest_us)
        return min(pending, default=self._video_end_us)

    def _flush_if_due(self, now_us: int) -> None:
        oldest_us = self._oldest_us()
        if self._file is not None and oldest_us is not None and now_us - oldest_us >= self._fragment_us:
            self._flush(now_us)

    def _ready_for(self, dts_us: int, key_frame: bytes) -> bool:
        """Make sure that a segment is open for a key frame at `dts_us`."""
        if self._file is not None and dts_us - self._file.first_dts_us >= self._segment_us:
            self._flush(dts_us, everything=True)
            self._close_file()
        if self._file is None:
            self._open(dts_us, key_frame)
        return self._file is not None

    def _open(self, dts_us: int, key_frame: bytes) -> None:
        opening = self._format.open(key_frame, audio=self._sound is not None)
        header = SegmentHeader(len(opening.init), opening.width, opening.height, dts_us, self._run_id)
        try:
            number = highest_number(self._directory) + 1
            paths = segment_paths(self._directory, number, self._format.extension)
            self._file = SegmentFile(paths, opening.init, header, self._write)
        except OSError as error:
            self._fail(error)
            return
        self.stats.segment = number
        self.picture_size = (opening.width, opening.height)
        self.wants_key_frame = False
        if self.fault is not None:
            self._note_loss(dts_us, LossCause.STORAGE)
        if self._sound is not None:
            self._sound.begin(dts_us)
        if self._video_end_us is None:
            self._video_end_us = dts_us

    def _note_loss(self, until_us: int, cause: LossCause) -> None:
        start_us = self._video_end_us
        if self._video:
            start_us = self._video[-1].dts_us + _SMALLEST_STEP_US
        if start_us is not None and until_us > start_us:
            length = until_us - start_us
            self._notes.append(Sample(Track.VIDEO, start_us, length, 0, 0, Flag.REFERENCE_LOST, cause))

    def _flush(self, now_us: int, *, everything: bool = False, missing: bool = False) -> None:
        """Write one fragment of what is there."""
        if self._file is None:
            return
        video = self._take_video(now_us, everything=everything, missing=missing)
        hidden, self._hidden = self._hidden, []
        sound = self._sound.take(now_us) if self._sound is not None else []
        notes, self._notes = self._notes, []
        if not (video or hidden or missing):
            notes += self._held_note(now_us if everything else now_us - _HELD_MARGIN_US)
        if not (video or hidden or sound or notes):
            return
        self._fragment_number += 1
        self._append(video, sound, hidden, notes)

    def _take_video(self, now_us: int, *, everything: bool, missing: bool) -> list[PendingSample]:
        video = self._video
        for sample, successor in pairwise(video):
            sample.duration_us = successor.dts_us - sample.dts_us
        if not video:
            return []
        newest = video[-1]
        age_us = now_us - newest.dts_us
        if everything or (age_us >= HOLD_US and not missing):
            newest.duration_us = max(age_us, _SMALLEST_STEP_US)
            newest.flags |= Flag.NONE if everything else Flag.ESTIMATED
            self._video = []
            return video
        self._video = [newest]
        return video[:-1]

    def _held_note(self, until_us: int) -> list[Sample]:
        """Say that the picture did not change since the last one ended."""
        start_us = self._video_end_us
        if self._video or start_us is None or until_us - start_us < self._fragment_us // 2:
            return []
        return [Sample(Track.VIDEO, start_us, until_us - start_us, 0, 0, Flag.HELD)]

    def _append(
        self,
        video: list[PendingSample],
        sound: list[PendingSample],
        hidden: list[PendingSample],
        notes: list[Sample],
    ) -> None:
        file = self._file
        if file is None:
            raise AssertionError("a fragment needs an open segment")
        data = b""
        samples: list[Sample] = []
        if video or sound or hidden:
            data, samples = self._format.fragment(self._fragment_number, file.media_size, video, sound, hidden)
        notes = [note._replace(offset=file.media_size) for note in notes]
        try:
            written = file.append(self._fragment_number, data, samples + notes)
        except OSError as error:
            self._fail(error)
            return
        self.fault = None
        self._count(video, sound, hidden, written)
        ends = [s.dts_us + s.duration_us for s in (*video, *hidden)] + [n.dts_us + n.duration_us for n in notes]
        self._video_end_us = max(ends, default=self._video_end_us)
        self._sync(file.handles())

    def _count(
        self, video: list[PendingSample], sound: list[PendingSample], hidden: list[PendingSample], written: int
    ) -> None:
        stats = self.stats
        stats.fragments += 1
        stats.bytes_written += written
        stats.video_samples += len(video)
        stats.audio_samples += len(sound)
        stats.lost_samples += len(hidden)

    def _fail(self, error: OSError) -> None:
        """Let the fragment go and wait for a key frame at which a new segment can start."""
        self.fault = error
        self.wants_key_frame = True
        self.stats.dropped_fragments += 1
        self._video, self._hidden, self._notes = [], [], []
        if self._sound is not None:
            self._sound.interrupt()
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None:
            self._sync(self._file.handles())
            self._file.close()
            self._file = None
