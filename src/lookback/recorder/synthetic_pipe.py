"""How frames cross the pipe from the generating process to the worker: a fixed header, then the bytes."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

from lookback.errors import MalformedError
from lookback.media.samples import Codec

_HEADER = struct.Struct("<4sBBxxqI")  # magic, codec, key frame, -, decode time in UTC microseconds, size in bytes
_MAGIC = b"LBF1"
_CODECS = (Codec.H264, Codec.VP8, Codec.OPUS)
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """One encoded frame with its time on the wall clock (UTC microseconds); `data` as in EncodedFrame."""

    codec: Codec
    dts_us: int
    data: bytes
    key: bool


def pack_frame(frame: SourceFrame) -> bytes:
    """Encode as written to the pipe."""
    header = _HEADER.pack(_MAGIC, _CODECS.index(frame.codec), frame.key, frame.dts_us, len(frame.data))
    return header + frame.data


async def read_frame(reader: asyncio.StreamReader) -> SourceFrame | None:
    """Read the next frame; None at the end, also in the middle of a frame; raises MalformedError on anything else."""
    try:
        codec, key, dts_us, size = _parse_header(await reader.readexactly(_HEADER.size))
        return SourceFrame(codec, dts_us, await reader.readexactly(size), key)
    except asyncio.IncompleteReadError:
        return None


def _parse_header(data: bytes) -> tuple[Codec, bool, int, int]:
    magic, codec, key, dts_us, size = _HEADER.unpack(data)
    if magic != _MAGIC or codec >= len(_CODECS) or size > _MOST_BYTES:
        raise MalformedError("The generated share sent something that is no frame")
    return _CODECS[codec], bool(key), dts_us, size
