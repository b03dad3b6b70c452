"""The frames of a receiver on the wall clock, into a run: what every source that receives RTP does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.media.samples import Codec
from lookback.media.timeline import Timeline
from lookback.recorder.sources import SourceStats

if TYPE_CHECKING:
    from lookback.media.receiver import Receiver
    from lookback.media.samples import EncodedFrame, Track
    from lookback.recorder.run import Run


class WallClockFeed:
    """Feeds `run` with what a Receiver calls back: its `on_frame`, `on_sender_report` and `on_restart`.

    Frames that come before there is a run are let go.
    """

    def __init__(self) -> None:
        self._timeline = Timeline()
        self.run: Run | None = None

    def frame(self, frame: EncodedFrame) -> None:
        """Take a frame; see Receiver."""
        run = self.run
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

    def sender_report(self, track: Track, rtp_time: int, ntp_us: int, arrival_us: int) -> None:
        """Relate the sender's clock to RTP time; see Receiver."""
        self._timeline.sender_report(track, rtp_time, ntp_us, arrival_us)

    def restarted(self, track: Track) -> None:
        """Forget how RTP time was related to the wall clock; see Receiver."""
        self._timeline.restarted(track)


def stats_of(receiver: Receiver, *, connected: bool) -> SourceStats:
    """What a source tells of its receiver."""
    tracks = (receiver.stats.video, receiver.stats.audio)
    return SourceStats(
        connected=connected,
        packets=sum(track.packets for track in tracks),
        packets_lost=sum(track.lost for track in tracks),
        nacks_sent=sum(track.nacks_sent for track in tracks),
        retransmissions=sum(track.retransmissions for track in tracks),
        key_frame_requests=sum(track.key_frame_requests for track in tracks),
    )
