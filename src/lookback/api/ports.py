"""What the routes need from the services, as far as the routes see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lookback.access.principal import Principal
    from lookback.access.signed_urls import MediaLinks
    from lookback.clips.model import CaptureWish, Clip, Rendition
    from lookback.sessions.model import Session
    from lookback.sessions.views import MediaPart, RoomView, SessionView, StartRequest, Timeline, WhipAnswer


class Authenticator(Protocol):
    """Knows whom a bearer token speaks for."""

    async def principal(self, token: str) -> Principal:
        """Return the principal; raises UnauthenticatedError."""


class Sessions(Protocol):
    """The life of replay sessions. What `who` may not see raises NotFoundError."""

    async def start(self, who: Principal, wish: StartRequest) -> SessionView:
        """Begin to keep a share; raises AlreadyActiveError."""

    async def stop(self, who: Principal, session_id: str) -> SessionView:
        """End a session; what is buffered stays capturable for the window."""

    async def in_room(self, who: Principal, room_name: str) -> RoomView:
        """Return a room's sessions that `who` may see, and those that run as far as `who` may know, newest first."""

    async def own(self, who: Principal) -> list[SessionView]:
        """Return all of the user's sessions that run or can be saved from, newest first."""

    async def timeline(self, who: Principal, session_id: str, after: int) -> Timeline:
        """Return what is buffered, from segment number `after` on."""

    async def segment(self, who: Principal, session_id: str, number: int) -> MediaPart:
        """Return one segment's media file."""

    async def thumbnail(self, who: Principal, session_id: str, number: int) -> MediaPart:
        """Return one segment's thumbnail."""

    async def accept_whip(self, who: Principal, room_name: str, offer: str) -> WhipAnswer:
        """Answer a publisher's offer, in a new session or in the one it continues."""

    async def whip_session(self, who: Principal, room_name: str, session_id: str) -> Session:
        """Return the running session behind a WHIP resource."""

    async def restart_ice(self, who: Principal, session_id: str, fragment: str) -> WhipAnswer | None:
        """Give a running publisher new ICE credentials; None when it asks for nothing new."""

    async def end_whip(self, who: Principal, session_id: str) -> None:
        """End the share of a publisher that says good-bye."""


class Captures(Protocol):
    """Makes clips."""

    async def capture(self, who: Principal, wish: CaptureWish) -> tuple[Clip, bool]:
        """Save a range; the flag says whether the clip is new."""


class Library(Protocol):
    """The user's saved clips. What `who` may not see raises NotFoundError."""

    async def page(
        self, who: Principal, *, limit: int, cursor: str | None, query: str
    ) -> tuple[Sequence[Clip], str | None]:
        """Return a page of the user's clips, newest first, and where the next one starts."""

    async def get(self, who: Principal, clip_id: str) -> Clip:
        """Return one clip."""

    async def rename(self, who: Principal, clip_id: str, title: str) -> Clip:
        """Give it another title."""

    async def delete(self, who: Principal, clip_id: str) -> None:
        """Take it out of the library; it can be restored for some minutes."""

    async def restore(self, who: Principal, clip_id: str) -> Clip:
        """Bring back what was deleted."""


class Renditions(Protocol):
    """Derived files of clips."""

    async def request(self, who: Principal, clip_id: str, kind: Literal["mp4"]) -> Rendition:
        """Begin to make one, or return the one that there is."""

    async def get(self, who: Principal, clip_id: str, rendition_id: str) -> Rendition:
        """Return how far it is."""

    async def cancel(self, who: Principal, clip_id: str, rendition_id: str) -> None:
        """Stop making it, and remove what there is."""


class OpenMedia(Protocol):
    """Media held open: whatever happens to names on disk, its bytes stay readable until it is closed."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield the bytes of `[start, stop)`."""

    def close(self) -> None:
        """Let go."""


class Playback(Protocol):
    """Opens what can be played or shown. What `who` may not see raises NotFoundError."""

    async def video(self, who: Principal, clip_id: str) -> tuple[Clip, OpenMedia]:
        """Open a clip's video."""

    async def poster(self, who: Principal, clip_id: str) -> tuple[Clip, OpenMedia]:
        """Open a clip's poster."""

    async def rendition(self, who: Principal, clip_id: str, rendition_id: str) -> tuple[Clip, OpenMedia]:
        """Open a rendition that is ready."""


@dataclass(frozen=True, slots=True)
class Account:
    """How much of the room for clips a user takes up."""

    quota_bytes: int
    used_bytes: int


class Accounts(Protocol):
    """What is known about users."""

    async def account(self, who: Principal) -> Account:
        """Return the user's quota and what is used of it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work; `reason` is the sentence that says why it does not."""

    name: str
    reason: str | None = None


class Readiness(Protocol):
    """Knows whether the server can do its work."""

    async def checks(self) -> list[Check]:
        """Look at everything that must work."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the routes call."""

    authenticator: Authenticator
    links: MediaLinks
    sessions: Sessions
    captures: Captures
    library: Library
    renditions: Renditions
    playback: Playback
    accounts: Accounts
    readiness: Readiness
