"""The HLS media playlist that LiveKit Egress writes (RFC 8216): which files are whole, and when each of them begins.

It is rewritten in place, so it may be read while it is empty or ends in the middle of a line. Files are never found by
looking into their folder: they are visible there before they are whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 8 << 20
"""A playlist of ten days of 10 s files is smaller."""

_LONGEST_SECONDS = 3600
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.ts")  # in the playlist's own folder: no path leaves it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. `number` counts from the first one that was ever written; `start_us` is UTC, None when not said."""

    number: int
    name: str
    duration_us: int
    start_us: int | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """What a playlist says; `ended`: nothing will follow."""

    entries: tuple[Entry, ...] = ()
    ended: bool = False


def parse(data: bytes) -> Playlist:
    """Read as much as is certain: of a file that is being rewritten, or is no playlist, that may be nothing.

    Entries whose name is no plain file name are left out; their number stays taken.
    """
    lines = data.decode("utf-8", "replace").split("\n")[:-1]  # what follows the last line break is not whole yet
    if not lines or lines[0].strip() != "#EXTM3U":
        return Playlist()
    return Playlist(tuple(_entries(lines)), any(line.strip() == "#EXT-X-ENDLIST" for line in lines))


def _entries(lines: list[str]) -> Iterator[Entry]:
    number, duration_us, start_us = 0, None, None
    for line in (line.strip() for line in lines[1:]):
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MEDIA-SEQUENCE":
            number = int(value) if value.isdecimal() and len(value) < 10 else 0
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            start_us = _instant(value)
        elif tag == "#EXTINF":
            duration_us = _microseconds(value.partition(",")[0])
        elif line and not line.startswith("#"):
            if duration_us is not None and _NAME.fullmatch(line):
                yield Entry(number, line, duration_us, start_us)
            start_us = start_us + duration_us if start_us is not None and duration_us is not None else None
            number, duration_us = number + 1, None


def _microseconds(text: str) -> int | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return round(seconds * 1_000_000) if 0 <= seconds <= _LONGEST_SECONDS else None


def _instant(text: str) -> int | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if instant.tzinfo is None or instant < _EPOCH:
        return None
    return (instant - _EPOCH) // timedelta(microseconds=1)
