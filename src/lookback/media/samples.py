"""The words of the media core: tracks, codecs, and one encoded frame as it came from a publisher."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Track(IntEnum):
    """Which of a session's two tracks; the number is the track id in segments and indexes."""

    VIDEO = 1
    AUDIO = 2


class Codec(StrEnum):
    """What can be recorded."""

    H264 = "h264"
    VP8 = "vp8"
    OPUS = "opus"
    AAC = "aac"

    @property
    def track(self) -> Track:
        """The track that carries this codec."""
        return Track.AUDIO if self in _AUDIO else Track.VIDEO

    @property
    def clock_rate(self) -> int:
        """RTP clock in Hz (RFC 6184 section 8.1, RFC 7741 section 6.1, RFC 7587 section 4.1).

        AAC never comes over RTP here; MPEG-TS tells its time in the same 90 kHz as that of pictures.
        """
        return 48_000 if self is Codec.OPUS else 90_000


_AUDIO = frozenset({Codec.OPUS, Codec.AAC})


@dataclass(slots=True)
class EncodedFrame:
    """One whole encoded frame in decoding order.

    `data` of H.264 is NAL units with 4-byte big-endian lengths (ISO/IEC 14496-15), SPS and PPS in-band where the
    publisher sent them; of VP8 and Opus it is the plain frame. `rtp_time` is the RTP timestamp unwrapped to a
    growing integer, in ticks of the codec's clock. `reference_lost`: the frame is whole, but a frame it refers to
    is not. `discontinuity`: packets were given up for lost right before it.
    """

    codec: Codec
    rtp_time: int
    data: bytes
    key: bool
    arrival_us: int
    reference_lost: bool = False
    discontinuity: bool = False
