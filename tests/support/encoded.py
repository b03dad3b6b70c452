"""Small real encodes and how a publisher would packetise them."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import av
import numpy as np

from lookback.media import h264
from lookback.media.samples import Codec
from lookback.media.vp8 import Descriptor

WIDTH, HEIGHT = 160, 96
_MTU = 300
_ENCODERS = {
    Codec.H264: ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
    Codec.VP8: ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
}


@cache
def encoded_frames(codec: Codec, count: int = 60, key_every: int = 20) -> tuple[bytes, ...]:
    """Encode moving noise; return the frames as the media core keeps them."""
    name, options = _ENCODERS[codec]
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30, 1)
    encoder.bit_rate, encoder.gop_size = 400_000, key_every
    encoder.options = options
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT * 3 // 2, WIDTH), np.uint8)
    frames = []
    for number in range(count):
        picture = av.VideoFrame.from_ndarray(np.roll(noise, number * 3, 1), "yuv420p")
        picture.pts = number
        frames += [bytes(packet) for packet in encoder.encode(picture)]
    frames += [bytes(packet) for packet in encoder.encode(None)]
    return tuple(_with_lengths(frame) for frame in frames) if codec is Codec.H264 else tuple(frames)


def decoded_pictures(codec: Codec, frames: list[bytes]) -> list[bytes]:
    """Decode frames; return the bytes of each picture."""
    decoder = av.CodecContext.create(codec.value, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    pictures: list[av.VideoFrame] = []
    for frame in frames:
        data = b"".join(b"\0\0\0\1" + nal for nal in h264.nal_units(frame)) if codec is Codec.H264 else frame
        pictures += decoder.decode(av.Packet(data))
    pictures += decoder.decode(None)
    return [picture.to_ndarray().tobytes() for picture in pictures]


def payloads(codec: Codec, frame: bytes) -> list[bytes]:
    """Packetise one frame for RTP."""
    if codec is Codec.VP8:
        return [
            Descriptor(start=at == 0, picture_id=5).pack() + frame[at : at + _MTU] for at in range(0, len(frame), _MTU)
        ]
    return [payload for nal in h264.nal_units(frame) for payload in _fragments(nal)]


def _fragments(nal: bytes) -> list[bytes]:
    if len(nal) <= _MTU:
        return [nal]
    starts = range(1, len(nal), _MTU)
    return [
        bytes((nal[0] & 0xE0 | 28, 0x80 * (at == 1) | 0x40 * (at == starts[-1]) | nal[0] & 31)) + nal[at : at + _MTU]
        for at in starts
    ]


def _with_lengths(annex_b: bytes) -> bytes:
    nals = [nal for nal in annex_b.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal]
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
