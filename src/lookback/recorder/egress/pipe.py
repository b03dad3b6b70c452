"""How samples cross the pipe from the process that reads MPEG-TS: a fixed header, then the bytes."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from enum import IntEnum

from lookback.errors import MalformedError

_HEADER = struct.Struct("<4sBBxxqqI")  # magic, kind, flags, -, decode and composition time in ticks, size in bytes
_MAGIC = b"LBT1"
_KEY, _DAMAGED = 1, 2
_MOST_BYTES = 16 << 20


class Kind(IntEnum):
    """What a record is. END closes a file; its bytes are the reason why there is no more, empty when all was read."""

    VIDEO = 0
    AUDIO = 1
    END = 2


@dataclass(frozen=True, slots=True)
class TsSample:
    """One access unit with its times in ticks of 90 kHz.

    `data`: of H.264 NAL units with 4-byte lengths, of AAC an ADTS frame. `damaged`: bytes of it are missing.
    """

    kind: Kind
    dts: int
    pts: int
    data: bytes
    key: bool = False
    damaged: bool = False


def pack(sample: TsSample) -> bytes:
    """Encode as written to the pipe."""
    flags = _KEY * sample.key | _DAMAGED * sample.damaged
    return _HEADER.pack(_MAGIC, sample.kind, flags, sample.dts, sample.pts, len(sample.data)) + sample.data


async def read(reader: asyncio.StreamReader) -> TsSample | None:
    """Read the next record; None when the process is gone; raises MalformedError on anything else."""
    try:
        magic, kind, flags, dts, pts, size = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        if magic != _MAGIC or kind > Kind.END or size > _MOST_BYTES:
            raise MalformedError("The process that reads Egress files sent something that is no sample")
        data = await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        return None
    return TsSample(Kind(kind), dts, pts, data, bool(flags & _KEY), bool(flags & _DAMAGED))
