"""What the routes need from the services, as far as the routes see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from lookback.access.administration import CommunityRules, RoomOwner
    from lookback.access.audit import Entry
    from lookback.access.audit import Selection as AuditSelection
    from lookback.access.communities import Community
    from lookback.access.consent import Statement
    from lookback.access.ports import Member, Room
    from lookback.access.principal import Permission, Principal
    from lookback.access.rates import RateLimits
    from lookback.access.revocations import Revocations
    from lookback.access.role_administration import Role
    from lookback.access.signed_urls import MediaLinks
    from lookback.clips.changes import ClipWish
    from lookback.clips.library import Bulk
    from lookback.clips.model import CaptureWish, Clip, Rendition
    from lookback.clips.ports import Deed, Selection, Sort
    from lookback.clips.usage import Part, Usage, UserUsage
    from lookback.operations.doctor.findings import Finding
    from lookback.operations.notices import Notice
    from lookback.operations.personal_data import PersonalData
    from lookback.operations.space_desk import SpaceReport
    from lookback.sessions.model import Session
    from lookback.sessions.rooms import Invitation
    from lookback.sessions.story import Story
    from lookback.sessions.sweeping import Swept
    from lookback.sessions.views import (
        MediaPart,
        RoomView,
        SessionView,
        StartRequest,
        Timeline,
        WatchedView,
        WhipAnswer,
    )


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

    async def everybody_s(
        self, who: Principal, *, limit: int, cursor: str | None
    ) -> tuple[Sequence[WatchedView], str | None]:
        """Return a page of all sessions that run, can be saved from or have just failed; PermissionDeniedError."""

    async def story(self, who: Principal, session_id: str) -> Story:
        """Return what happened to a session of the user's, or in their care, in whatever state it is."""

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
    """Saved clips. What `who` may not see raises NotFoundError."""

    async def page(
        self, who: Principal, wanted: Selection, *, sort: Sort, limit: int, cursor: str | None
    ) -> tuple[Sequence[Clip], str | None]:
        """Return a page of the user's or a community's clips, and where the next one starts."""

    async def shared(self, share_key: str) -> Clip:
        """Return the clip that a link leads to."""

    async def get(self, who: Principal, clip_id: str) -> Clip:
        """Return one clip."""

    async def change(self, who: Principal, clip_id: str, wish: ClipWish) -> Clip:
        """Give it another title, other tags, or let others see it."""

    async def delete(self, who: Principal, clip_id: str) -> None:
        """Take it out of the library; it can be restored for some minutes."""

    async def restore(self, who: Principal, clip_id: str) -> Clip:
        """Bring back what was deleted; raises QuotaExceededError."""

    async def delete_all(self, who: Principal, clip_ids: Sequence[str]) -> Bulk:
        """Delete several."""

    async def restore_all(self, who: Principal, clip_ids: Sequence[str]) -> Bulk:
        """Bring several back, as many as there is room for."""


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

    async def video(self, who: Principal, clip_id: str, deed: Deed | None) -> tuple[Clip, OpenMedia]:
        """Open a clip's video. `deed`: what begins with this, None when it goes on with what began before."""

    async def poster(self, who: Principal, clip_id: str) -> tuple[Clip, OpenMedia]:
        """Open a clip's poster."""

    async def rendition(
        self, who: Principal, clip_id: str, rendition_id: str, deed: Deed | None
    ) -> tuple[Clip, OpenMedia]:
        """Open a rendition that is ready; `deed` as for a video."""


@dataclass(frozen=True, slots=True)
class Account:
    """How much of the room for clips a user takes up."""

    quota_bytes: int
    used_bytes: int
    reserved_bytes: int = 0


class Quotas(Protocol):
    """How much users may store, and what is stored; for those who manage limits."""

    async def quota(self, who: Principal, user_id: str) -> UserUsage:
        """Return what a user may store and does; raises NotFoundError for somebody who was never here."""

    async def set_quota(self, who: Principal, user_id: str, quota_bytes: int | None) -> UserUsage:
        """Give a user a quota of their own, or the default again."""

    async def users(
        self, who: Principal, *, query: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[UserUsage], str | None]:
        """Return a page of users in the order of their ids."""

    async def usage(self, who: Principal, part: Part, *, community_id: str | None, limit: int) -> Usage:
        """Return what is stored, part by part, the largest first."""


class Accounts(Protocol):
    """What is known about users."""

    async def account(self, who: Principal) -> Account:
        """Return the user's quota and what is used of it."""


class CommunityAdministration(Protocol):
    """Communities as their managers see them. Others get PermissionDeniedError."""

    async def config(self, who: Principal, community_id: str) -> CommunityRules:
        """Return the rules that hold in the community."""

    async def change(self, who: Principal, community_id: str, changes: Mapping[str, Any]) -> CommunityRules:
        """Change some rules; raises InvalidConfigError."""

    async def communities(self, who: Principal) -> list[Community]:
        """Return the communities that the user belongs to or manages."""

    async def own(self, who: Principal) -> list[Community]:
        """Return the communities that the user belongs to."""

    async def room(self, who: Principal, room_name: str) -> RoomOwner:
        """Return whose room it is; raises NotFoundError to those who do not belong there."""

    async def register(self, who: Principal, room_name: str, community_id: str) -> RoomOwner:
        """Let the room belong to the community."""

    async def forget_room(self, who: Principal, room_name: str) -> None:
        """Undo that; raises NotFoundError."""

    async def rooms(self, who: Principal, community_id: str, *, limit: int, after: str | None) -> list[Room]:
        """Return registered rooms in the order of their names, those behind `after`."""


class RoleAdministration(Protocol):
    """Roles and members of a community, or None: of the instance. Who does not manage it gets PermissionDeniedError."""

    async def roles(self, who: Principal, community_id: str | None) -> list[Role]:
        """Return every role that means something there."""

    async def put_role(
        self, who: Principal, community_id: str | None, name: str, permissions: Collection[Permission]
    ) -> Role:
        """Define what the role means there."""

    async def remove_role(self, who: Principal, community_id: str | None, name: str) -> None:
        """Forget the definition made there; raises NotFoundError."""

    async def members(self, who: Principal, community_id: str | None, *, limit: int, after: str | None) -> list[Member]:
        """Return people with roles there in the order of their ids, those behind `after`."""

    async def put_member(
        self, who: Principal, community_id: str | None, user_id: str, roles: Collection[str]
    ) -> Member:
        """Let the user have exactly these roles there; raises ValidationError for a role that there is not."""

    async def remove_member(self, who: Principal, community_id: str | None, user_id: str) -> None:
        """Take all roles there from the user; raises NotFoundError."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work; `reason` is the sentence that says why it does not."""

    name: str
    reason: str | None = None


class Readiness(Protocol):
    """Knows whether the server can do its work."""

    async def checks(self) -> list[Check]:
        """Look at everything that must work."""


class Health(Protocol):
    """Looks at what the installation depends on."""

    async def findings(
        self, who: Principal, room_name: str | None, user_id: str | None
    ) -> tuple[int, Sequence[Finding]]:
        """Return when it looked, and what it found; with room and user also of their share.

        Raises PermissionDeniedError to those who do not manage limits everywhere.
        """


class AuditReader(Protocol):
    """Reads the audit trail. Raises PermissionDeniedError to those who may not see what they ask for."""

    async def page(
        self, who: Principal, wanted: AuditSelection, *, limit: int, cursor: str | None
    ) -> tuple[list[Entry], str | None]:
        """Return a page of entries, newest first, and where the next one starts."""

    async def export(self, who: Principal, wanted: AuditSelection) -> AsyncIterator[Entry]:
        """Return all entries, oldest first."""


class ConsentSayings(Protocol):
    """What people say about being buffered."""

    async def said(self, who: Principal) -> list[Statement]:
        """Return what the user has said: altogether first, then room by room."""

    async def say(self, who: Principal, statement: Statement) -> list[Statement]:
        """Keep a statement and end the sessions that it forbids; return all that holds now."""


class Erasures(Protocol):
    """Erases people."""

    async def erase(self, who: Principal, user_id: str) -> None:
        """Erase oneself, or as a manager somebody else."""


class PersonalDataSource(Protocol):
    """Collects what is kept of a person."""

    async def of(self, who: Principal, user_id: str) -> PersonalData:
        """Return everything about oneself, or for a manager about somebody else."""


class LivekitDoor(Protocol):
    """What comes from LiveKit, and the way into its rooms."""

    def accept_webhook(self, body: bytes, authorization: str) -> None:
        """Take a webhook; returns at once.

        Raises UnauthenticatedError, MalformedError, or LivekitUnavailableError where LiveKit is not configured.
        """

    def invite(self, who: Principal, room_name: str) -> Invitation:
        """Let a user into a room to share; raises NotFoundError where this server does not do that."""


class SpaceDesk(Protocol):
    """Disk space, for those who manage limits everywhere. Others get PermissionDeniedError."""

    async def report(self, who: Principal) -> SpaceReport:
        """Return how full the disks are, and what that has led to."""

    async def cleanup(self, who: Principal, *, dry_run: bool, free_bytes: int) -> Swept:
        """Delete what has expired, and of the rest the oldest, until so much is freed in all; or say what would go."""


class Notices(Protocol):
    """What people should know of how the installation is."""

    def now(self, who: Principal) -> list[Notice]:
        """Return what there is to say to `who` at this moment."""


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
    quotas: Quotas
    accounts: Accounts
    readiness: Readiness
    communities: CommunityAdministration
    roles: RoleAdministration
    rates: RateLimits
    revocations: Revocations
    audit: AuditReader
    consent: ConsentSayings
    erasures: Erasures
    personal_data: PersonalDataSource
    livekit: LivekitDoor
    health: Health
    space: SpaceDesk
    notices: Notices
