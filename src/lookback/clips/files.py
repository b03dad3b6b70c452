"""What there is of a clip on disk, and what exactly is missing where it cannot be played."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

from lookback.clips.store import HEADER, RECORD
from lookback.errors import MalformedError

if TYPE_CHECKING:
    from pathlib import Path

    from lookback.clips.model import Clip, Rendition
    from lookback.clips.record import ClipRecord
    from lookback.clips.store import ClipStore


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """What there is. `video_bytes` is None without the physical file.

    `lacks`: why it cannot be played from its pins, None if it can.
    """

    directory: bool
    record: ClipRecord | None
    has_record: bool
    video_bytes: int | None
    lacks: str | None
    pinned: bool
    poster: bool
    renditions: frozenset[Path]

    @property
    def virtual(self) -> bool:
        """Whether it can be played from its pins."""
        return self.lacks is None

    def holds(self, clip: Clip) -> bool:
        """Whether the physical file has all the clip's bytes."""
        return self.video_bytes is not None and self.video_bytes >= clip.size_bytes


def look_at(store: ClipStore, clip: Clip) -> ClipFiles:
    """Look at a clip's files; raises OSError where they cannot be looked at."""
    directory, pins = store.directory(clip), store.pins(clip.clip_id)
    record: ClipRecord | None = None
    with suppress(FileNotFoundError, MalformedError):
        record = store.read(directory)
    return ClipFiles(
        directory=directory.exists(),
        record=record,
        has_record=(directory / RECORD).exists(),
        video_bytes=size_of(store.video(clip)),
        lacks=_lacks(record, directory, pins),
        pinned=pins.exists() or (directory / HEADER).exists(),
        poster=store.poster(clip).exists(),
        renditions=frozenset(directory.glob("rendition-*.mp4")),
    )


def why_not_playable(files: ClipFiles, clip: Clip) -> str:
    """What is missing of a clip that cannot be played."""
    if not files.directory:
        return "its directory is gone"
    said = files.lacks or ""
    if files.video_bytes is not None:
        return f"its file has {files.video_bytes} of {clip.size_bytes} bytes, and {said}"
    return said


def size_of(path: Path) -> int | None:
    """Bytes of a file; None when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def finished(store: ClipStore, clip: Clip) -> tuple[Rendition, ...]:
    """The renditions whose files are there, whole."""
    return tuple(made for made in clip.renditions if made.status == "ready" and not rendition_lacks(store, clip, made))


def rendition_lacks(store: ClipStore, clip: Clip, made: Rendition) -> str | None:
    """What is wrong with the file of a rendition that is ready; None when nothing is."""
    size = size_of(store.rendition(clip, made.rendition_id))
    if size is None:
        return "the file is gone"
    if size != (made.size_bytes or size):
        return f"the file has {size} bytes and not {made.size_bytes}"
    return None


def _lacks(record: ClipRecord | None, directory: Path, pins: Path) -> str | None:
    """What is missing to play it from its pins: the first thing, and of links how many."""
    if record is None:
        return "its clip.json is gone or cannot be read"
    plan = record.plan
    try:
        if xxhash.xxh3_128_hexdigest((directory / HEADER).read_bytes()) != plan.header_digest:
            return "its header is not what was written"
    except FileNotFoundError:
        return "its header is gone"
    needed = [(name, end) for name, (_, end) in zip(plan.pins, plan.spans(), strict=True)]
    sizes = {name: size_of(pins / name) for name, _ in needed}
    gone = [name for name, _ in needed if sizes[name] is None]
    if gone:
        return f"{len(gone)} of its {len(needed)} links are gone: {', '.join(gone[:3])}"
    short = [f"{name} has {sizes[name]} of {end} bytes" for name, end in needed if (sizes[name] or 0) < end]
    return f"its link {short[0]}" if short else None
