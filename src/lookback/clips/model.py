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


class Visibility(StrEnum):
    """Who may see a clip besides its owner and those who manage its community."""

    PRIVATE = "private"  # nobody
    COMMUNITY = "community"  # the members of its community
    LINK = "link"  # whoever has the link


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
    """A saved range, as the library lists it. Instants are UTC microseconds.

    `user_id` is its owner, who has saved it. `sharer_id` is whose share it shows, where that is somebody else. The
    names are those of the moment. `share_key` is what its link is made of, there while `visibility` is LINK: a secret.
    """

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
    visibility: Visibility = Visibility.PRIVATE
    tags: tuple[str, ...] = ()
    share_key: str | None = field(default=None, repr=False)
    user_name: str | None = None
    sharer_id: str | None = None
    sharer_name: str | None = None

    @property
    def content_type(self) -> str:
        """MIME type of the video."""
        return f"video/{self.container}"

    @property
    def stored_bytes(self) -> int:
        """What it takes up on disk: its video once, however it is stored, and its finished renditions."""
        video = self.size_bytes if self.status == "ready" else 0
        return video + sum(made.size_bytes or 0 for made in self.renditions if made.status == "ready")

    @property
    def counted_bytes(self) -> int:
        """What it takes up of its owner's quota: nothing once it is deleted, although it can still be restored."""
        return self.stored_bytes if self.deleted_at_us is None else 0
