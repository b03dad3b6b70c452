"""Everything that is kept of a person, for them to take along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lookback.access.audit import Action, Selection
from lookback.access.principal import Permission
from lookback.clips.playback import open_video
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from lookback.access.audit import Audit, AuditRepository, Entry
    from lookback.access.consent import ConsentRepository, Statement
    from lookback.access.ports import RoleRepository
    from lookback.access.principal import Principal, RolesByCommunity
    from lookback.clips.model import Clip
    from lookback.clips.playback import OpenMedia
    from lookback.clips.ports import ClipRepository
    from lookback.clips.store import ClipStore
    from lookback.sessions.model import Session
    from lookback.sessions.ports import SessionRepository
    from lookback.sessions.story import SessionEvent


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's row. `quota_bytes`: a quota of their own, or None."""

    user_id: str
    name: str | None
    quota_bytes: int | None
    created_at_us: int


class PersonRepository(Protocol):
    """What the database has on a person, clips apart."""

    async def profile(self, user_id: str) -> Profile | None:
        """Return the user's row, or None for somebody who was never here."""

    async def clips_about(self, user_id: str) -> list[str]:
        """Return the ids of all clips that the user owns or whose share they show, deleted ones, too."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What is kept. `events`: of the sessions, by id.

    `shown_in`: clips that others have saved of this person's shares; their files are the others'.
    """

    user_id: str
    profile: Profile | None
    consents: list[Statement]
    roles: RolesByCommunity
    sessions: list[Session]
    events: Mapping[str, list[SessionEvent]]
    clips: list[Clip]
    shown_in: list[Clip]
    audit: AsyncIterator[Entry]
    store: ClipStore

    async def open(self, clip: Clip) -> OpenMedia:
        """Open a clip's video; raises NotFoundError when its bytes are gone."""
        return await open_video(self.store, clip)


@dataclass(frozen=True, slots=True)
class PersonalDataService:
    """Collects it. The clips' bytes are read while somebody takes them."""

    persons: PersonRepository
    consents: ConsentRepository
    roles: RoleRepository
    sessions: SessionRepository
    clips: ClipRepository
    entries: AuditRepository
    store: ClipStore
    audit: Audit

    async def of(self, who: Principal, user_id: str) -> PersonalData:
        """Return everything about oneself, or for a manager of the instance about somebody else."""
        if user_id != who.user_id:
            who.require(Permission.MANAGE_REPLAY_LIMITS)
        await self.audit.record(Action.USER_EXPORTED, actor=who.user_id, subject=user_id)
        found = [await self.clips.get(clip_id) for clip_id in await self.persons.clips_about(user_id)]
        clips = [clip for clip in found if clip is not None]
        sessions = await self.sessions.in_states(list(SessionState), user_id=user_id)
        return PersonalData(
            user_id=user_id,
            profile=await self.persons.profile(user_id),
            consents=await self.consents.said(user_id),
            roles=await self.roles.roles_of(user_id),
            sessions=sessions,
            events={s.session_id: await self.sessions.events(s.session_id) for s in sessions},
            clips=[clip for clip in clips if clip.user_id == user_id],
            shown_in=[clip for clip in clips if clip.user_id != user_id],
            audit=self.entries.all(Selection(user=user_id)),
            store=self.store,
        )
