"""One track of a publisher: its current SSRC, its frames, and its requests for key frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.media import rtcp
from lookback.media.frames import AudioFrames, FrameSink, VideoFrames
from lookback.media.keyframes import KeyFrameRequests, StreamState
from lookback.media.samples import Codec, Track
from lookback.media.stream import StreamReceiver
from lookback.media.timestamps import Timestamps

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.media.frames import Frames
    from lookback.media.samples import EncodedFrame
    from lookback.media.stats import StreamStats
    from lookback.media.stream import Connection

_SHORTEST_STAY_US = 1_000_000  # a track changes its SSRC no more often than this
_SILENT_US = 2_000_000  # an SSRC that had been left is taken up again after this much silence of its successor
_REMEMBERED = 32
_RATE = {codec.track: codec.clock_rate for codec in Codec}


class TrackReceiver:
    """Follows one track over changes of its SSRC. The newest SSRC is the track; older ones are not heard again."""

    def __init__(
        self,
        connection: Connection,
        track: Track,
        stats: StreamStats,
        on_frame: Callable[[EncodedFrame], None],
        on_restart: Callable[[Track], None],
    ) -> None:
        self.track = track
        self.stats = stats
        self.stream: StreamReceiver | None = None
        self.timestamps = Timestamps(_RATE[track], connection.clock)
        self._connection = connection
        sink = FrameSink(track, stats, self.timestamps, on_frame, on_restart)
        self._frames: Frames = VideoFrames(sink) if track is Track.VIDEO else AudioFrames(sink)
        self._left: dict[int, None] = {}  # SSRCs this track had, oldest first
        self._since_us = 0
        self._ended = False

    def may_become(self, ssrc: int, now_us: int) -> bool:
        """Tell whether an SSRC that nobody declared may take this track over."""
        stream, last_us = self.stream, self.stats.last_packet_us
        if stream is None or not stream.started or self._ended or last_us is None:
            return True
        silent = now_us - last_us >= _SILENT_US
        return silent or (ssrc not in self._left and now_us - self._since_us >= _SHORTEST_STAY_US)

    def become(self, ssrc: int, now_us: int, *, nack: bool) -> StreamReceiver:
        """Continue this track on an SSRC; what waited on the one before is handed on first."""
        before = self.stream
        stream = StreamReceiver(self._connection, self.track, ssrc, self._frames, self.stats, nack=nack)
        if before is not None and before.started:
            before.flush(now_us)
            self._frames.restart()
            self._leave(before)
        self._left.pop(ssrc, None)
        self.stream = stream
        self._since_us = now_us
        self._ended = False
        return stream

    def may_repair_with(self, rtx_ssrc: int) -> bool:
        """Tell whether an SSRC that nobody declared may be this track's retransmissions."""
        return self.stream is not None and self.stream.rtx_ssrc is None and rtx_ssrc not in self._left

    def end(self) -> None:
        """Note a goodbye: the next SSRC is taken at once."""
        self._ended = True

    def tick(self, now_us: int, steady_us: int) -> None:
        """Run the timers."""
        if self.stream is not None:
            self.stream.tick(now_us, steady_us)

    def _leave(self, stream: StreamReceiver) -> None:
        self._left[stream.ssrc] = None
        if stream.rtx_ssrc is not None:
            self._left[stream.rtx_ssrc] = None
        while len(self._left) > _REMEMBERED:
            del self._left[next(iter(self._left))]


class VideoReceiver(TrackReceiver):
    """The video track, which asks for key frames."""

    def __init__(
        self,
        connection: Connection,
        stats: StreamStats,
        on_frame: Callable[[EncodedFrame], None],
        on_restart: Callable[[Track], None],
        *,
        sfu: bool,
    ) -> None:
        super().__init__(connection, Track.VIDEO, stats, on_frame, on_restart)
        self._requests = KeyFrameRequests(sfu=sfu)
        self._asking: StreamReceiver | None = None  # the stream whose first packet has been noted
        self._keys = 0

    def wish_key_frame(self) -> None:
        """Ask for a key frame as soon as the rules allow."""
        self._requests.wish()

    def tick(self, now_us: int, steady_us: int) -> None:
        """Run the timers."""
        super().tick(now_us, steady_us)
        stream = self.stream
        if stream is None or not stream.started:
            return
        if stream is not self._asking:
            self._asking = stream
            self._requests.stream_started(steady_us)
        if self.stats.key_frames != self._keys:
            self._keys = self.stats.key_frames
            self._requests.key_frame_came(steady_us)
        state = StreamState(
            lost=self._frames.lost,
            missing_us=stream.missing_us(steady_us),
            silent_us=now_us - (self.stats.last_packet_us or now_us),
            changed=self._frames.since_key > 0,
        )
        if self._requests.due(state, steady_us):
            self.stats.key_frame_requests += 1
            self._connection.send_rtcp(rtcp.PictureLoss(self._connection.our_ssrc, stream.ssrc).pack())
