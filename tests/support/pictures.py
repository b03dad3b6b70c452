"""Test pictures that say which frame they are, and sounds that say which second: written, decoded and read back.

A barcode of 16 blocks across the top holds the frame number, bit b at x = b * 40 / 640 of the width; a beep of 0.1 s
starts every second, at 400 + 40 * (second % 60) Hz.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

BITS = 16
STRIP = 48 / 360  # of the height
PITCHES = 60
AUDIO_RATE = 48_000
_BLACK, _WHITE = 16, 235
_LOUD = 0.1


class Picture(NamedTuple):
    """A decoded picture: when it is shown, in seconds, and the number in its barcode."""

    at: float
    number: int


class Beep(NamedTuple):
    """A decoded beep: when it starts, in seconds, and the second (modulo 60) that its pitch tells."""

    at: float
    second: int


def barcoded(number: int, width: int = 640, height: int = 360) -> av.VideoFrame:
    """A picture whose barcode is `number`, over a pattern that moves with it."""
    luma = np.roll(_pattern(width, height), number * 3 % width, axis=1)
    luma[: round(height * STRIP)] = _BLACK
    for bit in range(BITS):
        if number >> bit & 1:
            left, right = (round((bit * 40 + x) * width / 640) for x in (2, 38))
            luma[round(height * 4 / 360) : round(height * 44 / 360), left:right] = _WHITE
    chroma = np.full((height // 2, width), 128, np.uint8)
    return av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), "yuv420p")


def beeping(first_sample: int, count: int) -> av.AudioFrame:
    """Stereo sound of `count` samples at 48 kHz, starting `first_sample` samples after zero."""
    at = np.arange(first_sample, first_sample + count)
    second, within = at // AUDIO_RATE, at % AUDIO_RATE / AUDIO_RATE
    tone = np.sin(2 * np.pi * (400 + 40 * (second % PITCHES)) * within) * (within < 0.1) * 0.8
    frame = av.AudioFrame.from_ndarray(np.repeat((tone * 32767).astype(np.int16), 2)[None], "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE, first_sample, Fraction(1, AUDIO_RATE)
    return frame


def barcode(luma: NDArray[np.uint8]) -> int:
    """Read the number of a picture of any size from its brightness."""
    height, width = luma.shape
    row = luma[round(24 * height / 360)]
    return sum(1 << bit for bit in range(BITS) if row[round((bit * 40 + 20) * width / 640)] > 128)


def pictures(media: Path | bytes) -> list[Picture]:
    """Decode every picture that a player would show, edit lists and hidden frames honoured."""
    with av.open(_opened(media)) as container:
        container.streams.video[0].thread_type = "AUTO"
        shown = [Picture(float(f.pts * f.time_base), barcode(_luma(f))) for f in container.decode(video=0)]
    return [picture for picture in shown if picture.at >= 0]


def beeps(media: Path | bytes) -> list[Beep]:
    """Decode the sound and find every beep that is at least half there."""
    return beeps_in(_sound(media))


def beeps_in(sound: NDArray[np.float32]) -> list[Beep]:
    """Find the beeps in one channel at 48 kHz, but for those cut off at either end of it to less than 60 ms."""
    loud = np.flatnonzero(np.abs(sound) > _LOUD)
    if not len(loud):
        return []
    starts = loud[np.concatenate(([0], np.flatnonzero(np.diff(loud) > AUDIO_RATE // 5) + 1))]
    heard = [(int(at), sound[at + 480 : at + 3840]) for at in starts]
    whole = [(at, tone) for at, tone in heard if np.abs(tone[AUDIO_RATE // 20 :]).max(initial=0) > _LOUD]
    return [Beep(at / AUDIO_RATE, _second(tone)) for at, tone in whole]


def duration(media: Path | bytes) -> float:
    """Length in seconds, as the container says it."""
    with av.open(_opened(media)) as container:
        assert container.duration is not None, "the container does not say how long it is"
        return float(container.duration) / 1_000_000


def codecs(media: Path | bytes) -> list[str]:
    """Names of the codecs of all streams, in order."""
    with av.open(_opened(media)) as container:
        return [stream.codec_context.name for stream in container.streams]


def _opened(media: Path | bytes) -> Any:
    return io.BytesIO(media) if isinstance(media, bytes) else str(media)


def _pattern(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(60, 190, (height, width), np.uint8)


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


def _sound(media: Path | bytes) -> NDArray[np.float32]:
    """One channel at 48 kHz, every decoded frame at the place its timestamp says, silence elsewhere."""
    parts = [(at, samples) for at, samples in _decoded_sound(media) if at + len(samples) > 0]
    sound = np.zeros(max((at + len(samples) for at, samples in parts), default=0), np.float32)
    for at, samples in parts:
        begin = max(at, 0)
        sound[begin : at + len(samples)] = samples[begin - at :]
    return sound


def _decoded_sound(media: Path | bytes) -> Iterator[tuple[int, NDArray[np.float32]]]:
    with av.open(_opened(media)) as container:
        resampler = av.AudioResampler("fltp", "mono", AUDIO_RATE)
        for frame in container.decode(audio=0):
            at = round(frame.pts * frame.time_base * AUDIO_RATE)
            for part in resampler.resample(frame):
                samples: NDArray[np.float32] = part.to_ndarray()[0]
                yield at, samples
                at += len(samples)


def _second(tone: NDArray[np.float32]) -> int:
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), AUDIO_RATE))
    return round((float(np.argmax(spectrum[:4000])) - 400) / 40)
