"""Keep sessions and LiveKit's rooms in step: by webhooks where they come, and by looking every half minute anyway.

A webhook is only a hint that a room should be looked at now. So there is one way in which anything is decided
(`comparison`), and a webhook that is lost, late, doubled or made up changes nothing but the moment.

Several API processes may do this at the same time, see comparison. Whether a recorder of ours belongs into a room is
judged by its identity, which is that of one installation: those of others are left alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.errors import LivekitUnavailableError, LookbackError
from lookback.sessions.comparison import IN_ROOMS, Consider, End, Known, Remove, compare
from lookback.sessions.model import Session, SessionState
from lookback.sessions.recorded import recorded
from lookback.sessions.rooms import RoomEvent
from lookback.sessions.service import ACTIVE, STOPPED, STOPPED_FOR_THEM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lookback.sessions.auto_start import AutoStart
    from lookback.sessions.comparison import Action
    from lookback.sessions.ports import Recorder, SessionRepository
    from lookback.sessions.rooms import LivekitServer, RoomFacts
    from lookback.sessions.service import SessionService

log = structlog.get_logger(__name__)

GONE = "The share is gone from the room"
_BY_PEOPLE = frozenset({STOPPED, STOPPED_FOR_THEM})
_STOPPED = "session_stopped"
# At the look that follows a stop, what is shared is the share that was stopped, whatever its track is by now.
_JUST_STOPPED_US = 2_000_000
_MOST_HINTS, _LOOKERS, _AT_ONCE = 1000, 4, 8
# A track is shown in the room a moment after its webhook.
_LOOKS, _BETWEEN_LOOKS_S = 5, 0.2


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """`grace_us`: how long a share may be missing. `every_s`: seconds from one look at everything to the next.

    `leaving_s`: how many seconds a recorder may take to leave a room before it is removed.
    """

    grace_us: int = 60_000_000
    every_s: float = 30.0
    leaving_s: float = 2.0


class RoomWatch:
    """Looks at rooms and does what follows. `recorder_identity`: of our recorder in rooms."""

    def __init__(
        self,
        server: LivekitServer,
        repository: SessionRepository,
        recorder: Recorder,
        service: SessionService,
        auto_start: AutoStart,
        *,
        recorder_identity: str,
        clock: Callable[[], int],
        times: WatchTimes,
    ) -> None:
        self._server, self._repository, self._recorder = server, repository, recorder
        self._service, self._auto_start = service, auto_start
        self._identity, self._clock, self._times = recorder_identity, clock, times
        self._missing_us: Mapping[str, int] = {}
        self._hints: asyncio.Queue[RoomEvent] = asyncio.Queue(_MOST_HINTS)
        self._overrun = asyncio.Event()

    # ---- hints

    def heard(self, event: RoomEvent) -> None:
        """Look at the event's room soon; returns at once."""
        try:
            self._hints.put_nowait(event)
        except asyncio.QueueFull:
            self._overrun.set()  # one look at everything takes the place of them all

    def moved(self, _was: SessionState, session: Session) -> None:
        """Look at the room of a session that somebody has just ended: now it is known which share they do not want."""
        if session.state is SessionState.DRAINING and session.source in IN_ROOMS and _by_people(session):
            self.heard(RoomEvent(_STOPPED, session.room_name))

    async def run(self) -> None:
        """Until cancelled: look at everything now and then, and at single rooms when something happens there."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_for_ever())
            for _ in range(_LOOKERS):
                tasks.create_task(self._follow_hints())

    async def _follow_hints(self) -> None:
        while True:
            event = await self._hints.get()
            try:
                await self._follow(event)
            except LivekitUnavailableError:
                continue  # the client has logged it; the next look at everything makes up for it
            except Exception:  # one event that cannot be handled must not end the watch
                log.exception("room.not_looked_at", room=event.room_name)

    async def _follow(self, event: RoomEvent) -> None:
        for _ in range(_LOOKS):
            room = await self._server.room(event.room_name)
            await self._agree([room] if room is not None else [], event)
            if event.agrees_with(room):
                return
            await asyncio.sleep(_BETWEEN_LOOKS_S)

    # ---- looks at everything

    async def _look_for_ever(self) -> None:
        while True:
            try:
                await self.look()
            except LivekitUnavailableError:
                pass  # said by the client; nothing is concluded from a look that failed
            except Exception:  # a database that is away for a while must not end the watch
                log.exception("rooms.not_looked_at")
            try:
                async with asyncio.timeout(self._times.every_s):
                    await self._overrun.wait()
            except TimeoutError:
                continue
            self._overrun.clear()

    async def look(self) -> None:
        """Compare all rooms with all sessions once; raises LivekitUnavailableError."""
        await self._agree(await self._server.rooms(), None)

    async def _agree(self, rooms: Sequence[RoomFacts], hint: RoomEvent | None) -> None:
        known = await self._known(rooms, hint)
        compared = compare(rooms, known, recorder=self._identity, grace_us=self._times.grace_us)
        if hint is None:
            self._missing_us = compared.missing_us
        # Recorders are sent away by the looks at everything alone: after a hint one is often just about to leave.
        await self._do(a for a in compared.actions if hint is None or not isinstance(a, Remove))

    async def _known(self, rooms: Sequence[RoomFacts], hint: RoomEvent | None) -> Known:
        now_us = self._clock()
        active = await self._repository.in_states(ACTIVE)
        only = hint.room_name if hint is not None else None
        stopped = await self._just_stopped(only)
        shares = {sharer.screen.sid for room in rooms for sharer in room.sharers() if sharer.screen is not None}
        ours = [s for s in active if s.source in IN_ROOMS and only in {None, s.room_name}]
        return Known(
            now_us=now_us,
            sessions=ours,
            stopped=stopped if hint is not None and hint.kind == _STOPPED else (),
            # Who has stopped just now is left in peace until that look has been made.
            busy={session.user_id for session in (*active, *stopped)},
            declined=_declined(await self._repository.of_tracks(shares) if shares else ()),
            heard_us=await self._heard_us() if ours else {},
            # Shares are given up by the looks at everything alone: one look can then not overtake another.
            missing_us=self._missing_us if hint is None else {},
        )

    async def _just_stopped(self, room_name: str | None) -> list[Session]:
        draining = await self._repository.in_states({SessionState.DRAINING}, room_name=room_name)
        since_us = self._clock() - _JUST_STOPPED_US
        return [session for session in draining if _by_people(session) and session.since_us > since_us]

    async def _heard_us(self) -> dict[str, int]:
        try:
            known = await recorded(self._recorder)
        except LookbackError:
            return {}
        return {s.session_id: s.last_packet_us for s in known.values() if s.last_packet_us is not None}

    # ---- what follows

    async def _do(self, actions: Iterable[Action]) -> None:
        few = asyncio.Semaphore(_AT_ONCE)

        async def one_of_few(action: Action) -> None:
            async with few:
                try:
                    await self._one(action)
                except LookbackError as error:
                    log.warning("room.not_repaired", action=type(action).__name__, error=error.detail)
                except Exception:  # what cannot be done for one room must not keep others from it
                    log.exception("room.not_repaired", action=type(action).__name__)

        await asyncio.gather(*(one_of_few(action) for action in actions))

    async def _one(self, action: Action) -> None:
        if isinstance(action, Consider):
            await self._auto_start.consider(action.room_name, action.participant)
        elif isinstance(action, Remove):
            await self._remove(action)
        elif isinstance(action, End):
            log.warning("session.out_of_step", session=action.session.session_id, missing_since_us=action.ended_at_us)
            await self._service.end_as_seen(action.session, GONE, action.ended_at_us)
        else:
            session = action.session
            await self._repository.change(session.session_id, session.state, track_sid=action.track_sid)

    async def _remove(self, action: Remove) -> None:
        await asyncio.sleep(self._times.leaving_s)  # its session has perhaps ended just now
        room = await self._server.room(action.room_name)
        active = await self._repository.in_states(ACTIVE, room_name=action.room_name)
        here = room is not None and room.participant(action.identity) is not None
        if here and not any(session.source in IN_ROOMS for session in active):
            log.warning("room.orphan_removed", room=action.room_name, identity=action.identity)
            await self._server.remove(action.room_name, action.identity)


def _declined(sessions: Iterable[Session]) -> set[str]:
    """Tracks that are not to be kept by themselves: somebody ended it, or no picture of it ever came."""
    over = (s for s in sessions if s.state is SessionState.FAILED or (_by_people(s) and not s.state.active))
    return {session.track_sid for session in over if session.track_sid is not None}


def _by_people(session: Session) -> bool:
    return session.reason in _BY_PEOPLE
