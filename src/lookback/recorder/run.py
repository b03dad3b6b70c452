"""One run of a session: a publisher's samples on their way to disk, in the container of their codec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from lookback.buffer.writer import RunWriter, WriterStats
from lookback.errors import MalformedError
from lookback.media.segment import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.media.samples import Codec

    MakeWriter = Callable[[Path, Codec, bool], RunWriter]

log = structlog.get_logger(__name__)


class Run:
    """Takes samples until it is closed; after that it lets them go.

    A change of the video codec ends one file and starts another, as a run of its own on disk. `not_before_us` is
    where the session's earlier samples end: the buffer's time never goes back, even when the host's clock does.
    """

    def __init__(self, directory: Path, *, audio: bool, not_before_us: int, make_writer: MakeWriter) -> None:
        self._directory = directory
        self._audio = audio
        self._make_writer = make_writer
        self._writer: RunWriter | None = None
        self._shift_us = 0
        self._closed = False
        self._malformed = 0
        self.end_us = not_before_us
        self.codec: Codec | None = None
        self.video_frames = 0
        self.audio_frames = 0

    @property
    def audio_codec(self) -> str | None:
        """What the audio track is declared as."""
        return "opus" if self._audio else None

    @property
    def committed(self) -> bool:
        """Whether a key frame of the current file's run is on disk."""
        return self._writer is not None and self._writer.stats.video_samples > 0

    @property
    def stats(self) -> WriterStats:
        """Counts of the current writer."""
        return self._writer.stats if self._writer is not None else WriterStats()

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height of the current segment."""
        return self._writer.picture_size if self._writer is not None else None

    @property
    def fault(self) -> OSError | None:
        """Why the disk does not take anything at the moment."""
        return self._writer.fault if self._writer is not None else None

    @property
    def wants_key_frame(self) -> bool:
        """Whether nothing can be written before the next key frame."""
        return not self._closed and (self._writer is None or self._writer.wants_key_frame)

    def video(
        self,
        codec: Codec,
        dts_us: int,
        data: bytes,
        *,
        key: bool,
        reference_lost: bool = False,
        discontinuity: bool = False,
    ) -> None:
        """Take a frame, `data` as in EncodedFrame. One that is no frame of its codec is let go."""
        if self._closed:
            return
        self.video_frames += 1
        if codec is not self.codec:
            if not key:
                return  # of another codec than the open file: nothing can be decoded before its first key frame
            self._open(codec, dts_us)
        if self._writer is not None:
            lost = {"reference_lost": reference_lost, "discontinuity": discontinuity}
            try:
                self._writer.video(dts_us + self._shift_us, data, key=key, **lost)
            except MalformedError as error:
                self._note_malformed(error)

    def audio(self, dts_us: int, data: bytes) -> None:
        """Take an Opus packet."""
        if self._closed or self._writer is None:
            return
        self.audio_frames += 1
        try:
            self._writer.audio(dts_us + self._shift_us, data)
        except MalformedError as error:
            self._note_malformed(error)

    def tick(self, now_us: int, *, missing: bool) -> None:
        """Let time pass while the publisher is alive; `missing`: video packets are being waited for."""
        if self._writer is not None and not self._closed:
            self._writer.tick(now_us + self._shift_us, missing=missing)

    def split(self, now_us: int) -> None:
        """End the open file; what comes next is another run on disk, beginning with a key frame."""
        self._end_file(now_us + self._shift_us)
        self.codec = None

    def close(self, now_us: int) -> None:
        """Write what waits and end the run; `now_us` is when the publisher was last alive."""
        if not self._closed:
            self._closed = True
            self._end_file(now_us + self._shift_us)

    def _open(self, codec: Codec, dts_us: int) -> None:
        self._end_file(dts_us + self._shift_us)
        self._shift_us = max(0, self.end_us - dts_us)
        if self._shift_us:
            log.warning("run.clock_went_back", shift_ms=self._shift_us // 1000)
        self.codec = codec
        self._writer = self._make_writer(self._directory, codec, self._audio)

    def _end_file(self, end_us: int) -> None:
        if self._writer is not None:
            self._writer.close(end_us)
            self.end_us = max(self.end_us, end_us)
            self._writer = None

    def _note_malformed(self, error: MalformedError) -> None:
        self._malformed += 1
        if self._malformed == 1:  # a broken publisher sends thirty a second
            log.warning("run.malformed_frame", error=str(error))


def writer_maker(
    sync: Callable[[list[int]], None], new_run_id: Callable[[], bytes], segment_us: int, fragment_us: int
) -> MakeWriter:
    """Make writers that all sync the same way and have the same lengths."""

    def make(directory: Path, codec: Codec, audio: bool) -> RunWriter:
        return RunWriter(
            directory,
            format=FORMATS[codec](),
            run_id=new_run_id(),
            audio=audio,
            sync=sync,
            segment_us=segment_us,
            fragment_us=fragment_us,
        )

    return make
