"""Short encoded screen shares for tests and benchmarks: a barcode per frame and a beep per second, looped by senders.

The picture shows the frame's number in the loop as 16 blocks (bit 0 left) in its top strip; beep n of the loop starts
with second n and has the pitch 400 + 40 n Hz. Encoding is done once per machine and kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import tempfile
from dataclasses import astuple, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VideoCodec = Literal["h264", "vp8"]

PAYLOAD_BYTES = 1180  # with RTP, SRTP, UDP and IPv6 headers below 1280
_RATE = 48_000
_VERSION = 1
_OPTIONS: dict[str, dict[str, str]] = {
    "h264": {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "x264-params": "scenecut=0"},
    "vp8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"},
}


@dataclass(frozen=True, slots=True)
class ClipShape:
    """What to encode; the key distance is `gop` frames. `noise` makes the picture cost its bit rate."""

    codec: VideoCodec = "h264"
    width: int = 320
    height: int = 180
    fps: int = 30
    seconds: int = 4
    bitrate_bps: int = 500_000
    gop: int = 30
    noise: bool = False


@dataclass(frozen=True, slots=True)
class EncodedClip:
    """Encoded frames in order: (key, bytes) of video, H.264 with start codes; Opus packets of 20 ms."""

    shape: ClipShape
    video: tuple[tuple[bool, bytes], ...]
    audio: tuple[bytes, ...]

    def payloads(self) -> list[tuple[bool, list[bytes]]]:
        """RTP payloads of every video frame, with whether it is a key frame."""
        split = h264_payloads if self.shape.codec == "h264" else vp8_payloads
        return [(key, list(split(data))) for key, data in self.video]


def encoded_clip(shape: ClipShape | None = None) -> EncodedClip:
    """Take the clip of that shape from the cache, or encode it."""
    shape = shape or ClipShape()
    name = hashlib.sha256(f"{_VERSION} {av.__version__} {astuple(shape)}".encode()).hexdigest()[:16]
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lookback" / "clips" / f"{name}.bin"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
            part.writelines(_pack(_encode_video(shape)))
            part.writelines(_pack((False, packet) for packet in _encode_audio(shape.seconds)))
        Path(part.name).replace(path)
    units = list(_unpack(path.read_bytes()))
    frames = shape.fps * shape.seconds
    return EncodedClip(shape, tuple(units[:frames]), tuple(data for _, data in units[frames:]))


def h264_payloads(frame: bytes) -> Iterator[bytes]:
    """Single NAL units and FU-A fragments (RFC 6184 sections 5.6 and 5.8) of a frame with start codes."""
    for unit in re.split(rb"\x00\x00\x00?\x01", frame)[1:]:
        if len(unit) <= PAYLOAD_BYTES:
            yield unit
            continue
        head, body, step = unit[0], unit[1:], PAYLOAD_BYTES - 2
        for at in range(0, len(body), step):
            flags = 0x80 * (at == 0) | 0x40 * (at + step >= len(body)) | head & 0x1F
            yield bytes((head & 0xE0 | 28, flags)) + body[at : at + step]


def vp8_payloads(frame: bytes) -> Iterator[bytes]:
    """Payload descriptor of one byte, S bit on the first piece (RFC 7741 section 4.2)."""
    step = PAYLOAD_BYTES - 1
    for at in range(0, len(frame), step):
        yield (b"\x00" if at else b"\x10") + frame[at : at + step]


def picture(number: int, shape: ClipShape, background: np.ndarray[Any, np.dtype[np.uint8]]) -> av.VideoFrame:
    """One frame in yuv420p: the background moved on, and the number's barcode."""
    width, height = shape.width, shape.height
    luma = np.roll(background, number * 3 % width, 1).copy()
    luma[: 48 * height // 360] = 16
    for bit in range(16):
        if number >> bit & 1:
            left, right = (bit * 40 + 2) * width // 640, (bit * 40 + 38) * width // 640
            luma[4 * height // 360 : 44 * height // 360, left:right] = 235
    chroma = np.full((height // 2, width), 128, np.uint8)
    return av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), "yuv420p")


def background(shape: ClipShape) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Noise that compresses badly, or stripes that compress well."""
    if shape.noise:
        return np.random.default_rng(1).integers(60, 190, (shape.height, shape.width), np.uint8)
    row = (np.arange(shape.width) // 16 % 2 * 80 + 80).astype(np.uint8)
    return np.tile(row, (shape.height, 1))


def beep(second: int, at: int, count: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Mono samples `at` to `at + count` of a second: 0.1 s of tone, then silence."""
    time = np.arange(at, at + count) / _RATE
    tone = np.sin(2 * np.pi * (400 + 40 * (second % 60)) * time) * (time < 0.1) * 0.8
    return (tone * 32767).astype(np.int16)


def _encode_video(shape: ClipShape) -> Iterator[tuple[bool, bytes]]:
    encoder: Any = av.CodecContext.create("libx264" if shape.codec == "h264" else "libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = shape.width, shape.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, shape.fps), Fraction(shape.fps)
    encoder.gop_size, encoder.bit_rate, encoder.options = shape.gop, shape.bitrate_bps, _OPTIONS[shape.codec]
    backdrop = background(shape)
    for number in range(shape.fps * shape.seconds):
        frame = picture(number, shape, backdrop)
        frame.pts = number
        yield from ((packet.is_keyframe, bytes(packet)) for packet in encoder.encode(frame))
    yield from ((packet.is_keyframe, bytes(packet)) for packet in encoder.encode(None))


def _encode_audio(seconds: int) -> Iterator[bytes]:
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = _RATE, "stereo", "s16"
    encoder.time_base, encoder.bit_rate = Fraction(1, _RATE), 48_000
    encoder.options = {"frame_duration": "20"}
    for number in range(seconds * 50):
        mono = beep(number // 50, number % 50 * 960, 960)
        frame = av.AudioFrame.from_ndarray(np.repeat(mono, 2)[None], "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = _RATE, number * 960, Fraction(1, _RATE)
        yield from map(bytes, encoder.encode(frame))


def _pack(units: Iterable[tuple[bool, bytes]]) -> Iterator[bytes]:
    for key, data in units:
        yield struct.pack("<I?", len(data), key) + data


def _unpack(data: bytes) -> Iterator[tuple[bool, bytes]]:
    at = 0
    while at < len(data):
        size, key = struct.unpack_from("<I?", data, at)
        yield key, data[at + 5 : at + 5 + size]
        at += 5 + size
