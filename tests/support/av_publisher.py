"""A WHIP publisher that nobody here wrote: FFmpeg's muxer, by PyAV, with barcodes and beeps.

Run as a process of its own, `python -m tests.support.av_publisher URL CERTIFICATE KEY`, with the bearer token in the
environment variable TOKEN. It prints "connected" and publishes until its standard input is closed, or it is killed.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from tests.support.pictures import AUDIO_RATE, barcoded, beeping

if TYPE_CHECKING:
    from av.container import OutputContainer

FPS = 30
_AUDIO_FRAME = 960


def publish(wanted: argparse.Namespace) -> None:
    """Publish in real time until standard input ends."""
    options = {"authorization": os.environ["TOKEN"]}
    options |= {"cert_file": wanted.certificate, "key_file": wanted.key} if wanted.certificate else {}
    options |= {} if wanted.passive else {"whip_flags": "dtls_active"}
    with av.open(wanted.url, "w", format="whip", options=options) as output:
        video, audio = _video(output, wanted), _audio(output)
        output.start_encoding()
        print("connected", flush=True)  # noqa: T201 - whoever started us waits for it
        begun, sample = time.monotonic(), 0
        number = wanted.first_number
        while not _input_ended(until=begun + (number - wanted.first_number) / FPS):
            picture = barcoded(number, wanted.width, wanted.height)
            picture.pts, picture.time_base = (number - wanted.first_number) * 90_000 // FPS, Fraction(1, 90_000)
            output.mux(video.encode(picture))
            number += 1
            while sample < (number - wanted.first_number) * AUDIO_RATE // FPS:
                output.mux(audio.encode(beeping(sample, _AUDIO_FRAME)))
                sample += _AUDIO_FRAME


def _video(output: OutputContainer, wanted: argparse.Namespace) -> av.VideoStream:
    stream = output.add_stream("libx264", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = wanted.width, wanted.height, "yuv420p"
    stream.bit_rate, stream.gop_size, stream.time_base = 1_500_000, wanted.gop, Fraction(1, 90_000)
    stream.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    return stream


def _audio(output: OutputContainer) -> av.AudioStream:
    stream = output.add_stream("libopus", rate=AUDIO_RATE, layout="stereo")
    stream.options = {"frame_duration": "20"}
    return stream


def _input_ended(until: float) -> bool:
    """Wait for the moment on the monotonic clock; True as soon as standard input is closed."""
    readable, _, _ = select.select([sys.stdin], [], [], max(0.0, until - time.monotonic()))
    return bool(readable) and not os.read(sys.stdin.fileno(), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("certificate", help="empty for the one FFmpeg makes itself")
    parser.add_argument("key")
    parser.add_argument("--passive", action="store_true", help="FFmpeg's default DTLS role")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument(
        "--gop", type=int, default=30, help="frames from key frame to key frame; FFmpeg ignores requests"
    )
    parser.add_argument("--first-number", type=int, default=0, help="of the barcodes")
    publish(parser.parse_args())


if __name__ == "__main__":
    main()
