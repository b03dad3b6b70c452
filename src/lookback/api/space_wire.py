"""Disk space and what is deleted for it, as it is sent and received."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StrictBool

from lookback.api.wire import Answer, Instant, Wish, seconds

if TYPE_CHECKING:
    from lookback.buffer.retention import Reason
    from lookback.operations.space import Disk
    from lookback.operations.space_desk import SpaceReport
    from lookback.sessions.sweeping import Swept, Taken

_LARGEST_SAFE = (1 << 53) - 1
ReasonWord = Literal["age", "session", "user", "community", "instance", "space"]
StepWord = Literal["calm", "no-renditions", "small-captures", "shorter-windows", "fewer-sessions"]


class CleanupWish(Wish):
    """What to do."""

    dry_run: StrictBool = Field(default=False, description="Delete nothing, only say what would go.")
    free_bytes: Annotated[int, Field(strict=True, ge=0, le=_LARGEST_SAFE)] = Field(
        default=0, description="The oldest goes besides what has expired, until so much is freed in all."
    )


class DiskAnswer(Answer):
    """A disk; `floorBytes` shall stay free."""

    name: Literal["buffer", "storage"]
    free_bytes: int
    total_bytes: int
    floor_bytes: int


class ReasonAnswer(Answer):
    """What goes for one reason."""

    reason: ReasonWord = Field(description="Too old, or the limit that was used up, or the space that must stay free.")
    segments: int
    size_bytes: int


class TakenAnswer(ReasonAnswer):
    """What goes of one session for one reason."""

    session_id: str
    room_name: str
    user_id: str


class LastCleanupAnswer(Answer):
    """The last full sweep."""

    at: Instant
    segments: int
    size_bytes: int
    reasons: list[ReasonAnswer]


class SpaceAnswer(Answer):
    """How full the disks are, and what that has led to."""

    step: StepWord = Field(description="What is done about it; each step includes those before it.")
    meaning: str = Field(description="The same as a sentence.")
    since: Instant | None = Field(description="null: since the start.")
    disks: list[DiskAnswer]
    shortened_sessions: int = Field(description="Buffers that reach less far back than was promised.")
    shortest_window_seconds: float | None = Field(description="How far back the shortest of them reaches.")
    paused_sessions: int = Field(description="Buffers that write nothing until there is space.")
    last_cleanup: LastCleanupAnswer | None


class CleanupAnswer(Answer):
    """What went, or would go."""

    dry_run: bool
    sessions: int = Field(description="How many buffers were looked at.")
    segments: int
    size_bytes: int
    missing_bytes: int = Field(description="So much of freeBytes cannot be freed.")
    reasons: list[ReasonAnswer]
    items: list[TakenAnswer]
    took_ms: int


def space(report: SpaceReport) -> SpaceAnswer:
    """Present what is known of the disks."""
    last = report.last
    return SpaceAnswer(
        step=report.step.word,
        meaning=report.step.sentence,
        since=report.since_us or None,
        disks=[_disk(name, disk) for name, disk in report.disks.items()],
        shortened_sessions=report.shortened,
        shortest_window_seconds=seconds(report.shortest_us) if report.shortest_us is not None else None,
        paused_sessions=report.paused,
        last_cleanup=_last(last.at_us, last.swept) if last is not None else None,
    )


def cleanup(swept: Swept, *, dry_run: bool) -> CleanupAnswer:
    """Present a sweep."""
    return CleanupAnswer(
        dry_run=dry_run,
        sessions=swept.sessions,
        segments=swept.segments,
        size_bytes=swept.size_bytes,
        missing_bytes=swept.missing_bytes,
        reasons=_reasons(swept),
        items=[_taken(taken) for taken in swept.taken],
        took_ms=swept.took_us // 1000,
    )


def _disk(name: str, disk: Disk) -> DiskAnswer:
    return DiskAnswer(name=name, free_bytes=disk.free_bytes, total_bytes=disk.total_bytes, floor_bytes=disk.floor_bytes)


def _last(at_us: int, swept: Swept) -> LastCleanupAnswer:
    return LastCleanupAnswer(at=at_us, segments=swept.segments, size_bytes=swept.size_bytes, reasons=_reasons(swept))


def _taken(taken: Taken) -> TakenAnswer:
    return TakenAnswer(
        reason=taken.reason,
        segments=taken.segments,
        size_bytes=taken.size_bytes,
        session_id=taken.session.session_id,
        room_name=taken.session.room_name,
        user_id=taken.session.user_id,
    )


def _reasons(swept: Swept) -> list[ReasonAnswer]:
    by: defaultdict[Reason, list[Taken]] = defaultdict(list)
    for taken in swept.taken:
        by[taken.reason].append(taken)
    return [
        ReasonAnswer(
            reason=reason, segments=sum(t.segments for t in group), size_bytes=sum(t.size_bytes for t in group)
        )
        for reason, group in by.items()
    ]
