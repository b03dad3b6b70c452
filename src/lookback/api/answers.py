"""What the API sends."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from lookback.api.people_wire import MyCommunityAnswer, PermissionAnswer
from lookback.api.wire import Answer, Instant
from lookback.clips.model import Storage, Visibility
from lookback.sessions.model import SessionState


class Problem(Answer):
    """An error (RFC 9457). `detail` is the sentence a person reads; further members say what can be done."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable name of the kind of error, as a URN.")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable name of the kind of error: docs/reference/errors.md.")
    session_id: str | None = Field(default=None, description="already-active: the session that runs.")
    oldest_available: str | None = Field(default=None, description="no-segments: what can be had.")
    newest_available: str | None = Field(default=None, description="no-segments: what can be had.")
    granted_by: list[str] | None = Field(default=None, description="permission-denied: the roles that would give it.")
    limit: float | None = Field(default=None, description="community-limit, rate-limit, too-large: how much may be.")
    used: float | None = Field(default=None, description="community-limit: how much is.")
    retry_after: float | None = Field(default=None, description="Seconds after which trying again makes sense.")
    gaps: list[Any] | None = Field(default=None, description="gaps: which ones; allowGaps takes the range as it is.")


class GapAnswer(Answer):
    """A stretch of time without samples."""

    start: Instant
    end: Instant
    track: Literal["video", "audio", "all"]
    cause: str = Field(description="Such as reconnect, loss, damaged, storage, egress.")


class IntervalAnswer(Answer):
    """Half-open stretch of time."""

    start: Instant
    end: Instant


class VideoAnswer(Answer):
    """How the picture is encoded, and its size in pixels."""

    codec: str
    width: int | None
    height: int | None


class AudioAnswer(Answer):
    """How the sound is encoded."""

    codec: str


class WindowAnswer(Answer):
    """How far back one can save, and why that is less than was promised, if it is."""

    promised_seconds: float
    available_seconds: float = Field(description="Now, from the newest picture back; gaps included.")
    shortened_by: Literal["session", "user", "community", "instance", "space"] | None = Field(
        description="The limit that has taken the rest: of the buffer, of its user, its community or all buffers "
        "together, or the space that must stay free. null: it is as promised, or still growing."
    )


class SessionAnswer(Answer):
    """One user's replay buffer in one room."""

    session_id: str
    room_name: str
    community_id: str | None
    user_id: str
    participant_identity: str | None
    source: Literal["whip", "livekit", "egress", "synthetic"]
    status: SessionState
    reason: str | None
    started_at: Instant
    ended_at: Instant | None
    drains_at: Instant | None
    buffered_from: Instant | None
    buffered_until: Instant | None
    buffered_seconds: float
    window: WindowAnswer
    size_bytes: int
    video: VideoAnswer | None
    audio: AudioAnswer | None
    gaps: list[GapAnswer]


class WatchedSessionAnswer(SessionAnswer):
    """A session as those see it who look after all of them."""

    recorded: Literal["yes", "no", "unknown"] = Field(
        description="Whether the recorder records it now; unknown: the recorder does not answer."
    )
    lag_seconds: float | None = Field(description="How far what is on disk is behind; null unless it is recorded.")


class WatchedSessionsAnswer(Answer):
    """A page of all sessions that run, can be saved from or have just failed, newest first."""

    items: list[WatchedSessionAnswer]
    next_cursor: str | None


class SessionListAnswer(Answer):
    """Own sessions that run or can still be saved from, newest first."""

    items: list[SessionAnswer]


class BufferAnswer(Answer):
    """A buffer that runs, as everybody in the room may know: whose it is, and since when."""

    user_id: str
    participant_identity: str | None
    since: Instant
    status: SessionState


class RoomStatusAnswer(Answer):
    """What is kept in one room."""

    room_name: str
    active: bool = Field(description="Whether a buffer runs in the room, one's own or another's.")
    sessions: list[SessionAnswer] = Field(description="Those that one may see, also those that have ended.")
    buffers: list[BufferAnswer] = Field(description="Those that run.")


class FragmentAnswer(Answer):
    """The smallest piece that a player can append: bytes of the segment, and the time they cover."""

    offset: int
    size: int
    start: float = Field(description="Epoch milliseconds.")
    end: float = Field(description="Epoch milliseconds.")


class SegmentAnswer(Answer):
    """One file of the buffer."""

    number: int
    container: Literal["mp4", "webm"]
    mime_type: str = Field(description="With codecs, as MediaSource.isTypeSupported wants it.")
    run_id: str
    start: Instant
    end: Instant
    size_bytes: int
    init_size: int = Field(description="Length of the part before the first fragment.")
    media_url: str
    thumbnail_url: str | None
    fragments: list[FragmentAnswer]


class TimelineAnswer(Answer):
    """What is buffered, file by file."""

    session_id: str
    now: Instant
    buffered_from: Instant | None
    buffered_until: Instant | None
    segments: list[SegmentAnswer]
    gaps: list[GapAnswer]


class EventAnswer(Answer):
    """Something that happened to a session."""

    at: Instant
    kind: str = Field(
        description="The state it came into, gap, what its recorder told (storage-failing, storage-recovered, "
        "degraded, restored), or left-out where events are kept no more."
    )
    sentence: str


class StoryAnswer(Answer):
    """What happened to a session, in order; gaps as far as they are still buffered."""

    session_id: str
    room_name: str
    user_id: str
    source: str
    status: SessionState
    events: list[EventAnswer]
    left_out: int = Field(description="How many events from its middle are kept no more.")
    clips: int = Field(description="How many clips were saved of it and are not deleted.")
    next_step: str | None = Field(description="What can be done about the reason it is in this state, if anything.")
    gaps_known: bool = Field(description="False while the buffer cannot be read: then gaps are not told.")


class RenditionAnswer(Answer):
    """A derived file of a clip."""

    rendition_id: str
    format: Literal["mp4"]
    status: Literal["queued", "running", "ready", "failed", "cancelled"]
    progress: float = Field(description="From 0 to 1.")
    size_bytes: int | None
    reason: str | None
    url: str | None = Field(description="Signed; there when the rendition is ready.")


class PersonAnswer(Answer):
    """Somebody, and what they were called then."""

    user_id: str
    name: str | None


class ClipAnswer(Answer):
    """A saved range."""

    clip_id: str
    session_id: str
    room_name: str
    community_id: str | None
    user_id: str = Field(description="Its owner, who has saved it.")
    user_name: str | None
    sharer: PersonAnswer = Field(description="Whose share it shows; often its owner.")
    mine: bool = Field(description="Whether the caller is its owner.")
    title: str
    tags: list[str]
    visibility: Visibility
    share_url: str | None = Field(description="The page for whoever has the link; only for those who may change it.")
    created_at: Instant
    status: Literal["ready", "failed"]
    requested: IntervalAnswer
    delivered: IntervalAnswer
    duration_seconds: float
    size_bytes: int
    content_type: Literal["video/mp4", "video/webm"]
    etag: str
    sha256: str | None
    storage: Storage
    gaps: list[GapAnswer]
    video: VideoAnswer
    audio: AudioAnswer | None
    video_url: str = Field(description="Signed; plays now.")
    download_url: str = Field(description="Signed; saves under a human file name.")
    poster_url: str | None
    renditions: list[RenditionAnswer]
    deleted_at: Instant | None


class SharedClipAnswer(Answer):
    """A clip for somebody who has its link: nobody's ids, and what is needed to watch it."""

    clip_id: str
    title: str
    room_name: str
    user_name: str | None
    created_at: Instant
    status: Literal["ready", "failed"]
    delivered: IntervalAnswer
    duration_seconds: float
    size_bytes: int
    content_type: Literal["video/mp4", "video/webm"]
    gaps: list[GapAnswer]
    video: VideoAnswer
    audio: AudioAnswer | None
    video_url: str = Field(description="Signed; plays as long as the clip is shared.")
    download_url: str
    poster_url: str | None


class ClipListAnswer(Answer):
    """A page of the library in the order that was asked for."""

    items: list[ClipAnswer]
    next_cursor: str | None


class DeletedAnswer(Answer):
    """What became of several clips; one that may not be deleted is not found."""

    deleted: list[str]
    not_found: list[str]


class RestoredAnswer(Answer):
    """What became of several clips."""

    restored: list[str]
    not_found: list[str]
    over_quota: list[str] = Field(description="There is no room for these any more.")


class NoticeAnswer(Answer):
    """Something that people should know of how the server is."""

    kind: Literal["space", "storage"]
    level: Literal["warning", "broken"] = Field(
        description="broken: something does not work at all. A warning about storage (it works, but not as it should) "
        "is only for those who manage limits everywhere."
    )
    sentence: str


class MeAnswer(Answer):
    """Who the token speaks for."""

    user_id: str
    name: str | None
    admin: bool
    quota_bytes: int
    used_bytes: int
    reserved_bytes: int = Field(description="Held for clips that are being made now.")
    permissions: list[PermissionAnswer] = Field(description="What one may, everywhere and by community.")
    communities: list[MyCommunityAnswer]
    joins_livekit: bool = Field(description="Whether POST livekit/join lets one into LiveKit rooms.")
    notices: list[NoticeAnswer] = Field(description="What one should know of how the server is just now.")


class HealthAnswer(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class CheckAnswer(Answer):
    """One thing that must work; `reason` says why it does not."""

    name: str
    ok: bool
    reason: str | None


class ReadinessAnswer(Answer):
    """Whether the server can do its work, and what fails if not."""

    ready: bool
    checks: list[CheckAnswer]
