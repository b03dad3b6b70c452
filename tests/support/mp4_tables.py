"""Read the tables of an MP4 header back: where its samples are and how long they last."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"}


@dataclass(frozen=True, slots=True)
class Tables:
    """One track. Offsets count from the start of the file; durations, edits and `later` are in ticks.

    `later`: how much later than decoded each sample is shown; empty when none is.
    """

    kind: bytes
    offsets: list[int]
    sizes: list[int]
    durations: list[int]
    keys: list[int]
    edits: list[tuple[int, int]]
    boxes: frozenset[bytes]
    later: list[int]


def read_tables(header: bytes) -> list[Tables]:
    """All tracks of a moov-first file."""
    found: list[dict[bytes, bytes]] = []
    for kind, body in _boxes(header):
        if kind == b"trak":
            found.append({})
        elif found:
            found[-1].setdefault(kind, body)
    return [_tables(boxes) for boxes in found]


def top_level(data: bytes) -> list[tuple[bytes, int]]:
    """Kind and size of every box of a file, the last one cut short by the end of `data`."""
    boxes, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size == 1:
            size = struct.unpack_from(">Q", data, at + 8)[0]
        boxes.append((kind, size))
        at += size
    return boxes


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        body = data[at + 8 : at + size]
        yield kind, body
        if kind in _CONTAINERS:
            yield from _boxes(body)
        at += size


def _tables(boxes: dict[bytes, bytes]) -> Tables:
    chunk_format = "Q" if b"co64" in boxes else "I"
    chunks = [row[0] for row in _rows(boxes.get(b"co64") or boxes[b"stco"], chunk_format)]
    sizes = list(struct.unpack_from(f">{struct.unpack_from('>I', boxes[b'stsz'], 8)[0]}I", boxes[b"stsz"], 12))
    per_chunk: list[int] = []
    groups = _rows(boxes[b"stsc"], "III")
    for (first, count, _), following in zip(groups, [*(g[0] for g in groups[1:]), len(chunks) + 1], strict=True):
        per_chunk += [count] * (following - first)
    offsets: list[int] = []
    for chunk, count in zip(chunks, per_chunk, strict=True):
        for _ in range(count):
            offsets.append(chunk)
            chunk += sizes[len(offsets) - 1]  # noqa: PLW2901 - the chunk is eaten up
    durations = [d for count, d in _rows(boxes[b"stts"], "II") for _ in range(count)]
    keys = [row[0] for row in _rows(boxes[b"stss"], "I")] if b"stss" in boxes else []
    edits = [(row[0], row[1]) for row in _rows(boxes[b"elst"], "Qqhh")]
    later = [late for count, late in _rows(boxes[b"ctts"], "II") for _ in range(count)] if b"ctts" in boxes else []
    return Tables(boxes[b"hdlr"][8:12], offsets, sizes, durations, keys, edits, frozenset(boxes), later)


def _rows(body: bytes, row: str) -> list[tuple[int, ...]]:
    count = struct.unpack_from(">I", body, 4)[0]
    return [struct.unpack_from(f">{row}", body, 8 + number * struct.calcsize(f">{row}")) for number in range(count)]
