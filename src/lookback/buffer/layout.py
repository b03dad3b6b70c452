"""Names on disk: the one module that turns ids into paths. Whatever a user calls a room, no path leaves the root."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lookback.buffer.marker import RootIdentity

SESSION_FILE = "session.json"
_PINS = ".pins"
_SLUG_LENGTH = 40
_SAFE_NAME = re.compile(r"(?:[a-z0-9-]{1,40}-)?[0-9a-f]{16}")
_SEGMENT_NAME = re.compile(r"segment-(\d{6,9})\.(mp4|webm|idx|webp)")


def safe_name(identifier: str) -> str:
    """A file name for any id: a readable part for people, and a hash of all of it so that two ids never meet.

    At most 57 bytes of lower-case ASCII letters, digits and hyphens; never empty, never hidden.
    """
    plain = unicodedata.normalize("NFKD", identifier).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_LENGTH].rstrip("-")
    digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{slug}-{digest}" if slug else digest


def is_safe_name(name: str) -> bool:
    """Whether `safe_name` may have made it."""
    return _SAFE_NAME.fullmatch(name) is not None


def may_be_ours(directory: Path) -> bool:
    """Whether it is a directory that is called as ours are: others, such as lost+found, are not for us to judge."""
    return is_safe_name(directory.name) and directory.is_dir()


@dataclass(frozen=True, slots=True)
class SegmentPaths:
    """The files of one segment."""

    number: int
    media: Path
    index: Path
    thumbnail: Path


@dataclass(frozen=True, slots=True)
class BufferLayout:
    """Where things are below the buffer's root. `identity`: what it is recognised by, where that is known."""

    root: Path
    identity: RootIdentity | None = None

    def session_dir(self, room_name: str, user_id: str, session_id: str) -> Path:
        """`{room}/{user}/{session}`."""
        return self.root / safe_name(room_name) / safe_name(user_id) / safe_name(session_id)

    def user_dirs(self, user_id: str) -> list[Path]:
        """Where a user's sessions are, room by room."""
        return sorted(self.root.glob(f"*/{safe_name(user_id)}"))

    def pins_dir(self, clip_id: str) -> Path:
        """Where a clip's hard links are: beside the buffer, so on its file system by construction."""
        return self.root / _PINS / safe_name(clip_id)

    def all_pins(self) -> Iterator[Path]:
        """Every directory of pins."""
        pins = self.root / _PINS
        if pins.is_dir():
            yield from sorted(p for p in pins.iterdir() if may_be_ours(p))

    def sessions(self) -> Iterator[Path]:
        """Every session directory that says whose it is."""
        for marker in sorted(self.root.glob(f"*/*/*/{SESSION_FILE}")):
            yield marker.parent

    def session_dirs(self) -> Iterator[Path]:
        """Every directory where a session's is, whether it says whose it is or not."""
        yield from sorted(p for p in self.root.glob("*/*/*") if all(map(may_be_ours, (p, p.parent, p.parents[1]))))


def segment_stem(number: int) -> str:
    """What the names of a segment's files have in common."""
    return f"segment-{number:06d}"


def segment_paths(directory: Path, number: int, extension: str) -> SegmentPaths:
    """The files of segment `number`; `extension` is that of its media file."""
    stem = segment_stem(number)
    return SegmentPaths(
        number, directory / f"{stem}.{extension}", directory / f"{stem}.idx", directory / f"{stem}.webp"
    )


def parse_segment_name(name: str) -> tuple[int, str] | None:
    """Number and extension of a segment's file, or None for any other name."""
    match = _SEGMENT_NAME.fullmatch(name)
    return (int(match[1]), match[2]) if match else None


def highest_number(directory: Path) -> int:
    """The highest number any segment file has; 0 when there is none."""
    names = (parse_segment_name(p.name) for p in directory.iterdir())
    return max((name[0] for name in names if name), default=0)
