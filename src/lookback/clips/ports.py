"""What clips need from the outside: where rows live, where a session's buffer is, and what a user may still store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypedDict, Unpack

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from typing import Literal

    from lookback.access.principal import Principal
    from lookback.clips.model import Clip, Rendition, Storage

Clock = Callable[[], int]
"""Now, in UTC microseconds."""

Wait = Callable[[int], Awaitable[None]]
"""Return when the clock has reached the given instant, in UTC microseconds."""


class Position(NamedTuple):
    """Where a page of the library ended: the key of its last clip in the order newest first."""

    created_at_us: int
    clip_id: str


class ClipChanges(TypedDict, total=False):
    """The columns of a clip that change after it was made."""

    title: str
    status: Literal["ready", "failed"]
    storage: Storage
    sha256: str | None
    has_poster: bool
    deleted_at_us: int | None


class ClipRepository(Protocol):
    """The rows of clips and of their renditions.

    Every method is one transaction. A clip that is marked as deleted is still there for every method but `page`: who
    calls decides what to show.
    """

    async def add(self, clip: Clip) -> Clip:
        """Insert and return the clip with its renditions, durably.

        When the same user already has a clip with this `idempotency_key`, or there is one with this id, nothing is
        inserted and that clip is returned.
        """

    async def get(self, clip_id: str) -> Clip | None:
        """Return the clip with its renditions, or None."""

    async def by_idempotency_key(self, user_id: str, key: str) -> Clip | None:
        """Return the user's clip that was made with this key, or None."""

    async def page(self, user_id: str, *, limit: int, after: Position | None, query: str) -> list[Clip]:
        """Return up to `limit` of the user's undeleted clips, newest first, then by clip id descending.

        `after` leaves out everything up to and including that position. `query` keeps clips whose title or room name
        contains it, compared without case; "%" and "_" are ordinary characters. "" keeps all.
        """

    async def update(self, clip_id: str, **changes: Unpack[ClipChanges]) -> Clip | None:
        """Set these columns and leave the others as they are; return the clip as it is now, or None if it is gone."""

    async def put_rendition(self, clip_id: str, rendition: Rendition) -> Clip | None:
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

    async def used_bytes(self, user_id: str) -> int:
        """Return the sum of `size_bytes` over the user's clips and their ready renditions.

        Clips marked as deleted count until they are removed: their bytes are still there.
        """

    async def all_clips(self) -> list[Clip]:
        """Return every clip there is, for `lookback check`."""


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that may be saved from, and the directory its segments are in.

    `recording`: more may still be written, so that it is worth waiting for what has not been committed yet.
    """

    session_id: str
    room_name: str
    community_id: str | None
    user_id: str
    directory: Path
    recording: bool


class SessionLookup(Protocol):
    """Finds sessions for those who may see them."""

    async def find(self, who: Principal, *, session_id: str | None, room_name: str | None) -> FoundSession:
        """Return the session by id, or else the newest capturable one of `who` in the room.

        Raises NotFoundError when there is none, or none that `who` may see.
        """


class QuotaGate(Protocol):
    """Decides whether a user may store more."""

    def reserve(self, user_id: str, size_bytes: int) -> AbstractAsyncContextManager[None]:
        """Hold `size_bytes` for the user while the block runs; by its end they are in a row, or given back.

        Raises QuotaExceededError (facts: quotaBytes, usedBytes, neededBytes) on entry when they do not fit, counting
        what other blocks hold at the same time.
        """
