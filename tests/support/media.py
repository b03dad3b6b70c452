"""Fill a session directory through the real writer with frames whose numbers can be read back from the picture."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from lookback.buffer.writer import SEGMENT_US, RunWriter
from lookback.media.samples import Codec
from lookback.media.segment import FORMATS
from lookback.media.sound import OPUS
from tests.support.encoded_clip import EncodedClip, encoded_clip
from tests.support.pictures import barcode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

START_US = 1_795_384_759_000_000
AUDIO_STEP_US = 20_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame that was recorded: when, and the number in its picture."""

    dts_us: int
    number: int


def sync_nothing(handles: list[int]) -> None:
    """Close the descriptors without waiting for the disk."""
    for fd in handles:
        os.close(fd)


def length_prefixed(annex_b: bytes) -> bytes:
    """NAL units with 4-byte lengths instead of start codes."""
    units = re.split(rb"\x00\x00\x00?\x01", annex_b)[1:]
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def frame_data(clip: EncodedClip, at: int) -> tuple[bool, bytes]:
    """Key flag and bytes of the clip's frame `at`, counted on through its repetitions, as a recorder gets them."""
    key, data = clip.video[at % len(clip.video)]
    return key, length_prefixed(data) if clip.shape.codec == "h264" else data


def writer_for(directory: Path, clip: EncodedClip, **more: Any) -> RunWriter:
    """A writer of one run."""
    options: dict[str, Any] = {"run_id": b"run-0001", "audio": OPUS, "sync": sync_nothing, "segment_us": 2_000_000}
    return RunWriter(directory, format=FORMATS[Codec(clip.shape.codec)](), **options | more)


def record(
    directory: Path,
    clip: EncodedClip | None = None,
    *,
    start_us: int = START_US,
    frames: int = 120,
    lost: Collection[int] = (),
    silent: Callable[[int], bool] = lambda _: False,
    close: bool = True,
    **more: Any,
) -> list[Shown]:
    """Record `frames` frames and their sound as one run; return the frames a player may show.

    `lost` are numbers of frames that never arrive; what refers to them is marked as the receiver would. `silent`
    says of an instant whether its audio packet does not arrive.
    """
    clip = clip or encoded_clip()
    directory.mkdir(parents=True, exist_ok=True)
    writer = writer_for(directory, clip, **more)
    step_us = 1_000_000 / clip.shape.fps
    shown: list[Shown] = []
    audio, broken, hole = 0, False, False
    for number in range(frames):
        at_us = start_us + round(number * step_us)
        while audio * AUDIO_STEP_US <= number * step_us:
            sound_us = start_us + audio * AUDIO_STEP_US
            if more.get("audio", OPUS) is not None and not silent(sound_us):
                writer.audio(sound_us, clip.audio[audio % len(clip.audio)])
            audio += 1
        key, data = frame_data(clip, number)
        if number in lost:
            broken = hole = True
            continue
        broken = broken and not key
        writer.video(at_us, data, key=key, reference_lost=broken, discontinuity=hole)
        writer.tick(at_us)
        hole = False
        if not broken:
            shown.append(Shown(at_us, number % len(clip.video)))
    if close:
        writer.close(start_us + round(frames * step_us))
    return shown


def ten_minutes(directory: Path, clip: EncodedClip | None = None, *, seconds: int = 600) -> list[Shown]:
    """As a long buffer looks on disk: segments of ten seconds."""
    clip = clip or encoded_clip()
    return record(directory, clip, frames=seconds * clip.shape.fps, segment_us=SEGMENT_US)


def decoded(source: str | Path | bytes) -> list[tuple[float, int]]:
    """Every picture a player shows: (seconds, number in the picture)."""
    file: Any = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    with av.open(file) as container:
        return [(float(frame.time), barcode(frame.to_ndarray(format="gray"))) for frame in container.decode(video=0)]


def decoded_audio(source: str | Path | bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Mono samples at 48 kHz, from the time 0 of the file on; holes are silence."""
    file: Any = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    parts: list[tuple[int, np.ndarray[Any, np.dtype[np.float32]]]] = []
    with av.open(file) as container:
        for frame in container.decode(audio=0):
            mono = frame.to_ndarray().astype(np.float32)
            parts.append((round(float(frame.time) * 48_000), mono.reshape(mono.shape[0], -1)[0]))
    sound = np.zeros(max(at + len(mono) for at, mono in parts), np.float32)
    for at, mono in parts:
        sound[max(at, 0) : at + len(mono)] = mono[max(-at, 0) :]
    return sound
