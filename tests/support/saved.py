"""A clip as a plain file: for tests that look at what a player would get."""

from __future__ import annotations

import io
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from lookback.media.clip_mp4 import build_mp4
from lookback.media.clip_webm import build_webm
from lookback.media.cutting import Cut, cut
from lookback.media.sound import OPUS, Sound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PIL import Image

    from lookback.buffer.reader import Segment
    from lookback.clips.model import Clip
    from lookback.clips.store import ClipStore
    from lookback.media.virtual import ByteRange, VirtualFile

_BUILDERS = {"mp4": build_mp4, "webm": build_webm}


def write_clip(store: ClipStore, clip: Clip, path: Path) -> Path:
    """Write a saved clip's bytes, virtual or not, into a file of its own."""
    with store.open(clip) as opened:
        path.write_bytes(opened.read_at(0, opened.size))
    return path


def cut_segments(
    segments: Sequence[Segment], start_us: int, end_us: int, sound: Sound | None = None
) -> tuple[Cut, VirtualFile, bytes]:
    """Cut a range of segments on disk: the choice, the virtual file, and its bytes. `sound` is Opus without."""
    chosen = cut([segment.index for segment in segments], start_us, end_us, sound or OPUS)
    assert chosen is not None, "there is nothing in the range"
    with ExitStack() as stack:
        files = [stack.enter_context(io.FileIO(segment.media_path)) for segment in segments]
        read = reader([file.fileno() for file in files])
        file, _ = _BUILDERS[segments[0].container](chosen, read)
        return chosen, file, b"".join(p if isinstance(p, bytes) else read(p) for p in file.pieces)


def barcode_of_picture(picture: Image.Image) -> int:
    """The number in a poster or thumbnail."""
    luma = picture.convert("L")
    row = 24 * luma.height // 360
    return sum(1 << bit for bit in range(16) if _brightness(luma, (bit * 40 + 20) * luma.width // 640, row) > 128)


def _brightness(luma: Image.Image, x: int, y: int) -> int:
    value = luma.getpixel((x, y))
    assert isinstance(value, int)
    return value


def reader(descriptors: Sequence[int]) -> Callable[[ByteRange], bytes]:
    """Reads ranges of open files; a short read is a failed test."""

    def read(where: ByteRange) -> bytes:
        data = os.pread(descriptors[where.segment], where.length, where.offset)
        assert len(data) == where.length
        return data

    return read
