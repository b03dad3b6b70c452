"""A WHIP publisher as a source: its frames on the wall clock, its end in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.media.samples import Codec, Track
from lookback.media.timeline import Timeline
from lookback.recorder import whip
from lookback.recorder.sources import MEDIA_CLOSED, SILENT, SourceStats

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.media.samples import EncodedFrame
    from lookback.recorder.endpoint import Endpoint
    from lookback.recorder.run import Run

_FAILED = "failed: "


class WhipSource:
    """Made from an offer (raises what WhipPublisher raises); `answer` and `etag` are what to reply."""

    def __init__(self, endpoint: Endpoint, offer: str, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._run: Run | None = None
        self._timeline = Timeline()
        self.publisher = whip.WhipPublisher(
            endpoint,
            offer,
            clock=clock,
            on_frame=self._frame,
            on_sender_report=self._sender_report,
            on_restart=self._restarted,
        )

    @property
    def audio(self) -> bool:
        """See Source."""
        return self.publisher.audio_codec is not None

    @property
    def last_packet_us(self) -> int | None:
        """See Source."""
        return self.publisher.receiver.stats.last_packet_us

    async def run(self, run: Run) -> str:
        """See Source."""
        self._run = run
        cause = await self.publisher.run()
        self.publisher.receiver.flush(self._clock())
        return _sentence(cause)

    async def discard(self) -> None:
        """Give back what the constructor took, without ever having received anything."""
        self.publisher.close()
        await self.publisher.run()

    def tick(self, now_us: int) -> None:
        """See Source."""
        self.publisher.tick(now_us)

    def repairing(self) -> bool:
        """See Source."""
        return self.publisher.receiver.repairing(Track.VIDEO)

    def request_key_frame(self, now_us: int) -> None:
        """See Source."""
        self.publisher.receiver.request_key_frame(now_us)

    def stats(self) -> SourceStats:
        """See Source."""
        total = self.publisher.receiver.stats
        tracks = (total.video, total.audio)
        return SourceStats(
            connected=self.publisher.connected,
            packets=sum(track.packets for track in tracks),
            packets_lost=sum(track.lost for track in tracks),
            nacks_sent=sum(track.nacks_sent for track in tracks),
            retransmissions=sum(track.retransmissions for track in tracks),
            key_frame_requests=sum(track.key_frame_requests for track in tracks),
        )

    def _frame(self, frame: EncodedFrame) -> None:
        run = self._run
        if run is None:
            return
        if frame.codec is Codec.OPUS:
            run.audio(self._timeline.to_utc_us(frame), frame.data)
            return
        if frame.key and self._timeline.stepped_us > 0:
            # The host's clock was set forward: from here on by the new one. Backward is never followed inside a run.
            run.split()
            self._timeline = Timeline()
        at_us = self._timeline.to_utc_us(frame)
        run.video(
            frame.codec,
            at_us,
            frame.data,
            key=frame.key,
            reference_lost=frame.reference_lost,
            discontinuity=frame.discontinuity,
        )

    def _sender_report(self, track: Track, rtp_time: int, ntp_us: int, arrival_us: int) -> None:
        self._timeline.sender_report(track, rtp_time, ntp_us, arrival_us)

    def _restarted(self, track: Track) -> None:
        self._timeline.restarted(track)


def _sentence(cause: str) -> str:
    """What people read of the causes that WhipPublisher.run returns."""
    if cause == whip.SILENT:
        return SILENT
    if cause == whip.ENDED_BY_PUBLISHER:
        return MEDIA_CLOSED
    text = cause.removeprefix(_FAILED)
    return text[:1].upper() + text[1:]
