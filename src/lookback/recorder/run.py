"""One run of a session: a publisher's samples on their way to disk, in the container of their codec."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import structlog

from lookback.buffer.patience import Memory, PatientWriter
from lookback.buffer.writer import RunWriter, WriterStats
from lookback.errors import MalformedError
from lookback.media.segment import FORMATS
from lookback.media.sound import OPUS, Sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.media.index import LossCause
    from lookback.media.samples import Codec
    from lookback.recorder.config import RecorderConfig
    from lookback.recorder.sync_pool import SyncPool

    MakeWriter = Callable[[Path, Codec, Sound | None], PatientWriter]

log = structlog.get_logger(__name__)

LONGEST_TICK_US = 2_000_000
"""Ticks come every 20 ms: when more seems to have passed, somebody set the clock or this process stood still."""

LONGEST_PAUSE_US = 15_000_000
"""A publisher silent for so long is given up: samples further ahead than that do not continue the picture before."""


class Run:
    """Takes samples until it is closed; after that it lets them go.

    A change of the video codec ends one file and starts another, as a run of its own on disk. `not_before_us` is
    where the session's earlier samples end: the buffer's time never goes back, even when the host's clock does.
    The run's own time is that of its newest sample, plus what has passed since in ticks: a clock that is set makes
    nothing last for hours.
    """

    def __init__(self, directory: Path, *, audio: bool, not_before_us: int, make_writer: MakeWriter) -> None:
        self._directory = directory
        self._sound: Sound | None = OPUS if audio else None
        self._make_writer = make_writer
        self._writer: PatientWriter | None = None
        self._shift_us = 0
        self._closed = False
        self._malformed = 0
        self._held = False
        self._time_us = 0
        self._newest_us = 0
        self._synced_us = 0
        self._ticked_us: int | None = None
        self.end_us = not_before_us
        self.codec: Codec | None = None
        self.video_frames = 0
        self.audio_frames = 0
        self._gap_us = 0

    @property
    def audio_codec(self) -> str | None:
        """What the audio track is declared as."""
        return self._sound.codec.value if self._sound is not None else None

    @property
    def committed(self) -> bool:
        """Whether a key frame of the current file's run is on disk."""
        return self._writer is not None and self._writer.stats.video_samples > 0

    @property
    def stats(self) -> WriterStats:
        """Counts of the current writer."""
        return self._writer.stats if self._writer is not None else WriterStats()

    @property
    def lag_us(self) -> int:
        """How long what came last waits to be written."""
        return self._writer.lag_us if self._writer is not None else 0

    @property
    def gap_us(self) -> int:
        """How much is missing between the session's earlier samples and the newest one, as far as it is written."""
        return self._gap_us + self.stats.lost_us

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

    def hold(self, *, held: bool) -> None:
        """Let everything go as on a full disk, until told otherwise."""
        self._held = held
        if self._writer is not None:
            self._writer.held = held

    def video(
        self,
        codec: Codec,
        dts_us: int,
        data: bytes,
        *,
        key: bool,
        reference_lost: bool = False,
        discontinuity: bool = False,
        cts_us: int = 0,
    ) -> None:
        """Take a frame, `data` as in EncodedFrame. One that is no frame of its codec is let go.

        `cts_us`: how much later than at `dts_us` it is shown; see PendingSample.
        """
        if self._closed:
            return
        self.video_frames += 1
        self._note_instant(dts_us)
        if codec is not self.codec:
            if not key:
                return  # of another codec than the open file: nothing can be decoded before its first key frame
            self._open(codec, dts_us)
        if self._writer is not None:
            lost = {"reference_lost": reference_lost, "discontinuity": discontinuity}
            try:
                self._writer.video(dts_us + self._shift_us, data, key=key, cts_us=cts_us, **lost)
            except MalformedError as error:
                self._note_malformed(error)

    def audio(self, dts_us: int, data: bytes) -> None:
        """Take a packet of the audio track."""
        if self._closed:
            return
        self.audio_frames += 1
        self._note_instant(dts_us)
        if self._writer is None:
            return
        try:
            self._writer.audio(dts_us + self._shift_us, data)
        except MalformedError as error:
            self._note_malformed(error)

    def hear(self, sound: Sound) -> None:
        """Say what the packets of the audio track are, when they are not Opus; another codec is another file."""
        if self._sound is not None and self._sound != sound:
            if self._writer is not None:
                self.split()
            self._sound = sound

    def miss(self, until_us: int, cause: LossCause) -> None:
        """What should have come before the next frame, at `until_us`, never will."""
        if self._writer is not None and not self._closed:
            self._writer.miss(until_us + self._shift_us, cause)

    def lack(self, start_us: int, end_us: int, cause: LossCause) -> None:
        """Something is lost of a stretch whose pictures have come."""
        if self._writer is not None and not self._closed:
            self._writer.lack(start_us + self._shift_us, end_us + self._shift_us, cause)

    def flush(self, until_us: int) -> None:
        """Write all there is; the newest frame is shown until `until_us`."""
        if self._writer is not None and not self._closed:
            self._newest_us = max(self._newest_us, until_us)
            self._writer.flush(until_us + self._shift_us)

    def tick(self, now_us: int, *, missing: bool) -> None:
        """Let time pass while the publisher is alive; `missing`: video packets are being waited for."""
        time_us = self._advance(now_us)
        if self._writer is not None and not self._closed:
            self._writer.tick(time_us + self._shift_us, missing=missing)

    def split(self) -> None:
        """End the open file; what comes next is another run on disk, beginning with a key frame."""
        self._end_file(max(self._time_us, self._newest_us) + self._shift_us)
        self.codec = None
        self._newest_us = 0

    def close(self, now_us: int) -> None:
        """Write what waits and end the run; `now_us` is when the publisher was last alive."""
        if not self._closed:
            self._closed = True
            time_us = self._advance(now_us)
            end_us = now_us if 0 <= now_us - time_us <= LONGEST_TICK_US else time_us
            self._end_file(end_us + self._shift_us)

    def _advance(self, now_us: int) -> int:
        """Let the run's time pass."""
        passed_us = 0 if self._ticked_us is None else now_us - self._ticked_us
        self._ticked_us = now_us
        if self._newest_us != self._synced_us:
            self._time_us = self._synced_us = self._newest_us
        elif 0 <= passed_us <= LONGEST_TICK_US:
            self._time_us += passed_us
        return self._time_us

    def _note_instant(self, dts_us: int) -> None:
        if self._newest_us and dts_us - max(self._newest_us, self._time_us) > LONGEST_PAUSE_US:
            log.warning("run.jumped", ahead_ms=(dts_us - self._newest_us) // 1000)
            self.split()
        self._newest_us = max(self._newest_us, dts_us)

    def _open(self, codec: Codec, dts_us: int) -> None:
        self._end_file(dts_us + self._shift_us)
        self._shift_us = max(0, self.end_us - dts_us)
        if self._shift_us:
            log.warning("run.clock_went_back", shift_ms=self._shift_us // 1000)
        if self.end_us:
            self._gap_us += dts_us + self._shift_us - self.end_us
        self.codec = codec
        self._writer = self._make_writer(self._directory, codec, self._sound)
        self._writer.held = self._held

    def _end_file(self, end_us: int) -> None:
        if self._writer is not None:
            self._writer.close(end_us)
            self._gap_us += self._writer.stats.lost_us
            self.end_us = max(self.end_us, end_us)
            self._writer = None

    def _note_malformed(self, error: MalformedError) -> None:
        self._malformed += 1
        if self._malformed == 1:  # a broken publisher sends thirty a second
            log.warning("run.malformed_frame", error=str(error))


def writer_maker(
    sync: Callable[[list[int]], None],
    new_run_id: Callable[[], bytes],
    segment_us: int,
    fragment_us: int,
    memory: Memory | None = None,
) -> MakeWriter:
    """Make writers that all sync the same way, have the same lengths, and share what they may keep in memory."""
    shared = memory or Memory()

    def make(directory: Path, codec: Codec, audio: Sound | None) -> PatientWriter:
        writer = RunWriter(
            directory,
            format=FORMATS[codec](),
            run_id=new_run_id(),
            audio=audio,
            sync=sync,
            segment_us=segment_us,
            fragment_us=fragment_us,
        )
        return PatientWriter(writer, shared)

    return make


def writers_over(pool: SyncPool, config: RecorderConfig) -> Callable[[Callable[[OSError | None], None]], MakeWriter]:
    """What makes a session's writers as a worker is configured; the pool says to the session what became of a sync."""
    memory = Memory()

    def of_session(synced: Callable[[OSError | None], None]) -> MakeWriter:
        return writer_maker(
            lambda fds: pool.submit(fds, synced),
            lambda: secrets.token_bytes(8),
            round(config.segment_seconds * 1e6),
            round(config.fragment_seconds * 1e6),
            memory,
        )

    return of_session
