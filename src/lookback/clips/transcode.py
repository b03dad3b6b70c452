"""Make an H.264 and AAC MP4 of a clip: a program of its own, so that it can be stopped and cannot block anything.

    python transcode.py SOURCE TARGET

It imports nothing of this project: it is started by its path, wherever the project was installed or unpacked.

Says how far it is on standard output, one JSON object per line: {"progress": 0.25}, and at the end either
{"progress": 1.0} or {"failed": "sentence"}. Overwrites the target, which is worthless unless the exit code is 0.
"""

from __future__ import annotations

import json
import os
import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av

if TYPE_CHECKING:
    from collections.abc import Callable

_VIDEO_CLOCK = 90_000
_AUDIO_RATE = 48_000
_AAC_FRAME = 1024  # samples
_AUDIO_BITRATE_BPS = 128_000
_LAST_FRAME_SECONDS = Fraction(1, 30)
_STEP_SECONDS = 0.25
_NICENESS = 10
_X264 = {"preset": "veryfast", "crf": "23", "g": "120", "bf": "0"}


class _Video:
    """Pictures in, H.264 packets out. Picture times are kept; every picture gets the size of the first."""

    def __init__(self, target: Any, source: Any) -> None:
        self._target = target
        self._stream = target.add_stream("libx264", rate=30, options=_X264)
        self._stream.width, self._stream.height = source.width // 2 * 2, source.height // 2 * 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _VIDEO_CLOCK)
        self._last: Any = None

    def add(self, frame: Any, seconds: Fraction) -> None:
        """Encode one picture."""
        frame = frame.reformat(self._stream.width, self._stream.height, "yuv420p")
        frame.pict_type = 0  # the encoder decides
        self._encode(frame, seconds)

    def finish(self, end: Fraction) -> None:
        """Hold the last picture up to the end."""
        if self._last is not None and end - self._last[1] > 2 * _LAST_FRAME_SECONDS:
            self._encode(self._last[0], end - _LAST_FRAME_SECONDS)
        self._target.mux(self._stream.encode(None))

    def _encode(self, frame: Any, seconds: Fraction) -> None:
        pts = round(seconds * _VIDEO_CLOCK)
        if self._last is not None:
            pts = max(pts, round(self._last[1] * _VIDEO_CLOCK) + 1)
        self._last = frame, Fraction(pts, _VIDEO_CLOCK)
        frame.pts, frame.time_base = pts, Fraction(1, _VIDEO_CLOCK)
        self._target.mux(self._stream.encode(frame))


class _Audio:
    """Sound in, AAC packets out, without a hole: the clip has none, apart from up to a packet at its start."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self._stream = target.add_stream("aac", rate=_AUDIO_RATE, layout="stereo")
        self._stream.bit_rate = _AUDIO_BITRATE_BPS
        self._resampler = av.AudioResampler("fltp", "stereo", _AUDIO_RATE)
        self._queue = av.AudioFifo()
        self._samples: int | None = None

    def add(self, frame: Any, seconds: Fraction) -> None:
        """Encode one frame of sound."""
        if self._samples is None:
            self._samples = round(seconds * _AUDIO_RATE)
        for part in self._resampler.resample(frame):
            part.pts = None
            self._queue.write(part)
        while (whole := self._queue.read(_AAC_FRAME)) is not None:
            self._encode(whole)

    def finish(self) -> None:
        """Encode what is left."""
        rest = self._queue.read()
        if rest is not None:
            self._encode(rest)
        if self._samples is not None:
            self._target.mux(self._stream.encode(None))

    def _encode(self, frame: Any) -> None:
        frame.pts, frame.time_base = self._samples, Fraction(1, _AUDIO_RATE)
        self._samples = (self._samples or 0) + frame.samples
        self._target.mux(self._stream.encode(frame))


def transcode(source: str, target: str, report: Callable[[float], None]) -> None:
    """Do it; `report` gets numbers from 0 to 1. Raises av.FFmpegError or OSError."""
    clip: Any
    with av.open(source) as clip, av.open(target, "w", format="mp4", options={"movflags": "+faststart"}) as made:
        end = Fraction(clip.duration or 0, 1_000_000)
        video = _Video(made, clip.streams.video[0])
        audio = _Audio(made) if clip.streams.audio else None
        streams = [clip.streams.video[0], *clip.streams.audio[:1]]
        for packet in clip.demux(streams):
            for frame in packet.decode():
                seconds = Fraction(frame.pts) * frame.time_base
                if isinstance(frame, av.VideoFrame):
                    video.add(frame, seconds)
                    report(min(float(seconds / end), 0.99) if end else 0.0)
                elif audio is not None:
                    audio.add(frame, seconds)
        video.finish(end)
        if audio is not None:
            audio.finish()


class _Lines:
    """Progress on standard output: at most a few lines a second, by which the reader also knows that we live."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due = clock()

    def __call__(self, progress: float) -> None:
        if self._clock() >= self._due:
            self._due = self._clock() + _STEP_SECONDS
            say(progress=round(progress, 3))


def say(**message: float | str) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main(source: str, target: str) -> int:
    """Run the program; return its exit code."""
    os.nice(_NICENESS)
    try:
        transcode(source, target, _Lines(time.monotonic))
    except (av.FFmpegError, OSError) as error:
        say(failed=f"The video could not be converted: {error.strerror or type(error).__name__}")
        return 1
    say(progress=1.0)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
