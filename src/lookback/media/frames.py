"""Payloads in order become whole frames; what loss has damaged is dropped or flagged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lookback.errors import MalformedError
from lookback.media import h264, opus, vp8
from lookback.media.samples import Codec, EncodedFrame, Track

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookback.media.access_unit import AccessUnit
    from lookback.media.stats import StreamStats
    from lookback.media.timestamps import Timestamps

_LARGEST_FRAME = 8 << 20  # a 4K key frame is below 2 MB; a sender that never ends a frame must not fill the memory
_LARGEST_PARAMETERS = 4096

_FORMATS: dict[Codec, tuple[Callable[[Sequence[bytes]], AccessUnit], Callable[[bytes], bool]]] = {
    Codec.H264: (h264.depacketise, h264.starts_picture),
    Codec.VP8: (vp8.depacketise, vp8.starts_picture),
}


class Frames(Protocol):
    """One track's way from payloads to frames."""

    @property
    def lost(self) -> bool:
        """Whether only a key frame helps."""

    @property
    def since_key(self) -> int:
        """Frames handed on after the last key frame."""

    def is_beginning(self, codec: Codec | None, payload: bytes) -> bool:
        """Tell whether a payload certainly begins a frame."""

    def select(self, codec: Codec) -> None:
        """Say what the payloads to come are; of the same track."""

    def add(self, payload: bytes, stamp: bytes, marker: int, now_us: int) -> None:
        """Take the next payload in sequence; `stamp` is its RTP timestamp as sent, `marker` non-zero ends a frame."""

    def hole(self) -> None:
        """Note that the payloads before the next one are lost."""

    def restart(self) -> None:
        """Note that the next payload is of a new SSRC or numbering."""


class FrameSink:
    """Hands the frames of one track on, with unwrapped time and the flags of what happened before them."""

    __slots__ = ("_broken", "_on_frame", "_on_restart", "stats", "timestamps", "track")

    def __init__(
        self,
        track: Track,
        stats: StreamStats,
        timestamps: Timestamps,
        on_frame: Callable[[EncodedFrame], None],
        on_restart: Callable[[Track], None],
    ) -> None:
        self.track = track
        self.stats = stats
        self.timestamps = timestamps
        self._on_frame = on_frame
        self._on_restart = on_restart
        self._broken = False

    def broken(self) -> None:
        """Flag the next frame as a discontinuity, if there were frames before it."""
        self._broken = self.stats.frames > 0

    def restarted(self) -> None:
        """Count and announce a new SSRC, numbering or clock, if there were frames before it."""
        if self.stats.frames:
            self.stats.restarts += 1
            self._broken = True
            self._on_restart(self.track)

    def emit(self, frame: EncodedFrame) -> None:
        """Count a frame and hand it on."""
        frame.discontinuity = self._broken
        self._broken = False
        self.stats.frames += 1
        self._on_frame(frame)


class VideoFrames:
    """Joins payloads to pictures and follows which of them can still be decoded.

    A picture is decodable when every picture since the last key frame was whole. Frames after a lost one are handed
    on as `reference_lost` until a key frame comes; before the first key frame nothing is.

    A VP8 picture that is older than the one before it is dropped: LiveKit on a busy machine forwarded late ones after
    the next key frame (seen). Decoded there they are torn, and so is all that follows. H.264 may have B-frames.
    """

    __slots__ = (
        "_arrival_us",
        "_codec",
        "_damaged",
        "_depacketise",
        "_dropped",
        "_hole",
        "_newest",
        "_parameters",
        "_parts",
        "_sink",
        "_size",
        "_stamp",
        "_starts_picture",
        "lost",
        "since_key",
    )

    def __init__(self, sink: FrameSink) -> None:
        self._sink = sink
        self._codec = Codec.H264
        self._depacketise, self._starts_picture = _FORMATS[self._codec]
        self.lost = True
        self.since_key = 0
        self._hole = False
        self._newest: int | None = None  # RTP time of the newest picture on this clock
        self._parameters = b""  # H.264 parameter sets that were sent as a frame of their own
        self._stamp: bytes | None = None  # of the frame that is being collected
        self._arrival_us = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._damaged = False
        self._dropped = b""  # timestamp of the last damaged frame

    def is_beginning(self, codec: Codec | None, payload: bytes) -> bool:
        """Tell whether a payload certainly begins a frame."""
        return codec in _FORMATS and _FORMATS[codec][1](payload)

    def select(self, codec: Codec) -> None:
        """Say what the payloads to come are; another codec needs a key frame."""
        if codec is not self._codec:
            self._codec = codec
            self._depacketise, self._starts_picture = _FORMATS[codec]
            self._lose()

    def add(self, payload: bytes, stamp: bytes, marker: int, now_us: int) -> None:
        """Take the next payload in sequence. A frame ends with its marker, or else where the timestamp changes."""
        if stamp != self._stamp:
            if self._stamp is not None:
                self._finish()
            self._stamp = stamp
            self._arrival_us = now_us
            if self._hole:
                self._hole = False
                self._damaged = not self._starts_picture(payload)
        self._parts.append(payload)
        self._size += len(payload)
        if marker or self._size > _LARGEST_FRAME:
            self._finish()

    def hole(self) -> None:
        """Note that payloads are lost: the frame they belonged to, and what refers to it, goes with them."""
        if self._stamp is not None:
            self._count_drop(self._stamp)
        self._lose()
        self._hole = True

    def restart(self) -> None:
        """Note that the next payload is of a new SSRC or numbering: start as for the first one."""
        self._lose()
        self._hole = False
        self._newest = None
        self._sink.timestamps.restart()
        self._sink.restarted()

    def _lose(self) -> None:
        self.lost = True
        self._parameters = b""
        self._clear()
        self._sink.broken()

    def _clear(self) -> None:
        self._stamp = None
        self._parts = []
        self._size = 0
        self._damaged = False

    def _finish(self) -> None:
        """End the frame that was being collected."""
        parts, stamp, arrival_us = self._parts, self._stamp or b"", self._arrival_us
        self._hole = self._size > _LARGEST_FRAME  # what follows is the rest of it
        damaged = self._damaged or self._hole
        self._clear()
        if damaged:
            self._drop(stamp)
            return
        try:
            unit = self._depacketise(parts)
        except MalformedError:
            self._sink.stats.malformed += 1
            self._drop(stamp)
            return
        if unit.picture:
            self._picture(unit, int.from_bytes(stamp, "big"), arrival_us)
        elif len(self._parameters) + len(unit.data) <= _LARGEST_PARAMETERS:
            self._parameters += unit.data

    def _drop(self, stamp: bytes) -> None:
        self._count_drop(stamp)
        self._lose()

    def _count_drop(self, stamp: bytes) -> None:
        """Count a damaged frame, once for both sides of a hole in it."""
        self._sink.stats.dropped_frames += stamp != self._dropped
        self._dropped = stamp

    def _picture(self, unit: AccessUnit, timestamp: int, arrival_us: int) -> None:
        sink = self._sink
        stats = sink.stats
        rtp_time, jumped = sink.timestamps.unwrap(timestamp, arrival_us)
        if jumped:
            self.lost = True
            sink.restarted()
        elif self._newest is not None and rtp_time < self._newest and self._codec is Codec.VP8 and not unit.key:
            stats.dropped_frames += 1
            return
        self._newest = rtp_time
        data, self._parameters = self._parameters + unit.data, b""
        if unit.key:
            stats.key_frames += 1
            self.lost = False
            self.since_key = 0
        elif not stats.key_frames:
            stats.dropped_frames += 1
            return
        else:
            stats.reference_lost += self.lost
            self.since_key += 1
        sink.emit(EncodedFrame(self._codec, rtp_time, data, unit.key, arrival_us, self.lost))


class AudioFrames:
    """Every Opus packet is a frame, and none needs another."""

    __slots__ = ("_sink", "lost", "since_key")

    def __init__(self, sink: FrameSink) -> None:
        self._sink = sink
        self.lost = False
        self.since_key = 0

    def is_beginning(self, codec: Codec | None, payload: bytes) -> bool:  # noqa: ARG002 - every packet does
        """Tell whether a payload certainly begins a frame."""
        return codec is Codec.OPUS

    def select(self, codec: Codec) -> None:
        """Accept Opus: there is no other codec of this track."""

    def add(self, payload: bytes, stamp: bytes, marker: int, now_us: int) -> None:  # noqa: ARG002 - a packet is a frame
        """Take the next packet in sequence."""
        sink = self._sink
        try:
            opus.packet_duration_us(payload)
        except MalformedError:
            sink.stats.malformed += 1
            sink.stats.dropped_frames += 1
            sink.broken()
            return
        rtp_time, jumped = sink.timestamps.unwrap(int.from_bytes(stamp, "big"), now_us)
        if jumped:
            sink.restarted()
        sink.stats.key_frames += 1
        sink.emit(EncodedFrame(Codec.OPUS, rtp_time, payload, key=True, arrival_us=now_us))

    def hole(self) -> None:
        """Note that packets are lost."""
        self._sink.broken()

    def restart(self) -> None:
        """Note that the next packet is of a new SSRC or numbering."""
        self._sink.timestamps.restart()
        self._sink.restarted()
