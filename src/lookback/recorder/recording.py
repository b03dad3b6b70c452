"""One session in a worker: its directory, its current publisher, and what it tells the API."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Literal

import structlog

from lookback.errors import LookbackError
from lookback.recorder.control import Event, SessionMoved, SessionSpec, SessionStats
from lookback.recorder.run import Run
from lookback.recorder.sources import SourceStats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.recorder.run import MakeWriter
    from lookback.recorder.session_directory import SessionDirectory
    from lookback.recorder.sources import Source

log = structlog.get_logger(__name__)

RECLAIM_EVERY_US = 1_000_000
REPLACED = "The publisher connects anew"
BROKEN = "Receiving from the publisher failed"

_FAULTS = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EROFS: "The buffer is read-only",
    errno.EACCES: "The recorder may not write to the buffer",
    errno.ENOENT: "The buffer's directory has vanished",
    errno.EIO: "The disk reports errors",
    errno.ENODEV: "The buffer's disk is not mounted",
    errno.ESTALE: "The buffer's network mount is stale",
}


def fault_sentence(error: OSError) -> str:
    """Say in words, without paths, why the buffer cannot be written."""
    return _FAULTS.get(error.errno or 0, "The buffer cannot be written")


class Recording:
    """Records whatever source is attached; says through `emit` what becomes of the session.

    Its owner calls `tick` every 20 ms. Nothing here waits for the disk but `open` and `close`, off the loop.
    """

    def __init__(
        self,
        spec: SessionSpec,
        directory: SessionDirectory,
        *,
        make_writer: Callable[[Callable[[OSError | None], None]], MakeWriter],
        clock: Callable[[], int],
        emit: Callable[[Event], None],
    ) -> None:
        self.spec = spec
        self._directory = directory
        self._make_writer = make_writer(self._synced)
        self._clock = clock
        self._emit = emit
        self._source: Source | None = None
        self._run: Run | None = None
        self._announced: tuple[object, ...] | None = None
        self._ever_recorded = directory.holds_segments
        self._end_us = 0
        self._sync_fault: OSError | None = None
        self._fault: str | None = None
        self._held = False
        self._reclaim_at_us = 0
        self._reclaiming: asyncio.Future[None] | None = None
        self._not_reclaimed: OSError | None = None
        self.following: asyncio.Task[None] | None = None

    @property
    def ever_recorded(self) -> bool:
        """Whether there is anything to continue."""
        return self._ever_recorded

    @property
    def path(self) -> Path:
        """The session's directory."""
        return self._directory.path

    @property
    def recorded_until_us(self) -> int:
        """Where the samples end of the sources that are over."""
        return self._end_us

    @property
    def source(self) -> Source | None:
        """What is being recorded."""
        return self._source

    async def open(self) -> None:
        """Claim the directory; raises OSError, or NoCapacityError when another recorder has it."""
        await asyncio.to_thread(self._directory.claim)
        self._end_us = await asyncio.to_thread(self._directory.until_us)

    def attach(self, source: Source) -> Run:
        """Record a source from now on, in a new run."""
        if self._source is not None:
            was_recording = self._announced is not None
            self.detach()
            if was_recording:
                self._move("interrupted", REPLACED)
        self._source = source
        self._run = Run(
            self._directory.path, audio=source.audio, not_before_us=self._end_us, make_writer=self._make_writer
        )
        self._run.hold(held=self._held)
        return self._run

    def hold(self, *, held: bool) -> None:
        """Pause, as if the disk were full, or go on. The publisher stays."""
        self._held = held
        if self._run is not None:
            self._run.hold(held=held)

    def detach(self) -> None:
        """End the run: where the publisher was last heard, or now when it still was."""
        if self._run is not None:
            self._run.close(self._last_alive_us())
            self._end_us = self._run.end_us
        self._source = self._run = self._announced = None

    async def follow(self, source: Source, run: Run, *, again: bool = False) -> bool:
        """Feed `run` until its source ends by itself; tell why. False when another source took over meanwhile.

        `again`: the source will be started again, so a session that has recorded nothing yet has not failed.
        """
        try:
            cause = await source.run(run)
        except Exception:  # a fault in one publisher's code must not end the others
            log.exception("source.failed", session=self.spec.session_id)
            cause = BROKEN
        if self._source is not source:
            return False
        self.detach()
        if self._ever_recorded or not again:
            self._move("interrupted" if self._ever_recorded else "failed", cause)
        return True

    def give_up(self, cause: str) -> None:
        """There will be no other source: a session that has recorded nothing has failed."""
        if self._source is None and not self._ever_recorded:
            self._move("failed", cause)

    def tell(self, trouble: str | None) -> None:
        """Say what is wrong with what a source delivers, or with None that nothing is any more."""
        self._move("degraded" if trouble else "restored", trouble or "What comes is whole again")

    def abandon(self) -> None:
        """Give a broken source up."""
        self.detach()
        if self.following is not None:
            self.following.cancel()
        self._move("interrupted" if self._ever_recorded else "failed", BROKEN)

    async def close(self, to: Literal["stopped", "interrupted"], cause: str) -> None:
        """End source, run and session file; what is buffered stays."""
        self.detach()
        if self.following is not None:
            self.following.cancel()
            await asyncio.wait([self.following])
        await self.leave(cause)
        self._move(to, cause)

    async def leave(self, cause: str) -> None:
        """Note in the directory that nobody records any more."""
        try:
            await asyncio.to_thread(self._directory.end, self._clock(), cause)
        except OSError as error:
            # The session is over either way; what its file says is repaired at the next start.
            log.warning("session.not_closed", session=self.spec.session_id, error=str(error))

    def tick(self, now_us: int) -> None:
        """Do what is due for source, run and state."""
        source, run = self._source, self._run
        if source is None or run is None:
            return
        source.tick(now_us)
        last_us = source.last_packet_us
        if last_us is not None and now_us - last_us <= source.patience_us:
            run.tick(now_us, missing=source.repairing())
        if run.wants_key_frame:
            source.request_key_frame(now_us)
        self._announce(run)
        self._watch_disk(run, now_us)

    def stats(self) -> SessionStats:
        """Counters for the status."""
        source = self._source.stats() if self._source is not None else SourceStats(connected=False)
        run = self._run
        width, height = (run and run.picture_size) or (None, None)
        return SessionStats(
            session_id=self.spec.session_id,
            connected=source.connected,
            recording=self._announced is not None,
            storage_fault=self._fault,
            video_codec=run.codec if run else None,
            audio_codec=run.audio_codec if run else None,
            width=width,
            height=height,
            segment=run.stats.segment if run else 0,
            bytes_written=run.stats.bytes_written if run else 0,
            lag_us=run.lag_us if run else 0,
            gap_us=run.gap_us if run else 0,
            video_frames=run.video_frames if run else 0,
            audio_frames=run.audio_frames if run else 0,
            packets=source.packets,
            packets_lost=source.packets_lost,
            nacks_sent=source.nacks_sent,
            retransmissions=source.retransmissions,
            key_frame_requests=source.key_frame_requests,
            last_packet_us=self._source.last_packet_us if self._source is not None else None,
        )

    def storage_move(self) -> Event | None:
        """The storage fault that lasts, for somebody who has not heard of it."""
        return self._moved("storage-failing", self._fault) if self._fault else None

    def _last_alive_us(self) -> int:
        source, now_us = self._source, self._clock()
        last_us = source.last_packet_us if source is not None else None
        if source is None or last_us is None or now_us - last_us <= source.patience_us:
            return now_us
        return last_us

    def _announce(self, run: Run) -> None:
        """Tell once per file's codec that a key frame is on disk."""
        if not run.committed or self._announced == (run, run.codec):
            return
        self._announced = (run, run.codec)
        self._ever_recorded = True
        self._move("recording", "The first key frame is on disk")

    def _watch_disk(self, run: Run, now_us: int) -> None:
        fault = run.fault or self._sync_fault
        if fault is None:
            self._not_reclaimed = None
        sentence = fault_sentence(self._not_reclaimed or fault) if fault is not None else None
        if sentence != self._fault:
            self._fault = sentence
            log.warning("session.storage", session=self.spec.session_id, fault=sentence)
            self._move("storage-failing" if sentence else "storage-recovered", sentence or "Writing works again")
        if (fault is not None or not self._directory.is_claimed) and now_us >= self._reclaim_at_us:
            self._reclaim_at_us = now_us + RECLAIM_EVERY_US
            self._reclaim()

    def _reclaim(self) -> None:
        """Make the directory anew if it has vanished or is another one now, so that the writer can recover."""
        if self._reclaiming is None and not self._directory.is_ours:
            loop = asyncio.get_running_loop()
            self._reclaiming = loop.run_in_executor(None, self._directory.claim)
            self._reclaiming.add_done_callback(self._reclaimed)

    def _reclaimed(self, attempt: asyncio.Future[None]) -> None:
        self._reclaiming = None
        error = None if attempt.cancelled() else attempt.exception()
        self._not_reclaimed = error if isinstance(error, OSError) else None
        if error is not None and not isinstance(error, OSError | LookbackError):
            raise error

    def _synced(self, fault: OSError | None) -> None:
        self._sync_fault = fault

    def _move(self, to: MoveTo, cause: str) -> None:
        self._emit(self._moved(to, cause))

    def _moved(self, to: MoveTo, cause: str) -> Event:
        run = self._run
        width, height = (run and run.picture_size) or (None, None)
        return SessionMoved(
            session_id=self.spec.session_id,
            to=to,
            cause=cause,
            at_us=self._clock(),
            video_codec=run.codec if run else None,
            audio_codec=run.audio_codec if run else None,
            width=width,
            height=height,
        )


MoveTo = Literal[
    "recording",
    "interrupted",
    "failed",
    "stopped",
    "storage-failing",
    "storage-recovered",
    "degraded",
    "restored",
]
