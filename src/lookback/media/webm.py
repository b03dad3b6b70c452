"""WebM elements of a self-contained segment: header, Info and Tracks, then one known-size Cluster per fragment.

RFC 8794 (EBML), RFC 9559 (Matroska), the WebM container guidelines. Cluster timestamps are absolute UTC milliseconds,
which players accept with a timestamp offset (measured in Chromium); the index beside the file keeps microseconds.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from lookback.media.samples import Track

if TYPE_CHECKING:
    from collections.abc import Sequence

EBML, SEGMENT, INFO, TRACKS, CLUSTER = (
    b"\x1a\x45\xdf\xa3",
    b"\x18\x53\x80\x67",
    b"\x15\x49\xa9\x66",
    b"\x16\x54\xae\x6b",
    b"\x1f\x43\xb6\x75",
)
SEEK_HEAD, CUES, VOID, SIMPLE_BLOCK, TIMESTAMP = b"\x11\x4d\x9b\x74", b"\x1c\x53\xbb\x6b", b"\xec", b"\xa3", b"\xe7"
_BLOCK_GROUP, _BLOCK, _BLOCK_DURATION, _REFERENCE_BLOCK = b"\xa0", b"\xa1", b"\x9b", b"\xfb"
UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
BLOCK_HEADER_SIZE = 9
GROUP_HEADER_SIZE = 12  # of a BlockGroup, before its block
CLUSTER_HEADER_SIZE = 22
KEY_FRAME = 0x80
_NANOSECONDS_PER_TICK = 1_000_000
_OPUS_SEEK_PREROLL_NS = 80_000_000
_APPLICATION = b"lookback"
_LONGEST_STATED_MS = 0xFFFF


class BlockSample(NamedTuple):
    """One frame as a cluster holds it; the instant in UTC microseconds. `duration_us` is said only where it is set."""

    track: Track
    dts_us: int
    data: bytes
    key: bool
    duration_us: int | None = None


def size_field(value: int, width: int | None = None) -> bytes:
    """An element data size, as short as possible or exactly `width` bytes (RFC 8794 section 6)."""
    if width is None:
        width = 1
        while value >= (1 << 7 * width) - 1:
            width += 1
    return (1 << 7 * width | value).to_bytes(width, "big")


def element(kind: bytes, *parts: bytes, width: int | None = None) -> bytes:
    """An element with its size field `width` bytes wide."""
    data = b"".join(parts)
    return kind + size_field(len(data), width) + data


def unsigned(kind: bytes, value: int, width: int | None = None) -> bytes:
    """An unsigned integer element."""
    return element(kind, value.to_bytes(width or max(1, (value.bit_length() + 7) // 8), "big"))


def real(kind: bytes, value: float) -> bytes:
    """A float element of 8 bytes."""
    return element(kind, struct.pack(">d", value))


def ebml_header() -> bytes:
    """Version 1, document type webm, version 4 readable from 2."""
    return element(
        EBML,
        unsigned(b"\x42\x86", 1),
        unsigned(b"\x42\xf7", 1),
        unsigned(b"\x42\xf2", 4),
        unsigned(b"\x42\xf3", 8),
        element(b"\x42\x82", b"webm"),
        unsigned(b"\x42\x87", 4),
        unsigned(b"\x42\x85", 2),
    )


def info(duration_ms: float | None = None) -> bytes:
    """Segment information in milliseconds per tick."""
    length = [] if duration_ms is None else [real(b"\x44\x89", duration_ms)]
    names = element(b"\x4d\x80", _APPLICATION), element(b"\x57\x41", _APPLICATION)
    return element(INFO, unsigned(b"\x2a\xd7\xb1", _NANOSECONDS_PER_TICK), *length, *names)


def tracks(width: int, height: int, *, audio: bool) -> bytes:
    """VP8 and, when asked for, Opus without codec delay: clips may then start at any packet."""
    return element(TRACKS, _video_entry(width, height), *([_audio_entry()] if audio else []))


def init_segment(width: int, height: int, *, audio: bool) -> bytes:
    """What a segment file starts with; also the MSE init segment. The Segment's size is unknown: clusters follow."""
    return ebml_header() + SEGMENT + UNKNOWN_SIZE + info() + tracks(width, height, audio=audio)


def block_header(track: Track, relative_ms: int, flags: int, size: int) -> bytes:
    """The 9 bytes before a frame of `size` bytes in a SimpleBlock (RFC 9559 section 10.2)."""
    return SIMPLE_BLOCK + size_field(size + 4, 4) + struct.pack(">BhB", 0x80 | track, relative_ms, flags)


def group_header(track: Track, relative_ms: int, size: int, duration_ms: int, *, key: bool) -> bytes:
    """The 21 bytes before a frame in a BlockGroup, which says how long it is shown (RFC 9559 section 5.1.3.5).

    The last 9 of them are those of a block. A delta frame refers to a frame that is not named; a key frame has
    nothing in that place.
    """
    reference = element(VOID if key else _REFERENCE_BLOCK, b"\0")
    details = unsigned(_BLOCK_DURATION, min(duration_ms, _LONGEST_STATED_MS), 2) + reference
    block = _BLOCK + size_field(size + 4, 4) + struct.pack(">BhB", 0x80 | track, relative_ms, 0)
    return _BLOCK_GROUP + size_field(len(details) + len(block) + size, 4) + details + block


def cluster_header(timestamp_ms: int, blocks_size: int) -> bytes:
    """The 22 bytes before a cluster's blocks."""
    timestamp = unsigned(TIMESTAMP, timestamp_ms, 8)
    return CLUSTER + size_field(len(timestamp) + blocks_size, 8) + timestamp


def milliseconds(us: int) -> int:
    """Microseconds as the container's ticks, rounded to the nearest."""
    return (us + 500) // 1000


def cluster(samples: Sequence[BlockSample], hidden: Sequence[bytes] = ()) -> tuple[bytes, list[int], list[int]]:
    """One cluster; the offset of every sample's payload and of every hidden blob in it.

    `samples` are in the order in which players want them. `hidden` bytes stand in a Void element: no player sees
    them, the index can. Without samples the bytes are that Void alone.
    """
    void = _void(hidden)
    if not samples:
        return void, [], _offsets(hidden, len(void) - sum(map(len, hidden)))
    at_ms = milliseconds(min(s.dts_us for s in samples))
    parts, offsets, at = [], [], CLUSTER_HEADER_SIZE
    for sample in samples:
        header = _sample_header(sample, milliseconds(sample.dts_us) - at_ms)
        parts += [header, sample.data]
        offsets.append(at + len(header))
        at += len(header) + len(sample.data)
    head = cluster_header(at_ms, at - CLUSTER_HEADER_SIZE)
    hidden_at = at + len(void) - sum(map(len, hidden))
    return head + b"".join(parts) + void, offsets, _offsets(hidden, hidden_at)


def _sample_header(sample: BlockSample, relative_ms: int) -> bytes:
    track, _, data, key, duration_us = sample
    if duration_us is None:
        return block_header(track, relative_ms, KEY_FRAME if key else 0, len(data))
    return group_header(track, relative_ms, len(data), milliseconds(duration_us), key=key)


def _void(hidden: Sequence[bytes]) -> bytes:
    return element(VOID, *hidden, width=8) if hidden else b""


def _offsets(blobs: Sequence[bytes], at: int) -> list[int]:
    offsets = []
    for blob in blobs:
        offsets.append(at)
        at += len(blob)
    return offsets


def _entry(track: Track, codec: bytes, kind: int, *more: bytes) -> bytes:
    common = unsigned(b"\xd7", track), unsigned(b"\x73\xc5", track), unsigned(b"\x9c", 0)
    names = element(b"\x22\xb5\x9c", b"und"), element(b"\x86", codec), unsigned(b"\x83", kind)
    return element(b"\xae", *common, *names, *more)


def _video_entry(width: int, height: int) -> bytes:
    return _entry(Track.VIDEO, b"V_VP8", 1, element(b"\xe0", unsigned(b"\xb0", width), unsigned(b"\xba", height)))


def _audio_entry() -> bytes:
    settings = element(b"\xe1", real(b"\xb5", 48_000.0), unsigned(b"\x9f", 2))
    delays = unsigned(b"\x56\xaa", 0), unsigned(b"\x56\xbb", _OPUS_SEEK_PREROLL_NS)
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)
    return _entry(Track.AUDIO, b"A_OPUS", 2, settings, *delays, element(b"\x63\xa2", head))
