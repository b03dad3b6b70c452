"""The index beside a segment: where the bytes of every sample are, and which of them are whole.

A file is a 32-byte header, then 32-byte records in two kinds of one layout, so that numpy reads it in one go:

    sample  dts us | offset | size | duration us | cts us | fragment | track | flags | -
    commit  xxh3-64 of the fragment's bytes | offset of the fragment | its size | number of samples
            | low half of xxh3-64 of those sample records | fragment | 255 | - | -

A reader trusts whole commits only: count and record hash right, and the fragment within the media file. What comes
after the last such commit is what a crash left behind.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xxhash

from lookback.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lookback.media.samples import Track

MAGIC = b"LBX1"
VERSION = 1
HEADER = struct.Struct("<4sHHIHHq8s")
SAMPLE = struct.Struct("<qIIIiIBBH")
COMMIT = struct.Struct("<QIIIIIBBH")
RECORD_SIZE = 32
COMMIT_TRACK = 255

RECORD = np.dtype(
    [
        ("dts_us", "<i8"),
        ("offset", "<u4"),
        ("size", "<u4"),
        ("duration_us", "<u4"),
        ("cts_us", "<i4"),
        ("fragment", "<u4"),
        ("track", "u1"),
        ("flags", "u1"),
        ("reserved", "<u2"),
    ]
)


class Flag(IntFlag):
    """What is special about a sample.

    A record without bytes (size 0) is a note, never a sample of a clip: with REFERENCE_LOST it is a stretch whose
    pictures are lost, with HELD a stretch in which the publisher was alive and the picture did not change.
    """

    NONE = 0
    SYNC = 1
    REFERENCE_LOST = 2
    ESTIMATED = 4
    FILLER = 8
    HELD = 16


NEVER_SHOWN = Flag.REFERENCE_LOST | Flag.HELD
"""Records with any of these are no pictures of a clip or a preview."""


class LossCause(IntEnum):
    """Why pictures are lost: what a note with REFERENCE_LOST has in the place of the composition offset.

    FILE: a file of another recorder is gone or cannot be read. SOUND: the pictures are there, their sound is not.
    ABSENCE: the publisher had gone without a word; what is there is the picture that was shown last.
    """

    NETWORK = 0
    STORAGE = 1
    FILE = 2
    SOUND = 3
    ABSENCE = 4


class Sample(NamedTuple):
    """One sample record before it is packed; `offset` counts from the start of the media file."""

    track: Track
    dts_us: int
    duration_us: int
    offset: int
    size: int
    flags: Flag = Flag.NONE
    cts_us: int = 0


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """The first 32 bytes: what the media file starts with, and which run it belongs to.

    `init_size` is the length in bytes of the part before the first fragment. `run_id` is 8 opaque bytes.
    """

    init_size: int
    width: int
    height: int
    first_dts_us: int
    run_id: bytes

    def pack(self) -> bytes:
        """Encode as written at the start of the file."""
        return HEADER.pack(
            MAGIC,
            VERSION,
            HEADER.size,
            self.init_size,
            self.width,
            self.height,
            self.first_dts_us,
            self.run_id,
        )

    @classmethod
    def parse(cls, data: bytes) -> SegmentHeader:
        """Decode; raises MalformedError when this is not an index of a version we know."""
        if len(data) < HEADER.size:
            raise MalformedError("The index is shorter than its header")
        magic, version, size, init_size, width, height, first_dts_us, run_id = HEADER.unpack_from(data)
        if magic != MAGIC or version != VERSION or size != HEADER.size:
            raise MalformedError("The file is not an index of a known version")
        return cls(init_size, width, height, first_dts_us, run_id)


@dataclass(frozen=True, slots=True)
class SegmentIndex:
    """The trusted part of one index file.

    `samples` and `commits` are RECORD arrays (read-only). `good_bytes` is how much of the index file they cover,
    `torn_bytes` what follows. `media_bytes` is how much of the media file the commits cover.
    """

    header: SegmentHeader
    samples: NDArray[np.void]
    commits: NDArray[np.void]
    good_bytes: int
    torn_bytes: int
    media_bytes: int


def fragment_records(number: int, offset: int, data: bytes, samples: Sequence[Sample]) -> bytes:
    """Records and commit of one fragment, to be appended once `data` stands at `offset` in the media file."""
    rows = b"".join(
        SAMPLE.pack(s.dts_us, s.offset, s.size, s.duration_us, s.cts_us, number, s.track, s.flags, 0) for s in samples
    )
    commit = COMMIT.pack(
        xxhash.xxh3_64_intdigest(data),
        offset,
        len(data),
        len(samples),
        _low_hash(rows),
        number,
        COMMIT_TRACK,
        0,
        0,
    )
    return rows + commit


def parse_index(data: bytes, media_size: int) -> SegmentIndex:
    """Read an index whose media file is `media_size` bytes long; raises MalformedError when the header is not ours."""
    header = SegmentHeader.parse(data)
    count = (len(data) - HEADER.size) // RECORD_SIZE
    records = np.frombuffer(data, RECORD, count, HEADER.size)
    view = memoryview(data)
    where = np.flatnonzero(records["track"] == COMMIT_TRACK)
    commits = records[where]
    ends = commits["offset"].astype(np.int64) + commits["size"]
    good, media_bytes = 0, header.init_size
    for at, samples, digest, end in zip(
        where.tolist(),
        commits["duration_us"].tolist(),
        commits["cts_us"].view("<u4").tolist(),
        ends.tolist(),
        strict=True,
    ):
        rows = view[HEADER.size + good * RECORD_SIZE : HEADER.size + at * RECORD_SIZE]
        if end > media_size or at - good != samples or _low_hash(rows) != digest:
            break
        good, media_bytes = at + 1, max(media_bytes, end)
    trusted = records[:good]
    is_commit = trusted["track"] == COMMIT_TRACK
    good_bytes = HEADER.size + good * RECORD_SIZE
    return SegmentIndex(
        header, trusted[~is_commit], trusted[is_commit], good_bytes, len(data) - good_bytes, media_bytes
    )


def first_broken_commit(index: SegmentIndex, media: bytes | memoryview) -> int | None:
    """Position of the first commit whose bytes are not those that were written; None when all are.

    `media` is the media file, as far as the commits cover it.
    """
    view = memoryview(media)
    rows = zip(*(index.commits[name].tolist() for name in ("offset", "size")), strict=True)
    for position, ((offset, size), digest) in enumerate(
        zip(rows, index.commits["dts_us"].view("<u8").tolist(), strict=True)
    ):
        if xxhash.xxh3_64_intdigest(view[offset : offset + size]) != digest:
            return position
    return None


def bytes_up_to(index: SegmentIndex, commit: int) -> int:
    """How much of the index file stands before the fragment of the commit at this position."""
    return HEADER.size + RECORD_SIZE * int((index.commits["duration_us"][:commit].astype(np.int64) + 1).sum())


def as_written(index: SegmentIndex, data: bytes, media: bytes) -> SegmentIndex:
    """Narrow an index to what stands before the first fragment whose bytes are not those that were written.

    `data` is what `index` was parsed from, `media` the media file.
    """
    broken = first_broken_commit(index, memoryview(media)[: index.media_bytes])
    return index if broken is None else parse_index(data[: bytes_up_to(index, broken)], index.media_bytes)


def _low_hash(rows: bytes | memoryview) -> int:
    return xxhash.xxh3_64_intdigest(rows) & 0xFFFFFFFF
