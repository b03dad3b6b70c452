"""The generated screen share: frames of a running clock and a beep per second, encoded as a browser would.

As a library `frames` yields them without waiting. As a process, `python -m lookback.recorder.synthetic`, it writes
them to standard output in real time (synthetic_pipe has the framing), until standard input is closed.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.frame import PictureType

from lookback.media.samples import Codec
from lookback.recorder.synthetic_picture import BEEP_US, Planes, Scene
from lookback.recorder.synthetic_pipe import SourceFrame, pack_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.audio.codeccontext import AudioCodecContext
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from numpy.typing import NDArray

SECOND_US = 1_000_000
KEY_EVERY_US = 2 * SECOND_US
AUDIO_RATE = 48_000
PACKET_SAMPLES = 960  # 20 ms
PACKET_US = PACKET_SAMPLES * SECOND_US // AUDIO_RATE
LATE_US = 250_000
"""Behind the wall clock by more than this, frames are left out instead of being made late for ever."""

_TICKS = 90_000
_VIDEO_CODECS = {
    Codec.H264: (
        "libx264",
        {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "crf": "23",
            "forced-idr": "1",
            "x264-params": "scenecut=0:colorprim=bt709:transfer=bt709:colormatrix=bt709",
        },
    ),
    Codec.VP8: (
        "libvpx",
        {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "static-thresh": "1", "auto-alt-ref": "0"},
    ),
}


@dataclass(frozen=True, slots=True)
class Share:
    """What is generated: codec, picture size in pixels (width a multiple of 16, height even), frames per second."""

    codec: Codec = Codec.H264
    width: int = 1280
    height: int = 720
    fps: int = 30


def number_at(instant_us: int, fps: int) -> int:
    """Number of the frame shown at a UTC instant. Numbers go on over restarts; the barcode holds the low 16 bits."""
    return instant_us * fps // SECOND_US


def instant_of(number: int, fps: int) -> int:
    """UTC microseconds at which a frame begins: its decode time."""
    return -(-number * SECOND_US // fps)


def frames(share: Share, start_us: int, now_us: Callable[[], int] | None = None) -> Iterator[SourceFrame]:
    """Yield the frames of both tracks from `start_us` (UTC) on, in time order, for ever.

    The first video frame is a key frame, and so is the first in every two seconds of the wall clock. With `now_us`
    frames are left out when the consumer falls behind it; without, there is one for every instant.
    """
    picture, sound = _Picture(share, start_us), _Sound(start_us)
    while True:
        if now_us is not None and now_us() - picture.next_us > LATE_US:
            picture.skip_to(now_us())
            sound.skip_to(now_us())
        if picture.next_us <= sound.next_us:
            yield picture.frame()
        else:
            yield from sound.packets()


class _Picture:
    def __init__(self, share: Share, start_us: int) -> None:
        self._share = share
        self._encoder = _video_encoder(share)
        self._frame = av.VideoFrame(share.width, share.height, "yuv420p")
        self._frame.time_base = Fraction(1, _TICKS)
        self._scene = Scene(share.width, share.height, _canvas(self._frame))
        self._number = self._first = -(-start_us * share.fps // SECOND_US)
        self._key_slot = -1

    @property
    def next_us(self) -> int:
        return instant_of(self._number, self._share.fps)

    def skip_to(self, instant_us: int) -> None:
        self._number = max(self._number, number_at(instant_us, self._share.fps))

    def frame(self) -> SourceFrame:
        at_us = self.next_us
        slot = at_us // KEY_EVERY_US
        self._scene.draw(self._number, at_us)
        self._frame.pts = (self._number - self._first) * _TICKS // self._share.fps
        self._frame.pict_type = PictureType.NONE if slot == self._key_slot else PictureType.I
        self._key_slot = slot
        self._number += 1
        packets = self._encoder.encode(self._frame)
        if len(packets) != 1:
            raise RuntimeError("the encoder keeps frames back although it was told not to")
        return SourceFrame(self._share.codec, at_us, self._payload(packets[0]), packets[0].is_keyframe)

    def _payload(self, packet: Packet[Any]) -> bytes:
        data = bytes(packet)
        return length_prefixed(data) if self._share.codec is Codec.H264 else data


class _Sound:
    def __init__(self, start_us: int) -> None:
        self._encoder = _audio_encoder()
        self._start_us = start_us
        self._position = 0  # in samples since start_us

    @property
    def next_us(self) -> int:
        return self._start_us + self._position * SECOND_US // AUDIO_RATE

    def skip_to(self, instant_us: int) -> None:
        late = max(0, instant_us - self.next_us) // PACKET_US
        self._position += late * PACKET_SAMPLES

    def packets(self) -> Iterator[SourceFrame]:
        frame = av.AudioFrame.from_ndarray(beep(self.next_us)[None], "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = AUDIO_RATE, Fraction(1, AUDIO_RATE), self._position
        self._position += PACKET_SAMPLES
        for packet in self._encoder.encode(frame):
            # The packet's time lies before the frame's by the encoder's look-ahead, 6.5 ms.
            at_us = self._start_us + (packet.pts or 0) * SECOND_US // AUDIO_RATE
            yield SourceFrame(Codec.OPUS, at_us, bytes(packet), key=True)


def beep(start_us: int) -> NDArray[np.int16]:
    """20 ms of sound: in the first 100 ms of every UTC second a tone whose pitch, 400 + 40 s Hz, tells the second."""
    instants = start_us % (60 * SECOND_US) + np.arange(PACKET_SAMPLES) * SECOND_US / AUDIO_RATE
    seconds, within = np.divmod(instants, SECOND_US)
    tone = np.sin(2 * np.pi * (400 + 40 * (seconds % 60)) * within / SECOND_US)
    return np.where(within < BEEP_US, tone * 0.5 * 32767, 0).astype(np.int16)


def length_prefixed(annex_b: bytes) -> bytes:
    """H.264 with start codes (ISO/IEC 14496-10 annex B) as NAL units with 4-byte lengths (14496-15)."""
    units = annex_b.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def _video_encoder(share: Share) -> VideoCodecContext:
    name, options = _VIDEO_CODECS[share.codec]
    encoder = av.CodecContext.create(name, "w")
    if not isinstance(encoder, av.VideoCodecContext):
        raise TypeError(f"{name} is no video encoder")
    encoder.width, encoder.height, encoder.pix_fmt = share.width, share.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, _TICKS), Fraction(share.fps)
    encoder.gop_size, encoder.bit_rate, encoder.thread_count = 10**6, 1_500_000, 1
    encoder.options = options
    return encoder


def _audio_encoder() -> AudioCodecContext:
    encoder = av.CodecContext.create("libopus", "w")
    if not isinstance(encoder, av.AudioCodecContext):
        raise TypeError("libopus is no audio encoder")
    encoder.sample_rate, encoder.format, encoder.layout = AUDIO_RATE, av.AudioFormat("s16"), "mono"
    encoder.bit_rate, encoder.time_base = 48_000, Fraction(1, AUDIO_RATE)
    encoder.options = {"frame_duration": "20", "compression_level": "3"}
    return encoder


def _canvas(frame: av.VideoFrame) -> Planes:
    """The frame's own memory: what is drawn there is encoded without a copy."""
    return Planes(*(_samples(plane) for plane in frame.planes))


def _samples(plane: Any) -> NDArray[np.uint8]:
    """A plane as rows x columns; PyAV's planes are buffers, which its types do not say."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _write_in_real_time(share: Share) -> None:
    """Write frames when their time has come, until standard input ends."""
    output = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    for frame in frames(share, _now_us(), _now_us):
        due_us = frame.dts_us + (PACKET_US if frame.codec is Codec.OPUS else 0)
        if _input_ended(max(0, due_us - _now_us()) / SECOND_US):
            return
        view = memoryview(pack_frame(frame))
        while view:
            view = view[os.write(output, view) :]


def _input_ended(timeout_s: float) -> bool:
    readable, _, _ = select.select([0], [], [], timeout_s)
    return bool(readable) and not os.read(0, 1)


def _now_us() -> int:
    return time.time_ns() // 1000


def main() -> None:
    """Run the process."""
    parser = argparse.ArgumentParser(prog="python -m lookback.recorder.synthetic", description=__doc__)
    parser.add_argument("--codec", type=Codec, choices=list(_VIDEO_CODECS), default=Codec.H264)
    for name in ("width", "height", "fps"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Share(), name))
    chosen = parser.parse_args()
    try:
        _write_in_real_time(Share(chosen.codec, chosen.width, chosen.height, chosen.fps))
    except BrokenPipeError:
        sys.exit(0)  # the recorder is gone: nobody wants the frames


if __name__ == "__main__":
    main()
