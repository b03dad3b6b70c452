"""Whether a session may start: the one place that decides, whatever the source and whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lookback.access.audit import Action, Nobody
from lookback.access.consent import refusal
from lookback.access.principal import Permission
from lookback.errors import (
    AlreadyActiveError,
    BufferDisabledError,
    EncryptedError,
    LookbackError,
    NobodySharingError,
    NotFoundError,
    ValidationError,
)
from lookback.sessions.model import Session, SessionState
from lookback.sessions.rooms import user_of
from lookback.sessions.story import ASKED, ASKED_FOR_THEM, BY_ITSELF, SessionEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.audit import Audit
    from lookback.access.ports import Communities, Consents
    from lookback.access.principal import Principal
    from lookback.sessions.model import Source
    from lookback.sessions.ports import SessionRepository, SpaceGate, StorageGate
    from lookback.sessions.rooms import LivekitServer, ParticipantFacts, RoomFacts, TrackFacts

SWITCHED_OFF = "Replay buffers are switched off in this community"
# Sources whose publisher is a participant of a LiveKit room.
_IN_ROOMS = frozenset({"livekit", "egress"})


@dataclass(frozen=True, slots=True)
class Ask:
    """A buffer that somebody wants. `community_id` is what they take the room's community for; it must be right.

    `participant_identity`: whose share it is; None is the one who asks. `by_itself`: nobody asked, it begins because
    the community's rules and the sharer's wish say so; `who` is then the sharer.
    """

    room_name: str
    source: Source
    community_id: str | None = None
    participant_identity: str | None = None
    by_itself: bool = False
    include_microphone: bool = False


class _Sharer(NamedTuple):
    user_id: str
    identity: str
    track_sid: str | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets sessions begin. `livekit` is None when it is not configured: then nobody knows who is in a room.

    `space` and `storage` are whoever watches the disks, if anybody does: how full they are, and whether they work.
    """

    repository: SessionRepository
    communities: Communities
    consents: Consents
    audit: Audit
    clock: Callable[[], int]
    new_id: Callable[[], str]
    livekit: LivekitServer | None = None
    space: SpaceGate | None = None
    storage: StorageGate | None = None

    async def admit(self, who: Principal, ask: Ask) -> Session:
        """Take the sharer's one place, and one of the community's, with a session that is starting; return it.

        Whoever asked must see to it that it is recorded, or remove it. Raises PermissionDeniedError, ValidationError
        for a community that is not the room's, NotFoundError for a room that one is not in, BufferDisabledError,
        ConsentError, CommunityLimitError, AlreadyActiveError (facts: sessionId), DiskFullError (facts: retryAfter),
        StorageUnavailableError, and where LiveKit knows who is in the room NobodySharingError, EncryptedError and
        LivekitUnavailableError.
        """
        community_id = await self.communities.community_of_room(ask.room_name)
        if ask.community_id not in {None, community_id}:
            raise ValidationError("The room does not belong to this community")
        who.require(Permission.ENABLE_REPLAY_BUFFER, community_id)
        sharer = await self._sharer(who, ask, community_id)
        asked_by = None if ask.by_itself else who.user_id
        await self._require_wanted(sharer, asked_by, ask, community_id)
        if self.space is not None:
            self.space.require_session()
        if self.storage is not None:
            await self.storage.require()
        async with self.audit.together():
            session = await self._add(sharer, ask, community_id)
            await self.repository.tell(session.session_id, _asked(session, asked_by))
            await self._record(
                Action.SESSION_AUTO_STARTED if ask.by_itself else Action.SESSION_STARTED, session, asked_by
            )
        try:
            # Once more, now that it can be seen: who switches it off at this moment either is seen here, or sees it.
            await self._require_wanted(sharer, asked_by, ask, community_id)
        except LookbackError as error:
            await self.take_back(session, error.detail)
            raise
        return session

    async def take_back(self, session: Session, cause: str) -> None:
        """Remove a session that was admitted and is not recorded; `cause` is a sentence."""
        async with self.audit.together():
            await self.repository.remove(session.session_id)
            await self._record(Action.SESSION_NOT_STARTED, session, None, cause=cause)

    async def _record(self, action: Action, session: Session, asked_by: str | None, **facts: str) -> None:
        await self.audit.record(
            action,
            actor=asked_by or Nobody.SERVER,
            subject=session.user_id,
            target=session.session_id,
            community_id=session.community_id,
            room_name=session.room_name,
            facts={"source": session.source, **facts},
        )

    async def _require_wanted(self, sharer: _Sharer, asked_by: str | None, ask: Ask, community_id: str | None) -> None:
        """Raise what speaks against it: the community's rules, or the sharer's own word."""
        if not (await self.communities.config_of(community_id)).enabled:
            raise BufferDisabledError(SWITCHED_OFF)
        if await self.consents.forbidden(sharer.user_id, ask.room_name):
            raise refusal(sharer.user_id, asked_by)

    async def _add(self, sharer: _Sharer, ask: Ask, community_id: str | None) -> Session:
        now_us = self.clock()
        wanted = Session(
            session_id=self.new_id(),
            room_name=ask.room_name,
            community_id=community_id,
            user_id=sharer.user_id,
            participant_identity=sharer.identity,
            source=ask.source,
            state=SessionState.STARTING,
            reason=None,
            started_at_us=now_us,
            since_us=now_us,
            track_sid=sharer.track_sid,
            include_microphone=ask.include_microphone,
        )
        limit = (await self.communities.config_of(community_id)).max_concurrent
        there = await self.repository.add(wanted, limit)
        if there.session_id != wanted.session_id:
            raise AlreadyActiveError("User already has an active replay buffer", sessionId=there.session_id)
        return wanted

    async def _sharer(self, who: Principal, ask: Ask, community_id: str | None) -> _Sharer:
        """Whose share it is: one's own, unless one manages the community's buffers."""
        if self.livekit is not None and ask.source in _IN_ROOMS:
            return _sharer_in(await self.livekit.room(ask.room_name), who, ask, community_id)
        identity = ask.participant_identity or who.user_id
        if identity != who.user_id:
            who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
        return _Sharer(identity, identity)


def _asked(session: Session, asked_by: str | None) -> SessionEvent:
    by = {None: BY_ITSELF, session.user_id: ASKED}
    return SessionEvent(session.started_at_us, SessionState.STARTING.value, by.get(asked_by, ASKED_FOR_THEM))


def _sharer_in(room: RoomFacts | None, who: Principal, ask: Ask, community_id: str | None) -> _Sharer:
    """The same where LiveKit knows who is in the room; a room that one is not in looks like one that is not there."""
    participant = _own_of(room, who) if ask.participant_identity is None else _named(room, ask.participant_identity)
    own = participant is not None and user_of(participant) == who.user_id
    if not own and ask.participant_identity not in {None, who.user_id}:
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
    if participant is None:
        raise NotFoundError("Whoever shares must be in the room, and is not")
    if not own:
        who.require(Permission.MANAGE_REPLAY_LIMITS, community_id)
    return _Sharer(user_of(participant), participant.identity, _shared(participant).sid)


def _own_of(room: RoomFacts | None, who: Principal) -> ParticipantFacts | None:
    """The user's own place in the room; with several devices, the one that shares."""
    own = [p for p in room.participants if user_of(p) == who.user_id] if room is not None else []
    return next((p for p in own if p.screen is not None), own[0] if own else None)


def _shared(participant: ParticipantFacts) -> TrackFacts:
    """The shared screen; what stands against it is said here, before anybody has to join the room to see it."""
    screen = participant.screen
    if screen is None:
        raise NobodySharingError("Nobody is sharing a screen in this room")
    if screen.encrypted:
        raise EncryptedError("The share is end-to-end encrypted: only its participants can see it")
    return screen


def _named(room: RoomFacts | None, identity: str) -> ParticipantFacts | None:
    return room.participant(identity) if room is not None else None
