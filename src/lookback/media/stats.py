"""Counters of what a receiver saw; they only grow, over restarts and SSRC changes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class StreamStats:
    """One track. `bytes` are payload bytes; `last_packet_us` is the wall clock at the last packet, RTX included."""

    packets: int = 0  # of the media stream; retransmissions apart
    bytes: int = 0
    lost: int = 0  # given up
    late: int = 0  # duplicates and packets after they were given up
    padding: int = 0  # packets without a payload
    malformed: int = 0
    ignored: int = 0  # of a payload type or source that was not negotiated
    nacks_sent: int = 0  # packets asked for, every try counted
    retransmissions: int = 0  # packets that RTX repaired
    key_frame_requests: int = 0
    frames: int = 0  # handed on, whatever their flags
    key_frames: int = 0
    reference_lost: int = 0
    dropped_frames: int = 0  # damaged, or before the first key frame
    restarts: int = 0  # new SSRC, numbering or clock of the sender
    last_packet_us: int | None = None


@dataclass(slots=True)
class ReceiverStats:
    """Both tracks, and what belongs to neither. `last_packet_us` covers RTP and RTCP: it says who is alive."""

    video: StreamStats = field(default_factory=StreamStats)
    audio: StreamStats = field(default_factory=StreamStats)
    malformed: int = 0
    ignored: int = 0
    last_packet_us: int | None = None
