"""The media of one publisher's transport: decrypted packets in, whole encoded frames and RTCP out."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lookback.errors import MalformedError
from lookback.media import rtcp, rtp
from lookback.media.hostclock import HostClock
from lookback.media.samples import Track
from lookback.media.stats import ReceiverStats
from lookback.media.stream import Connection
from lookback.media.tracks import TrackReceiver, VideoReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lookback.media.samples import Codec, EncodedFrame
    from lookback.media.stream import StreamReceiver

    Route = Callable[[bytes, int], None]

_REPORT_EVERY_US = 1_000_000
_MOST_EARLY = 500  # packets kept until their SSRC is declared


def _ignore(*_: object) -> None:
    """Stand in for a callback nobody gave."""


class Receiver:
    """Receives one video and one audio track.

    `payloads` says which codec a payload type is, `rtx` which payload type a retransmission's repeats.
    `nack_audio`: ask for missing audio again. `sfu`: the other end is a selective forwarding unit; tracks share
    payload types there, so packets wait until `declare` names their SSRC, and key frames are asked for only when
    nothing can be repaired any more.

    `on_frame` gets the frames of both tracks, each track in decoding order with growing `rtp_time`. `send_rtcp` gets
    RTCP to encrypt and send. `on_sender_report(track, rtp_time, ntp_us, arrival_us)` relates the sender's clock to
    `rtp_time`. `on_restart(track)` comes before the first frame after a change of SSRC, numbering or clock: from
    there on `rtp_time` is related to the time before by arrival only. `on_bye(ssrc)` says that a source ended.

    No packet makes it raise; what callbacks raise passes through.
    """

    def __init__(
        self,
        payloads: Mapping[int, Codec],
        rtx: Mapping[int, int],
        *,
        on_frame: Callable[[EncodedFrame], None],
        send_rtcp: Callable[[bytes], None],
        our_ssrc: int,
        nack_audio: bool,
        sfu: bool = False,
        on_sender_report: Callable[[Track, int, int, int], None] = _ignore,
        on_bye: Callable[[int], None] = _ignore,
        on_restart: Callable[[Track], None] = _ignore,
    ) -> None:
        self.stats = ReceiverStats()
        self._clock = HostClock()
        self._connection = Connection(payloads, rtx, our_ssrc, send_rtcp, self._clock)
        self._video = VideoReceiver(self._connection, self.stats.video, on_frame, on_restart, sfu=sfu)
        self._audio = TrackReceiver(self._connection, Track.AUDIO, self.stats.audio, on_frame, on_restart)
        self._tracks = {Track.VIDEO: self._video, Track.AUDIO: self._audio}
        self._nack = {Track.VIDEO: True, Track.AUDIO: nack_audio}
        self._sfu = sfu
        self._on_sender_report = on_sender_report
        self._on_bye = on_bye
        self._routes: dict[bytes, Route] = {}  # by SSRC as sent
        self._early: deque[tuple[bytes, int]] = deque(maxlen=_MOST_EARLY)
        self._report_at_us: int | None = None

    def declare(self, track: Track, ssrc: int, rtx_ssrc: int | None = None) -> None:
        """Say which SSRC a track has, as SDP does. Another one than before is a restart of the track."""
        receiver = self._tracks[track]
        stream = receiver.stream
        if stream is None or stream.ssrc != ssrc:
            stream = self._switch(receiver, ssrc, self._clock.wall_us or 0)
        if rtx_ssrc is not None:
            self._bind_rtx(stream, rtx_ssrc)
        early = [(data, at_us) for data, at_us in self._early if data[8:12] in self._routes]
        self._early = deque((entry for entry in self._early if entry[0][8:12] not in self._routes), _MOST_EARLY)
        for data, at_us in early:
            self._routes[data[8:12]](data, at_us)

    def packet(self, data: bytes, now_us: int) -> None:
        """Take a decrypted RTP or RTCP packet that arrived at `now_us` (UTC)."""
        self._clock.read(now_us)
        self.stats.last_packet_us = now_us
        route = self._routes.get(data[8:12])
        if route is None or 192 <= data[1] <= 223:
            self._unrouted(data, now_us)
        else:
            route(data, now_us)

    def tick(self, now_us: int) -> None:
        """Run the timers; call it about every 20 ms."""
        steady_us = self._clock.read(now_us)
        self._video.tick(now_us, steady_us)
        self._audio.tick(now_us, steady_us)
        if self._report_at_us is None:
            self._report_at_us = steady_us + _REPORT_EVERY_US
        elif steady_us >= self._report_at_us:
            self._report_at_us = steady_us + _REPORT_EVERY_US
            self._report(steady_us)

    def request_key_frame(self, now_us: int) -> None:
        """Ask the publisher for a key frame, now or as soon as the rules allow."""
        self._video.wish_key_frame()
        self._video.tick(now_us, self._clock.read(now_us))

    def repairing(self, track: Track) -> bool:
        """Tell whether frames of a track are held back because packets before them are missing."""
        stream = self._tracks[track].stream
        return stream is not None and stream.repairing

    def flush(self, now_us: int) -> None:
        """Hand on the frames that wait for missing packets, because no more packets will come."""
        for track in self._tracks.values():
            if track.stream is not None:
                track.stream.flush(now_us)

    def _unrouted(self, data: bytes, now_us: int) -> None:
        if rtp.is_rtcp(data):
            self._rtcp(data, now_us)
        elif len(data) < rtp.HEADER_SIZE or data[0] >> 6 != 2:
            self.stats.malformed += 1
        elif self._sfu:
            self._early.append((data, now_us))
        else:
            self._learn(data, now_us)

    def _learn(self, data: bytes, now_us: int) -> None:
        """Find the track of an SSRC that nobody declared by its payload type."""
        payload_type, ssrc = data[1] & 0x7F, int.from_bytes(data[8:12], "big")
        repeated = self._connection.rtx.get(payload_type)
        codec = self._connection.payloads.get(payload_type if repeated is None else repeated)
        track = None if codec is None else self._tracks[codec.track]
        if track is None:
            self.stats.ignored += 1
        elif repeated is not None:
            if track.stream is not None and track.may_repair_with(ssrc):
                self._bind_rtx(track.stream, ssrc)
                track.stream.rtx(data, now_us)
        elif track.may_become(ssrc, now_us):
            self._switch(track, ssrc, now_us)
            self._routes[data[8:12]](data, now_us)
        else:
            track.stats.ignored += 1

    def _switch(self, track: TrackReceiver, ssrc: int, now_us: int) -> StreamReceiver:
        before = track.stream
        if before is not None:
            self._unbind(before.ssrc)
            self._unbind(before.rtx_ssrc)
        stream = track.become(ssrc, now_us, nack=self._nack[track.track])
        self._routes[ssrc.to_bytes(4, "big")] = stream.rtp
        return stream

    def _bind_rtx(self, stream: StreamReceiver, rtx_ssrc: int) -> None:
        self._unbind(stream.rtx_ssrc)
        stream.rtx_ssrc = rtx_ssrc
        self._routes[rtx_ssrc.to_bytes(4, "big")] = stream.rtx

    def _unbind(self, ssrc: int | None) -> None:
        if ssrc is not None:
            self._routes.pop(ssrc.to_bytes(4, "big"), None)

    def _rtcp(self, data: bytes, now_us: int) -> None:
        try:
            for packet in rtcp.read_compound(data):
                if isinstance(packet, rtcp.SenderReport):
                    self._sender_report(packet, now_us)
                elif isinstance(packet, rtcp.Goodbye):
                    self._goodbye(packet)
        except MalformedError:
            self.stats.malformed += 1

    def _sender_report(self, report: rtcp.SenderReport, now_us: int) -> None:
        track = self._owner(report.ssrc)
        if track is None or track.stream is None:
            return
        track.stream.sender_report(report, now_us + self._clock.shift_us)
        rtp_time = track.timestamps.near(report.rtp_time)
        if rtp_time is not None and report.ntp:  # 0: the sender has no clock (RFC 3550 section 6.4.1)
            self._on_sender_report(track.track, rtp_time, report.ntp_us, now_us)

    def _goodbye(self, goodbye: rtcp.Goodbye) -> None:
        for ssrc in goodbye.ssrcs:
            track = self._owner(ssrc)
            if track is not None:
                track.end()
                self._on_bye(ssrc)

    def _owner(self, ssrc: int) -> TrackReceiver | None:
        """Return the track whose media SSRC this is."""
        for track in self._tracks.values():
            if track.stream is not None and track.stream.ssrc == ssrc:
                return track
        return None

    def _report(self, steady_us: int) -> None:
        streams = [track.stream for track in self._tracks.values() if track.stream is not None]
        blocks = [block for stream in streams if (block := stream.report(steady_us)) is not None]
        if blocks:
            our_ssrc = self._connection.our_ssrc
            self._connection.send_rtcp(rtcp.write_report(our_ssrc, blocks, b"%08x" % our_ssrc))
