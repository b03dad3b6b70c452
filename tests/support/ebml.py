"""Walk the elements of a WebM file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Element(NamedTuple):
    """One element: its id, where it begins, and where its data is."""

    kind: bytes
    at: int
    begin: int
    end: int


class Block(NamedTuple):
    """A SimpleBlock: track, time in milliseconds, whether it is a key frame, and its frame."""

    track: int
    at_ms: int
    key: bool
    data: bytes


def elements(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Element]:
    """The elements between two positions."""
    end = len(data) if end is None else end
    while begin < end:
        id_size = 9 - data[begin].bit_length()
        width = 9 - data[begin + id_size].bit_length()
        at = begin + id_size + width
        size = int.from_bytes(data[begin + id_size : at], "big") & ((1 << 7 * width) - 1)
        yield Element(data[begin : begin + id_size], begin, at, at + size)
        begin = at + size


def number(data: bytes, element: Element) -> int:
    """The value of an unsigned integer element."""
    return int.from_bytes(data[element.begin : element.end], "big")


def blocks(data: bytes, cluster: Element) -> list[Block]:
    """The blocks of a cluster, at absolute times."""
    parts = list(elements(data, cluster.begin, cluster.end))
    at_ms = number(data, parts[0])
    found = []
    for part in parts[1:]:
        track, relative_ms, flags = struct.unpack_from(">BhB", data, part.begin)
        found.append(Block(track & 0x7F, at_ms + relative_ms, bool(flags & 0x80), data[part.begin + 4 : part.end]))
    return found
