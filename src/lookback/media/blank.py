"""Frames of a server's own making: LiveKit sends black and silent ones in place of what was muted or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.media.samples import Codec

if TYPE_CHECKING:
    from lookback.media.samples import EncodedFrame

_LARGEST_H264 = 64  # bytes of SPS, PPS and IDR of 2x2 pixels with their lengths; a real key frame has hundreds
_LARGEST_VP8_WIDTH = 16
_VP8_HEADER_BYTES = 10  # RFC 6386 section 9.1
_OPUS_SILENCE = b"\xf8\xff\xfe"  # an encoder's own has no padding behind it, LiveKit's is 80 bytes long (measured)


def is_blank(frame: EncodedFrame) -> bool:
    """Tell whether a frame is such a placeholder: padded silence, or a key frame too small to be anybody's screen."""
    if frame.codec is Codec.OPUS:
        padding = frame.data[len(_OPUS_SILENCE) :]
        return frame.data.startswith(_OPUS_SILENCE) and bool(padding) and not any(padding)
    if not frame.key:
        return False
    if frame.codec is Codec.H264:
        return len(frame.data) < _LARGEST_H264
    if frame.codec is Codec.VP8 and len(frame.data) >= _VP8_HEADER_BYTES:
        return int.from_bytes(frame.data[6:8], "little") & 0x3FFF <= _LARGEST_VP8_WIDTH
    return False
