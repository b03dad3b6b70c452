"""What the API is asked, and what that means."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from lookback.api.wire import PRINTABLE, Flag, GivenInstant, Minutes, Name, Seconds, Wish, microseconds
from lookback.clips.changes import ClipWish
from lookback.clips.model import CaptureWish, Visibility

_LONGEST_POST_ROLL_SECONDS = 300
_SECONDS_PER_MINUTE = 60

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=41, pattern=PRINTABLE)]


class StartWish(Wish):
    """Keep the last minutes of a share."""

    room_name: Name
    community_id: Name | None = None
    participant_identity: Name | None = None
    source: Literal["livekit", "synthetic"] = "livekit"
    recorder: Literal["direct", "egress"] | None = Field(
        default=None, description="How a LiveKit room is recorded. Default: as its community is."
    )
    include_microphone: Flag = Field(default=False, description="Whether the sharer's microphone is kept, too.")


class CaptureRequest(Wish):
    """Save a range: the last so many seconds, an absolute range, or so many seconds before an instant."""

    session_id: Name | None = None
    room_name: Name | None = None
    duration_minutes: Minutes | None = None
    duration_seconds: Seconds | None = None
    start: GivenInstant | None = None
    end: GivenInstant | None = None
    playhead: GivenInstant | None = Field(default=None, description="The instant the viewer was looking at.")
    post_roll_seconds: Annotated[float, Field(strict=True, ge=0, le=_LONGEST_POST_ROLL_SECONDS)] = 0
    title: Title | None = None
    allow_gaps: Flag = False

    @model_validator(mode="after")
    def _says_one_session(self) -> Self:
        if (self.session_id is None) == (self.room_name is None):
            raise ValueError("Say either sessionId or roomName")
        return self

    @model_validator(mode="after")
    def _says_one_range(self) -> Self:
        durations = [d for d in (self.duration_minutes, self.duration_seconds) if d is not None]
        absolute = self.start is not None or self.end is not None
        if len(durations) + absolute != 1 or (absolute and self.playhead is not None):
            raise ValueError(
                "Say one range: durationSeconds or durationMinutes, start and end, or playhead and durationSeconds"
            )
        if absolute and (self.start is None or self.end is None or self.start >= self.end):
            raise ValueError("start and end go together, and start comes first")
        return self

    def wish(self, idempotency_key: str | None) -> CaptureWish:
        """Return what was asked for, in microseconds."""
        minutes = self.duration_minutes * _SECONDS_PER_MINUTE if self.duration_minutes is not None else None
        length = self.duration_seconds if self.duration_seconds is not None else minutes
        return CaptureWish(
            session_id=self.session_id,
            room_name=self.room_name,
            last_us=None if length is None else microseconds(length),
            start_us=self.start,
            end_us=self.end,
            playhead_us=self.playhead,
            post_roll_us=microseconds(self.post_roll_seconds),
            title=self.title,
            allow_gaps=self.allow_gaps,
            idempotency_key=idempotency_key,
        )


class ClipChangeWish(Wish):
    """Change what is named of a clip."""

    title: Title | None = None
    visibility: Visibility | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] | None = None

    def wish(self) -> ClipWish:
        """Return what is to change."""
        return ClipWish(self.title, self.visibility, tuple(self.tags) if self.tags is not None else None)


class ClipsWish(Wish):
    """Several clips."""

    clip_ids: Annotated[list[Name], Field(min_length=1, max_length=200)]


class RenditionWish(Wish):
    """Make a derived file of a clip."""

    format: Literal["mp4"]
