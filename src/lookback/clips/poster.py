"""Pictures of clips and segments: one decoded frame as WebP. Blocking; run it off the event loop."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from lookback.clips.opened import ClipStream
from lookback.errors import CaptureFailedError, MalformedError
from lookback.media.h264 import nal_units
from lookback.media.index import Flag
from lookback.media.samples import Track

if TYPE_CHECKING:
    from lookback.buffer.reader import Segment
    from lookback.clips.opened import OpenedClip

POSTER_WIDTH = 640
THUMBNAIL_WIDTH = 320
_QUALITY = 75
_EFFORT = 2  # of 6; 4 takes three times as long for a tenth of the size (measured)
_FORMATS = {"mp4": "mp4", "webm": "matroska"}
_START_CODE = b"\0\0\0\1"


def make_poster(clip: OpenedClip, container: str) -> bytes:
    """The first picture a player shows, at most 640 pixels wide; raises CaptureFailedError when there is none."""
    file: Any
    try:
        with av.open(ClipStream(clip), format=_FORMATS[container]) as file:
            file.streams.video[0].thread_count = 1  # a poster is not worth a second core
            frame = next(file.decode(video=0), None)
            if frame is not None:
                return _webp(frame, POSTER_WIDTH)
    except av.FFmpegError as error:
        raise CaptureFailedError("The clip's first picture cannot be decoded") from error
    raise CaptureFailedError("The clip has no picture")


def make_thumbnail(segment: Segment) -> bytes:
    """The segment's first key frame, 320 pixels wide; raises CaptureFailedError, or OSError when it is gone."""
    data = _first_key_frame(segment)
    try:
        if segment.container == "mp4":
            data = b"".join(_START_CODE + unit for unit in nal_units(data))
        decoder: Any = av.CodecContext.create("h264" if segment.container == "mp4" else "vp8", "r")
        decoder.thread_count = 1
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except (av.FFmpegError, MalformedError) as error:
        raise CaptureFailedError("The segment's first picture cannot be decoded") from error
    if not frames:
        raise CaptureFailedError("The segment's first picture cannot be decoded")
    return _webp(frames[0], THUMBNAIL_WIDTH)


def _first_key_frame(segment: Segment) -> bytes:
    samples = segment.index.samples
    keys = np.flatnonzero((samples["track"] == Track.VIDEO) & ((samples["flags"] & Flag.SYNC) != 0))
    if not len(keys):
        raise CaptureFailedError("The segment has no key frame")
    key = samples[keys[0]]
    with segment.media_path.open("rb", buffering=0) as file:
        return os.pread(file.fileno(), int(key["size"]), int(key["offset"]))


def _webp(frame: Any, widest: int) -> bytes:
    width = min(widest, frame.width)
    height = max(1, round(frame.height * width / frame.width))
    picture = frame.reformat(width, height, "rgb24", interpolation="FAST_BILINEAR").to_image()
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=_QUALITY, method=_EFFORT)
    return file.getvalue()
