"""What clips need from the outside: where rows live, where a session's buffer is, and what a user may still store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypedDict, Unpack

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from lookback.access.principal import Principal
    from lookback.clips.model import Clip, Rendition, Storage, Visibility
    from lookback.errors import QuotaExceededError

Clock = Callable[[], int]
"""Now, in UTC microseconds."""

Wait = Callable[[int], Awaitable[None]]
"""Return when the clock has reached the given instant, in UTC microseconds."""


Erased = Callable[[str, int], Awaitable[bool]]
"""Whether a user was erased, or is being, since this instant in UTC microseconds."""

NameOf = Callable[[str], Awaitable[str | None]]
"""What a user is called, or None."""


class Sort(StrEnum):
    """Orders of a list of clips. What they go by never changes, so that pages join; equal ones follow by their ids."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LONGEST = "longest"
    LARGEST = "largest"

    def key(self, clip: Clip) -> Position:
        """Where the clip stands."""
        by = {Sort.LONGEST: clip.delivered.duration_us, Sort.LARGEST: clip.size_bytes}
        return Position(by.get(self, clip.created_at_us), clip.clip_id)

    @property
    def descending(self) -> bool:
        """Whether the greatest key comes first."""
        return self is not Sort.OLDEST


class Position(NamedTuple):
    """Where a page ended: the key of its last clip, in microseconds or bytes as the order goes, and that clip."""

    value: int
    clip_id: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which clips a list holds: a user's own, or else a community's. What is None or "" does not narrow.

    `query`: every word of it is somewhere in the title, the room, the sharer or the tags; see `search.fold` for what
    counts as the same. `from_us` and `until_us` bound when a clip was made, half-open.
    """

    user_id: str | None = None
    community_id: str | None = None
    query: str = ""
    room_name: str | None = None
    tag: str | None = None
    visibility: Visibility | None = None
    from_us: int | None = None
    until_us: int | None = None


@dataclass(slots=True)
class Room:
    """The bytes that a change may add to what its owner uses: those of a reservation, else what is free now.

    `default_bytes` is the quota of users who have none of their own; None is no limit. `taken`: they are in a row that
    is committed, and the reservation has ended with it.
    """

    default_bytes: int | None
    now_us: int
    reservation_id: str | None = None
    taken: bool = False


class ClipChanges(TypedDict, total=False):
    """The columns of a clip that change after it was made."""

    title: str
    visibility: Visibility
    tags: tuple[str, ...]
    share_key: str | None
    status: Literal["ready", "failed"]
    storage: Storage
    sha256: str | None
    has_poster: bool
    deleted_at_us: int | None


class ClipRepository(Protocol):
    """The rows of clips and of their renditions.

    Every method is one transaction. A clip that is marked as deleted is still there for every method but `page` and
    `largest`: who calls decides what to show.

    What its owner uses of their quota (`Clip.counted_bytes`) changes in the same transaction as the row. Where a
    `room` is given, it does not grow beyond that: QuotaExceededError is raised and nothing changes.
    """

    async def add(self, clip: Clip, room: Room | None = None) -> Clip:
        """Insert and return the clip with its renditions, durably; its reservation is over then.

        When the same user already has a clip with this `idempotency_key`, or there is one with this id, nothing is
        inserted and that clip is returned.
        """

    async def get(self, clip_id: str) -> Clip | None:
        """Return the clip with its renditions, or None."""

    async def by_idempotency_key(self, user_id: str, key: str) -> Clip | None:
        """Return the user's clip that was made with this key, or None."""

    async def by_share_key(self, share_key: str) -> Clip | None:
        """Return the clip with this link, or None."""

    async def page(self, wanted: Selection, *, sort: Sort, limit: int, after: Position | None) -> list[Clip]:
        """Return up to `limit` undeleted clips in this order; `after` leaves out those up to that position."""

    async def largest(self, user_id: str, limit: int) -> list[Clip]:
        """Return the user's undeleted clips that take up most, the largest first."""

    async def update(self, clip_id: str, room: Room | None = None, **changes: Unpack[ClipChanges]) -> Clip | None:
        """Set these columns and leave the others as they are; return the clip as it is now, or None if it is gone."""

    async def put_rendition(self, clip_id: str, rendition: Rendition, room: Room | None = None) -> Clip | None:
        """Insert the rendition, or replace the one with its id; return the clip, or None if it is gone."""

    async def remove_rendition(self, clip_id: str, rendition_id: str) -> None:
        """Remove a rendition; one that is not there is no error."""

    async def remove(self, clip_id: str) -> None:
        """Remove the clip and its renditions; a clip that is not there is no error."""

    async def unfinished(self) -> list[Clip]:
        """Return ready, undeleted clips with something left to do, oldest first.

        That is: stored virtually, without poster, or with a rendition that is queued or running.
        """

    async def deleted_before(self, instant_us: int) -> list[Clip]:
        """Return the clips that were marked as deleted before `instant_us`."""

    async def all_clips(self) -> list[Clip]:
        """Return every clip there is, for `lookback check`."""


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that may be saved from, and the directory its segments are in.

    `recording`: more may still be written, so that it is worth waiting for what has not been committed yet.
    `longest_us`: no clip of it may be longer; None is any length.
    """

    session_id: str
    room_name: str
    community_id: str | None
    user_id: str
    directory: Path
    recording: bool
    longest_us: int | None = None


class SessionLookup(Protocol):
    """Finds sessions for those who may see them."""

    async def find(self, who: Principal, *, session_id: str | None, room_name: str | None) -> FoundSession:
        """Return the session by id, or else the newest capturable one of `who` in the room.

        Raises NotFoundError when there is none, or none that `who` may see.
        """


@dataclass(frozen=True, slots=True)
class Reservation:
    """Bytes that are held for a user. `holder` is the server that works; nobody gives them back after `until_us`."""

    reservation_id: str
    user_id: str
    size_bytes: int
    holder: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What a user has and may have. `quota_bytes` is their own one; None: they have none."""

    user_id: str
    name: str | None
    quota_bytes: int | None
    used_bytes: int
    reserved_bytes: int


Deed = Literal["viewed", "downloaded"]


class Witness(Protocol):
    """Is told what others than its owner do with a clip, before they do: where it fails, they do not."""

    async def note(self, who: Principal, clip: Clip, deed: Deed) -> None:
        """`who` is about to watch the clip, or to take it with them; a visitor by link has no user id."""


class QuotaLedger(Protocol):
    """What users have used and reserved. Every method is one transaction, which others cannot come between."""

    async def reserve(self, wanted: Reservation, room: Room) -> None:
        """Hold the bytes.

        Raises QuotaExceededError (facts: quotaBytes, usedBytes, neededBytes) when they do not fit beside what is used
        and what else is held.
        """

    async def give_back(self, reservation_id: str) -> None:
        """Hold them no more; one that is over already is no error."""

    async def give_back_all(self, holder: str) -> int:
        """Hold nothing more of what this server held before it ended; return how many reservations that were."""

    async def balance(self, user_id: str, now_us: int) -> Balance | None:
        """Return what the user has; None for somebody who was never here."""

    async def set_quota(self, user_id: str, quota_bytes: int | None, now_us: int) -> None:
        """Give the user a quota of their own, or the default again; somebody who was never here is inserted."""

    async def miscounted(self) -> list[str]:
        """Return the users whose count of used bytes is not what their clips take up."""

    async def recount(self, user_id: str) -> None:
        """Set the count to what the user's clips take up."""


class QuotaGate(Protocol):
    """Decides whether a user may store more."""

    def reserve(self, user_id: str, size_bytes: int, community_id: str | None) -> AbstractAsyncContextManager[Room]:
        """Hold `size_bytes` for the user while the block runs; by its end they are in a row, or given back.

        The room is for the change that uses them. Raises QuotaExceededError (facts: quotaBytes, usedBytes,
        neededBytes, largestClips) on entry when they do not fit, counting what others hold at the same time.
        """

    async def room(self, community_id: str | None) -> Room:
        """Return what is free now, for a change that needs no preparation."""

    async def explain(self, error: QuotaExceededError, user_id: str) -> QuotaExceededError:
        """Return the error with the user's largest clips beside the numbers."""
