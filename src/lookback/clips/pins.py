"""Pins: names beside the buffer that keep a clip's bytes alive when eviction unlinks the segments.

A pin is a hard link. Where the file system has none, it is a file of its own with the needed bytes at the same
offsets and holes elsewhere, so that plans need not know the difference.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookback.clips.placing import Placer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lookback.clips.file_calls import FileCalls

NO_LINKS = frozenset(
    {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.ENOTTY}
)


class SegmentVanishedError(Exception):
    """A segment was evicted between reading its index and pinning it."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """What to pin: the media file, and the bytes `[start, end)` that the clip needs of it."""

    path: Path
    start: int
    end: int


def make_pins(directory: Path, wanted: Sequence[Pinned], calls: FileCalls) -> None:
    """Create `directory` with a pin for every file; raises SegmentVanishedError when one is gone.

    What they pin is safe from eviction at once, and from a power cut when the names are synced.
    """
    directory.parent.mkdir(exist_ok=True)
    directory.mkdir()
    for pin in wanted:
        try:
            _pin(pin, directory / pin.path.name, calls)
        except FileNotFoundError as error:
            raise SegmentVanishedError from error


def _pin(pin: Pinned, name: Path, calls: FileCalls) -> None:
    try:
        calls.link(pin.path, name)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        _copy(pin, name, calls)


def _copy(pin: Pinned, name: Path, calls: FileCalls) -> None:
    with pin.path.open("rb", buffering=0) as source, name.open("wb", buffering=0) as target:
        os.truncate(target.fileno(), pin.end)
        Placer(target.fileno(), calls).place(source.fileno(), pin.start, pin.end - pin.start, pin.start)
        calls.fsync(target.fileno())
