"""The test content: 10 s of 1080p30 H.264 at 4 Mbit/s with a key frame every 2 s, and Opus at 48 kbit/s.

Encoded once by PyAV, then kept in the cache: baseline profile, no B-frames, parameter sets before each key frame, as
browsers and WHIP publishers send it.
"""

from __future__ import annotations

import itertools
import os
import pickle
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from tests.support.encoded_clip import ClipShape, EncodedClip

from bench.places import cache

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPE = ClipShape("h264", 1920, 1080, fps=30, seconds=10, bitrate_bps=4_000_000, gop=60, noise=True)
AUDIO_PACKET_US = 20_000
_RECIPE = 1  # raise it when the encoder's settings change


def content() -> EncodedClip:
    """The content, encoded now or found in the cache; video with start codes."""
    path = cache() / f"content-{SHAPE.height}p{SHAPE.fps}-{SHAPE.bitrate_bps}-{_RECIPE}.pickle"
    if path.exists():
        return EncodedClip(SHAPE, *pickle.loads(path.read_bytes()))
    made = EncodedClip(SHAPE, tuple(_encode_video()), tuple(_encode_audio())[: SHAPE.seconds * 50])
    part = path.with_suffix(f".{os.getpid()}")
    part.write_bytes(pickle.dumps((made.video, made.audio)))
    part.replace(path)
    return made


def bitrate_bps(clip: EncodedClip) -> int:
    """What the encoder really made of the video, in bits per second."""
    return sum(len(data) for _, data in clip.video) * 8 // clip.shape.seconds


def length_prefixed(access_unit: bytes) -> bytes:
    """Start codes to 4-byte lengths (ISO/IEC 14496-15), as the recorder's depacketiser hands frames on."""
    units = access_unit.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return b"".join(len(unit).to_bytes(4) + unit for unit in units if unit)


def _encode_video() -> Iterator[tuple[bool, bytes]]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = SHAPE.width, SHAPE.height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(SHAPE.fps), Fraction(1, SHAPE.fps)
    encoder.bit_rate, encoder.gop_size, encoder.max_b_frames = SHAPE.bitrate_bps, SHAPE.gop, 0
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "maxrate": str(SHAPE.bitrate_bps),
        "bufsize": str(SHAPE.bitrate_bps // 2),
        "x264-params": "repeat-headers=1:scenecut=0:sliced-threads=0",
    }
    for frame in itertools.chain(_pictures(), (None,)):
        for packet in encoder.encode(frame):
            yield packet.is_keyframe, bytes(packet)


def _pictures() -> Iterator[av.VideoFrame]:
    """FFmpeg's moving test picture under noise: hard enough that the encoder uses its bit rate."""
    graph = av.filter.Graph()
    chain = (
        graph.add("testsrc2", f"size={SHAPE.width}x{SHAPE.height}:rate={SHAPE.fps}:duration={SHAPE.seconds}"),
        graph.add("noise", "alls=12:allf=t"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    )
    graph.link_nodes(*chain).configure()
    for number in range(SHAPE.seconds * SHAPE.fps):
        frame = graph.vpull()
        frame.pts, frame.time_base = number, Fraction(1, SHAPE.fps)
        frame.pict_type = 0  # the source calls every picture a key frame; the encoder decides
        yield frame


def _encode_audio() -> Iterator[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    encoder.bit_rate = 48_000
    encoder.options = {"frame_duration": "20"}
    tone = np.sin(2 * np.pi * 440 * np.arange(48_000 * SHAPE.seconds) / 48_000)
    stereo = np.repeat((tone * 10_000).astype(np.int16), 2)[None]
    frame = av.AudioFrame.from_ndarray(stereo, "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    resampler = av.AudioResampler("s16", "stereo", 48_000, frame_size=960)
    for part in [*resampler.resample(frame), None]:
        yield from (bytes(packet) for packet in encoder.encode(part))
