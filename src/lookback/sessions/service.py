"""Start, stop and look at sessions; publishers over WHIP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.access.audit import Nobody
from lookback.access.principal import Permission
from lookback.buffer.leases import Leases
from lookback.clips.cursor import parse_cursor, write_cursor
from lookback.clips.ports import FoundSession
from lookback.errors import LookbackError, NotFoundError
from lookback.recorder.control import (
    AcceptWhip,
    IceRestarted,
    RestartIce,
    StopSession,
    WhipAccepted,
)
from lookback.sessions.admission import Ask
from lookback.sessions.model import Session, SessionState
from lookback.sessions.previews import Previews
from lookback.sessions.recorded import lags
from lookback.sessions.rights import manages
from lookback.sessions.spec import spec_of
from lookback.sessions.stories import Stories
from lookback.sessions.views import RoomView, SessionView, Timeline, WatchedView, WhipAnswer, Window
from lookback.sessions.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookback.access.audit import Actor
    from lookback.access.principal import Principal
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.moves import Moves
    from lookback.sessions.onlookers import Onlookers
    from lookback.sessions.ports import Recorder, SessionRepository
    from lookback.sessions.rights import SessionRights
    from lookback.sessions.starting import Starts
    from lookback.sessions.story import Story
    from lookback.sessions.views import MediaPart, StartRequest

ACTIVE = frozenset(state for state in SessionState if state.active)
SHOWN = frozenset({*ACTIVE, SessionState.DRAINING})
TOLD = frozenset({*SHOWN, SessionState.FAILED})
_FAILURE_TOLD_US = 600_000_000  # so long its user can read why nothing was recorded
_BY_START = "session"  # the order of the pages of all sessions, as their cursors name it
CAPTURABLE = frozenset(state for state in SessionState if state.capturable)
STOPPED = "Stopped by its user"
STOPPED_FOR_THEM = "Stopped by somebody who manages the replay buffers here"
SHARE_ENDED = "The share ended"


class SessionService:
    """What users may do with their sessions. What is not theirs raises NotFoundError."""

    def __init__(
        self,
        repository: SessionRepository,
        recorder: Recorder,
        buffers: SessionBuffers,
        moves: Moves,
        *,
        clock: Callable[[], int],
        starts: Starts,
        rights: SessionRights,
        onlookers: Onlookers,
        windows: Windows | None = None,
        leases: Leases | None = None,
    ) -> None:
        self._repository, self._recorder, self._buffers, self._moves = repository, recorder, buffers, moves
        self._clock, self._starts, self._rights, self._onlookers = clock, starts, rights, onlookers
        self._windows, self._previews = windows or Windows(), Previews(leases or Leases(), clock)
        self._stories = Stories(repository, buffers)

    async def start(self, who: Principal, wish: StartRequest) -> SessionView:
        """Keep a share that does not come over WHIP; raises what Starts.start raises."""
        return await self._view(await self._starts.start(who, wish))

    async def stop(self, who: Principal, session_id: str) -> SessionView:
        """End a session; what is buffered stays capturable for the window."""
        session = await self._managed(who, session_id)
        cause = STOPPED if session.user_id == who.user_id else STOPPED_FOR_THEM
        return await self._view(await self.end(session, cause, actor=who.user_id))

    async def end(
        self, session: Session, cause: str, ended_at_us: int | None = None, *, actor: Actor = Nobody.SERVER
    ) -> Session:
        """Let a session drain, whatever its publisher does meanwhile; one that is over already stays as it is."""
        while (drained := await self.end_as_seen(session, cause, ended_at_us, actor=actor)) is None:
            now = await self._repository.get(session.session_id)
            if now is None or not now.state.active:
                return now or session
            session = now
        return drained

    async def end_as_seen(
        self, session: Session, cause: str, ended_at_us: int | None = None, *, actor: Actor = Nobody.SERVER
    ) -> Session | None:
        """Let a session drain and the recorder go, unless it has left the state it was seen in: then None."""
        ended_us = ended_at_us or self._clock()
        window_us = (await self._rights.communities.config_of(session.community_id)).window_us
        drained = await self._moves.move(
            session,
            SessionState.DRAINING,
            cause,
            actor=actor,
            ended_at_us=ended_us,
            drains_at_us=ended_us + window_us,
        )
        if drained is not None:
            await self.release(session.session_id, cause)
        return drained

    async def release(self, session_id: str, cause: str) -> None:
        """Tell the recorder to let a session go; when there is no recorder it has let go already."""
        if self._recorder.connected:
            try:
                await self._recorder.request(StopSession(session_id=session_id, cause=cause))
            except LookbackError:
                return  # it does not know the session, or is gone: either way nothing records it

    async def in_room(self, who: Principal, room_name: str) -> RoomView:
        """Return the sessions in a room that the user may see, and whose run as far as they may know, newest first.

        Whoever is in a room may know that buffers run there; that alone gives access to nothing.
        """
        rows = await self._told(room_name=room_name)
        seen = await self._rights.seen(who, rows)
        running = [row for row in rows if row.state.active]
        # LiveKit is asked only where it matters: pages ask for their own session's status every second.
        if any(row not in seen for row in running) and not await self._rights.may_know(who, room_name):
            running = [row for row in running if row in seen]
        return RoomView(tuple([await self._view(row) for row in seen]), tuple(running))

    async def own(self, who: Principal) -> list[SessionView]:
        """Return all of the user's sessions that run, can be saved from or have just failed, newest first."""
        return [await self._view(session) for session in await self._told(user_id=who.user_id)]

    async def everybody_s(
        self, who: Principal, *, limit: int, cursor: str | None
    ) -> tuple[list[WatchedView], str | None]:
        """Return a page of all sessions that run, can be saved from or have just failed, newest first.

        With the cursor of the next page if there is one; PermissionDeniedError.
        """
        who.require(Permission.MANAGE_REPLAY_LIMITS)
        after = parse_cursor(cursor, _BY_START) if cursor else None
        failed_after_us = self._clock() - _FAILURE_TOLD_US
        rows = await self._repository.page(TOLD, failed_after_us=failed_after_us, limit=limit + 1, after=after)
        lags_us = await lags(self._recorder)
        page = [WatchedView.of(await self._view(row), lags_us) for row in rows[:limit]]
        last = rows[limit - 1] if len(rows) > limit else None
        return page, write_cursor(last.started_at_us, last.session_id, _BY_START) if last is not None else None

    async def story(self, who: Principal, session_id: str) -> Story:
        """Return what happened to a session of the user's, or in their care, in whatever state it is."""
        return await self._stories.of(await self._managed(who, session_id))

    async def _told(self, *, user_id: str | None = None, room_name: str | None = None) -> list[Session]:
        rows = await self._repository.in_states(TOLD, user_id=user_id, room_name=room_name)
        failed_us = self._clock() - _FAILURE_TOLD_US
        return [row for row in rows if row.state is not SessionState.FAILED or row.since_us > failed_us]

    async def timeline(self, who: Principal, session_id: str, after: int) -> Timeline:
        """Return what is buffered, from segment number `after` on."""
        session = await self._shown(who, session_id)
        segments = await self._buffers.segments(session, after)
        return Timeline(session, self._clock(), await self._buffers.buffered(session), segments)

    async def segment(self, who: Principal, session_id: str, number: int) -> MediaPart:
        """Return one segment's media file."""
        session = await self._shown(who, session_id)
        part = await self._buffers.segment(session, number)
        self._previews.looked_at(self._buffers.directory(session), part)
        return part

    async def thumbnail(self, who: Principal, session_id: str, number: int) -> MediaPart:
        """Return one segment's thumbnail."""
        return await self._buffers.thumbnail(await self._shown(who, session_id), number)

    # ---- publishers

    async def accept_whip(self, who: Principal, room_name: str, offer: str) -> WhipAnswer:
        """Answer a publisher's offer, in a new session or in the one of this room that it continues.

        A publisher that comes again before its old connection is found dead (a reloaded page) takes its place.
        """
        active = await self._repository.active_of(who.user_id)
        continues = active is not None and active.room_name == room_name and active.source == "whip"
        if active is not None and continues:
            who.require(Permission.ENABLE_REPLAY_BUFFER, active.community_id)
            session = active
        else:
            session = await self._starts.admission.admit(who, Ask(room_name, "whip"))
        try:
            reply = await self._recorder.request(AcceptWhip(session=spec_of(session), offer=offer))
        except LookbackError as error:
            if not continues:
                await self._starts.admission.take_back(session, error.detail)
            raise
        if not isinstance(reply, WhipAccepted):
            raise TypeError("the recorder answers an offer with WhipAccepted")
        await self._keep_etag(session.session_id, reply.etag)
        return WhipAnswer(session.session_id, reply.answer, reply.etag)

    async def whip_session(self, who: Principal, room_name: str, session_id: str) -> Session:
        """Return the running session behind a WHIP resource."""
        session = await self._own(who, session_id)
        if session.room_name != room_name or session.source != "whip" or not session.state.active:
            raise NotFoundError("There is no such share, or it has ended")
        return session

    async def restart_ice(self, who: Principal, session_id: str, fragment: str) -> WhipAnswer | None:
        """Give a running publisher new ICE credentials; None when its fragment asks for nothing new."""
        session = await self._own(who, session_id)
        reply = await self._recorder.request(RestartIce(session_id=session.session_id, fragment=fragment))
        if not isinstance(reply, IceRestarted):
            return None
        await self._keep_etag(session_id, reply.etag)
        return WhipAnswer(session_id, reply.fragment, reply.etag)

    async def end_whip(self, who: Principal, session_id: str) -> None:
        """End the share of a publisher that says good-bye."""
        await self.end(await self._own(who, session_id), SHARE_ENDED, actor=who.user_id)

    # ---- for captures

    async def find(self, who: Principal, *, session_id: str | None, room_name: str | None) -> FoundSession:
        """See clips.ports.SessionLookup."""
        if session_id is not None:
            session = await self._seen(who, session_id)
        else:
            session = await self._seen_in(who, room_name)
        return FoundSession(
            session.session_id,
            session.room_name,
            session.community_id,
            session.user_id,
            self._buffers.directory(session),
            recording=session.state in {SessionState.STARTING, SessionState.RECORDING},
            longest_us=(await self._rights.communities.config_of(session.community_id)).max_clip_us,
        )

    async def directories(self) -> list[tuple[Path, bool]]:
        """Every directory that may hold segments, and whether its newest may still grow."""
        rows = await self._repository.in_states(SHOWN)
        return [(self._buffers.directory(session), session.state.active) for session in rows]

    async def _seen_in(self, who: Principal, room_name: str | None) -> Session:
        """The newest session in the room that can be saved from; the user's own before those of others."""
        seen = await self._rights.seen(who, await self._repository.in_states(SHOWN, room_name=room_name))
        if not seen:
            raise NotFoundError("There is no replay buffer in this room")
        seen.sort(key=lambda row: (row.user_id != who.user_id, row.state not in CAPTURABLE))
        return seen[0]

    async def _shown(self, who: Principal, session_id: str) -> Session:
        session = await self._seen(who, session_id)
        await self._onlookers.note(who, session)
        return session

    async def _seen(self, who: Principal, session_id: str) -> Session:
        session = await self._repository.get(session_id)
        if session is None or not await self._rights.seen(who, [session]):
            raise NotFoundError("There is no such session")
        return session

    async def _managed(self, who: Principal, session_id: str) -> Session:
        session = await self._repository.get(session_id)
        if session is None or not manages(who, session):
            raise NotFoundError("There is no such session")
        return session

    async def _own(self, who: Principal, session_id: str) -> Session:
        session = await self._repository.get(session_id)
        if session is None or session.user_id != who.user_id:
            raise NotFoundError("There is no such session")
        return session

    async def _keep_etag(self, session_id: str, etag: str) -> None:
        # The state may move between reading and writing: the tag belongs to the session in whatever state it is.
        session = await self._repository.get(session_id)
        while session is not None and session.state.active:
            if await self._repository.change(session_id, session.state, ice_etag=etag) is not None:
                return
            session = await self._repository.get(session_id)

    async def _view(self, session: Session) -> SessionView:
        window_us = (await self._rights.communities.config_of(session.community_id)).window_us
        window = Window(window_us, self._windows.shortened.get(session.session_id))
        return SessionView(session, await self._buffers.buffered(session), window)
