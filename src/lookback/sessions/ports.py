"""What sessions need from the outside: rows, and the recorder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, Unpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from lookback.recorder.control import Event, Reply, Request
    from lookback.sessions.model import Session, SessionState
    from lookback.sessions.story import SessionEvent


class SessionChanges(TypedDict, total=False):
    """The columns of a session that change after it was started."""

    state: SessionState
    reason: str | None
    since_us: int
    ended_at_us: int | None
    drains_at_us: int | None
    source: Literal["whip", "livekit", "egress", "synthetic"]
    video_codec: str | None
    audio_codec: str | None
    width: int | None
    height: int | None
    ice_etag: str | None
    track_sid: str | None


class SessionRepository(Protocol):
    """The rows of sessions. Every method is one transaction."""

    async def add(self, session: Session, limit: int | None = None) -> Session:
        """Insert and return the session; when its user has an active one already, insert nothing and return that.

        Raises CommunityLimitError (facts: limit, used, retryAfter) when `limit` sessions of its community are active,
        also when many are begun at once.
        """

    async def get(self, session_id: str) -> Session | None:
        """Return the session, or None."""

    async def active_of(self, user_id: str) -> Session | None:
        """Return the user's one active session, or None."""

    async def in_states(
        self, states: Collection[SessionState], *, user_id: str | None = None, room_name: str | None = None
    ) -> list[Session]:
        """Return the sessions in these states, of a user and in a room where they are given; newest first."""

    async def page(
        self,
        states: Collection[SessionState],
        *,
        failed_after_us: int,
        limit: int,
        after: tuple[int, str] | None = None,
    ) -> list[Session]:
        """Return at most `limit` sessions in these states, newest first; failed ones if they failed later than that.

        `after`: `started_at_us` and id of the session that came last before, whether it is still there or not.
        """

    async def of_tracks(self, track_sids: Collection[str]) -> list[Session]:
        """Return the sessions, in whatever state, whose share was last seen as one of these tracks; newest first."""

    async def change(
        self, session_id: str, expected: SessionState, **changes: Unpack[SessionChanges]
    ) -> Session | None:
        """Set these columns if the session is still in the expected state; return it, or None if it is not."""

    async def remove(self, session_id: str) -> None:
        """Remove the session and its events; one that is not there is no error."""

    async def tell(self, session_id: str, event: SessionEvent) -> None:
        """Keep that something happened to a session, in the transaction of `Audit.together` if one is open.

        Of each session the first 20 and the last 180 events are kept.
        """

    async def events(self, session_id: str) -> list[SessionEvent]:
        """Return what happened to a session, the oldest first."""

    async def clips_of(self, session_id: str) -> int:
        """Return how many clips of a session there are, whoever saved them; deleted ones do not count."""

    async def beginning_with(self, start: str, most: int) -> list[Session]:
        """Return at most so many sessions whose id begins like this, in whatever state; newest first."""


class SpaceGate(Protocol):
    """Says no before a disk is full."""

    def require_session(self) -> None:
        """A session is about to begin; raises DiskFullError (facts: retryAfter) when there is no room for another."""


class StorageGate(Protocol):
    """Says no while disks do not work."""

    async def require(self) -> None:
        """A session is about to begin; raises StorageUnavailableError with the reason when it could not be kept."""


class SourceStarter(Protocol):
    """Sets the sources of sessions going: one for every source that does not come to us by itself, as WHIP does.

    Ending needs no counterpart: StopSession ends every source.
    """

    async def begin(self, session: Session) -> None:
        """Let the session be recorded; raises what stands against it, and then nothing records it."""

    async def resume(self, session: Session) -> None:
        """Let an active session that nobody records be recorded again, if that can be done now.

        Asked about twice a second; returns soon and raises nothing of its own.
        """


class Recorder(Protocol):
    """The recorder, as `recorder.supervisor` offers it."""

    @property
    def connected(self) -> bool:
        """Whether a worker answers right now."""

    async def request(self, request: Request) -> Reply:
        """Ask and wait for the answer; raises what the recorder raised, or NoCapacityError."""

    def events(self) -> AsyncIterator[Event]:
        """Moves of sessions as they happen, for one consumer."""
