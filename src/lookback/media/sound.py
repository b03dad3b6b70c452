"""What containers and soundtracks must know of an audio codec: its sample entry, its packets, its silence."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from lookback.errors import MalformedError
from lookback.media import mp4, opus
from lookback.media.aac import AacConfig
from lookback.media.samples import Codec

if TYPE_CHECKING:
    from collections.abc import Sequence

_ES_DESCRIPTOR, _DECODER_CONFIG, _DECODER_SPECIFIC, _SYNC_LAYER = 3, 4, 5, 6  # tags, 14496-1 table 1
_AUDIO_STREAM = 0x15  # streamType 5, not upstream, and the reserved bit: 14496-1 section 7.2.6.6
_MPEG4_AUDIO = 0x40  # objectTypeIndication, 14496-1 table 5
_PREDEFINED_FOR_MP4 = 2
_FULL_BOX_HEADER_SIZE = 4


class Sound(Protocol):
    """One audio track's codec."""

    @property
    def codec(self) -> Codec:
        """What it is called."""

    @property
    def mime(self) -> str:
        """Its name in a `codecs` parameter (RFC 6381)."""

    @property
    def timescale(self) -> int:
        """Ticks per second in which its packets last a whole number."""

    @property
    def entry(self) -> bytes:
        """Its sample entry in MP4."""

    def duration_us(self, packet: bytes) -> int:
        """How long a packet plays; raises MalformedError for one that is none."""

    @property
    def slack_us(self) -> int:
        """By how much silence may last longer than asked for."""

    def silence(self, duration_us: int) -> Sequence[tuple[int, bytes]]:
        """(microseconds, packet) pairs of silence for so long, as near as whole packets come."""


@dataclass(frozen=True, slots=True)
class OpusSound:
    """Opus, stereo."""

    codec: Codec = Codec.OPUS
    mime: str = "opus"
    timescale: int = mp4.AUDIO_TIMESCALE
    slack_us: int = 0

    @property
    def entry(self) -> bytes:
        """See Sound."""
        return mp4.opus_entry()

    def duration_us(self, packet: bytes) -> int:
        """See Sound."""
        return opus.packet_duration_us(packet)

    def silence(self, duration_us: int) -> Sequence[tuple[int, bytes]]:
        """See Sound: never longer than asked for."""
        return opus.silence(duration_us)


@dataclass(frozen=True, slots=True)
class AacSound:
    """AAC-LC. All its packets last equally long, which is not a whole number of microseconds."""

    config: AacConfig
    codec: Codec = Codec.AAC
    mime: str = "mp4a.40.2"

    @property
    def timescale(self) -> int:
        """See Sound."""
        return self.config.rate

    @property
    def entry(self) -> bytes:
        """See Sound: 14496-14 section 5.6 and 14496-1 section 7.2.6."""
        specific = _descriptor(_DECODER_SPECIFIC, self.config.pack())
        decoder = struct.pack(">BBBHII", _MPEG4_AUDIO, _AUDIO_STREAM, 0, 0, 0, 0)
        stream = struct.pack(">HB", 0, 0) + _descriptor(_DECODER_CONFIG, decoder + specific)
        described = _descriptor(_ES_DESCRIPTOR, stream + _descriptor(_SYNC_LAYER, bytes([_PREDEFINED_FOR_MP4])))
        head = struct.pack(">HHHHI", self.config.channels, 16, 0, 0, self.config.rate << 16)
        return mp4.box(b"mp4a", bytes(6), b"\0\1", bytes(8), head, mp4.full_box(b"esds", 0, 0, described))

    def duration_us(self, packet: bytes) -> int:
        """See Sound."""
        if not packet:
            raise MalformedError("An AAC frame is empty")
        return self.config.frame_end_us(1)

    @property
    def slack_us(self) -> int:
        """See Sound."""
        return self.config.frame_end_us(1) // 2 + 1

    def silence(self, duration_us: int) -> Sequence[tuple[int, bytes]]:
        """See Sound: to the nearest packet, so that what players play back to back stays in step."""
        frames = self.config.frames_in(duration_us)
        ends = [self.config.frame_end_us(n) for n in range(frames + 1)]
        return [(end - begin, self.config.silence) for begin, end in pairwise(ends)]


OPUS = OpusSound()


def sound_of(init: bytes) -> Sound | None:
    """The audio of a segment, from the bytes before its first fragment; None when it has none.

    Raises MalformedError when it is nothing that we write.
    """
    if b"dOps" in init or b"A_OPUS" in init:
        return OPUS
    at = init.find(b"esds")
    return None if at < 0 else AacSound(AacConfig.parse(_decoder_specific(init[at + 4 + _FULL_BOX_HEADER_SIZE :])))


def _descriptor(tag: int, body: bytes) -> bytes:
    """One descriptor with a size of one byte, 14496-1 section 8.3.3."""
    return bytes((tag, len(body))) + body


def _decoder_specific(data: bytes) -> bytes:
    """Find the configuration in an ES_Descriptor as `entry` writes it."""
    at = 2 + 3 + 2 + 13
    if len(data) < at + 2 or (data[0], data[5], data[at]) != (_ES_DESCRIPTOR, _DECODER_CONFIG, _DECODER_SPECIFIC):
        raise MalformedError("The segment's audio is described in a way that is not ours")
    return data[at + 2 : at + 2 + data[at + 1]]
