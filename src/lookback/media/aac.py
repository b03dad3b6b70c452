"""AAC-LC as MPEG-TS carries it and as MP4 keeps it (ISO/IEC 13818-7 for ADTS, 14496-3 for the configuration)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lookback.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAME_SAMPLES = 1024  # of AAC-LC, 14496-3 section 4.5.1.1
_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_LOW_COMPLEXITY = 2  # audio object type, 14496-3 table 1.17
_ADTS_HEADER_SIZE, _WITH_CHECKSUM = 7, 9
_SYNC_WORD = 0xFFF

# Frames of an encoder that heard nothing: every decoder turns them into exact zeros (measured with FFmpeg).
_SILENCE = {1: bytes.fromhex("00c80080 2380"), 2: bytes.fromhex("21004990 02190023 80")}


@dataclass(frozen=True, slots=True)
class AacConfig:
    """Sample rate in Hz and number of channels of an AAC-LC stream."""

    rate: int
    channels: int

    def pack(self) -> bytes:
        """AudioSpecificConfig, 14496-3 section 1.6.2.1."""
        bits = _LOW_COMPLEXITY << 11 | _RATES.index(self.rate) << 7 | self.channels << 3
        return bits.to_bytes(2, "big")

    @classmethod
    def parse(cls, data: bytes) -> AacConfig:
        """Decode what `pack` wrote; raises MalformedError for what is not AAC-LC."""
        if len(data) < 2:
            raise MalformedError("The AAC configuration is too short")
        bits = int.from_bytes(data[:2], "big")
        return _config(bits >> 11, bits >> 7 & 15, bits >> 3 & 15)

    def frame_end_us(self, frames: int) -> int:
        """How long so many frames play, in microseconds."""
        return frames * FRAME_SAMPLES * 1_000_000 // self.rate

    def frames_in(self, duration_us: int) -> int:
        """How many frames come nearest to a length in microseconds."""
        samples_us = max(0, duration_us) * self.rate
        return (samples_us + FRAME_SAMPLES * 500_000) // (FRAME_SAMPLES * 1_000_000)

    @property
    def silence(self) -> bytes:
        """One frame without sound."""
        return _SILENCE[self.channels]


class AdtsFrame(NamedTuple):
    """One frame without its ADTS header, and what that said."""

    config: AacConfig
    data: bytes


def adts_frames(data: bytes) -> Iterator[AdtsFrame]:
    """Split what stands in a PES packet (13818-7 section 6.2); raises MalformedError for anything but whole frames."""
    at = 0
    while at < len(data):
        header = int.from_bytes(data[at : at + _ADTS_HEADER_SIZE], "big")
        if at + _ADTS_HEADER_SIZE > len(data) or header >> 44 != _SYNC_WORD or header >> 41 & 3:
            raise MalformedError("An AAC frame has no ADTS header")
        size, blocks = header >> 13 & 0x1FFF, header & 3
        payload = at + (_ADTS_HEADER_SIZE if header >> 40 & 1 else _WITH_CHECKSUM)
        if blocks or payload >= at + size or at + size > len(data):
            raise MalformedError("An AAC frame is not whole")
        config = _config((header >> 38 & 3) + 1, header >> 34 & 15, header >> 30 & 7)
        yield AdtsFrame(config, data[payload : at + size])
        at += size


def _config(kind: int, rate: int, channels: int) -> AacConfig:
    if kind != _LOW_COMPLEXITY or rate >= len(_RATES) or channels not in _SILENCE:
        raise MalformedError("The audio is not AAC-LC of one or two channels")
    return AacConfig(_RATES[rate], channels)
