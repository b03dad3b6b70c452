"""What a clip is, and the plan that says which bytes it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from lookback.media.gaps import Gap  # noqa: TC001 - pydantic reads the annotations


class Storage(StrEnum):
    """Where a clip's bytes are."""

    VIRTUAL = "virtual"  # header plus pinned byte ranges
    FILE = "file"  # one physical file
    OBJECT = "object"  # in a bucket


@dataclass(frozen=True, slots=True)
class Interval:
    """Half-open `[start_us, end_us)` in UTC microseconds."""

    start_us: int
    end_us: int

    @property
    def duration_us(self) -> int:
        """Length in microseconds."""
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class CaptureWish:
    """What was asked for, parsed. `last_us`, (`start_us`, `end_us`) or (`playhead_us`, `last_us`) says the range."""

    session_id: str | None = None
    room_name: str | None = None
    last_us: int | None = None
    start_us: int | None = None
    end_us: int | None = None
    playhead_us: int | None = None
    post_roll_us: int = 0
    title: str | None = None
    allow_gaps: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Rendition:
    """A derived file of a clip. `progress` runs from 0 to 1."""

    rendition_id: str
    format: Literal["mp4"]
    status: Literal["queued", "running", "ready", "failed", "cancelled"]
    progress: float = 0.0
    size_bytes: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """A saved range, as the library lists it. Instants are UTC microseconds."""

    clip_id: str
    session_id: str
    room_name: str
    community_id: str | None
    user_id: str
    title: str
    created_at_us: int
    status: Literal["ready", "failed"]
    requested: Interval
    delivered: Interval
    size_bytes: int
    container: Literal["mp4", "webm"]
    etag: str
    storage: Storage
    video_codec: str
    audio_codec: str | None
    width: int
    height: int
    sha256: str | None = None
    has_poster: bool = False
    idempotency_key: str | None = None
    deleted_at_us: int | None = None
    gaps: tuple[Gap, ...] = ()
    renditions: tuple[Rendition, ...] = field(default=())

    @property
    def content_type(self) -> str:
        """MIME type of the video."""
        return f"video/{self.container}"
