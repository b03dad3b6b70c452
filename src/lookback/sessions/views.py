"""What can be seen of a session: its row, and what its buffer holds right now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookback.buffer.threads import ANYBODYS, DiskThreads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lookback.buffer.reader import Buffered
    from lookback.buffer.retention import Reason
    from lookback.sessions.model import Session


@dataclass(frozen=True, slots=True)
class Window:
    """How much of a session is kept: what was promised, and why it is less, if it is."""

    promised_us: int
    shortened_by: Reason | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its user sees it."""

    session: Session
    buffered: Buffered
    window: Window


@dataclass(frozen=True, slots=True)
class WatchedView:
    """A session as those see it who look after all of them.

    `recorded`: whether the recorder records it; unknown while the recorder does not answer. `lag_us`: if it does, how
    far what is on disk is behind.
    """

    view: SessionView
    recorded: Literal["yes", "no", "unknown"]
    lag_us: int | None = None

    @classmethod
    def of(cls, view: SessionView, lags_us: Mapping[str, int] | None) -> WatchedView:
        """`lags_us`: of the sessions that the recorder records, by id; None when it does not answer."""
        if lags_us is None:
            return cls(view, "unknown")
        lag_us = lags_us.get(view.session.session_id)
        return cls(view, "no" if lag_us is None else "yes", lag_us)


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room's sessions that somebody may see, and those that run as far as they may know; newest first."""

    sessions: tuple[SessionView, ...]
    running: tuple[Session, ...]


@dataclass(frozen=True, slots=True)
class FragmentView:
    """Bytes `[offset, offset + size)` of a segment, and the time they cover."""

    offset: int
    size: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One file of the buffer. `run_id` is hexadecimal; `mime_type` names the codecs (RFC 6381)."""

    number: int
    container: Literal["mp4", "webm"]
    mime_type: str
    run_id: str
    start_us: int
    end_us: int
    size_bytes: int
    init_size: int
    has_thumbnail: bool
    fragments: tuple[FragmentView, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is buffered, file by file, from some segment on."""

    session: Session
    now_us: int
    buffered: Buffered
    segments: tuple[SegmentView, ...]


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A file of the buffer that a player may read: the first `size_bytes` of `path`, which never change.

    It shows `[start_us, end_us)`. `threads` are those that wait for its disk.
    """

    path: Path
    size_bytes: int
    content_type: str
    etag: str
    start_us: int
    end_us: int
    threads: DiskThreads = ANYBODYS


@dataclass(frozen=True, slots=True)
class WhipAnswer:
    """What a publisher gets back: the SDP (or SDP fragment), and the entity tag of the resource's ICE session."""

    session_id: str
    sdp: str
    etag: str


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What `start` was asked for. `recorder`: how a LiveKit room is recorded, None for as its community wants."""

    room_name: str
    community_id: str | None
    participant_identity: str | None
    source: Literal["livekit", "synthetic"]
    recorder: Literal["direct", "egress"] | None = None
    include_microphone: bool = False
