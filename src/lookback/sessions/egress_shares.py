"""Shares of LiveKit rooms, recorded by LiveKit Egress: its files are followed by our recorder.

What has to happen is decided by `egress_rules`; here it is looked at and done. Nothing is kept that LiveKit's own list
and the folders' names do not say as well, so a server that starts anew goes on where it was.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from lookback.errors import LookbackError
from lookback.sessions import egress_rules as rules
from lookback.sessions.egress_kept import Kept, screen_of, share_of
from lookback.sessions.egress_orders import ANSWER_S
from lookback.sessions.egress_places import begun_us_of, follow_request, session_of
from lookback.sessions.egress_rules import Do, Situation
from lookback.sessions.model import SessionState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from lookback.sessions.egress_kept import Share
    from lookback.sessions.egress_orders import EgressOrders
    from lookback.sessions.egress_places import EgressOptions
    from lookback.sessions.egresses import EgressFacts, EgressServer
    from lookback.sessions.model import Session
    from lookback.sessions.ports import Recorder, SessionRepository
    from lookback.sessions.rooms import LivekitServer, RoomFacts

log = structlog.get_logger(__name__)

LOOK_S, LOOK_AGAIN_S = 2.0, 10.0  # the second when LiveKit did not answer
FOLLOW_AGAIN_US = 5_000_000
ORPHANS_US = 30_000_000
_ACTIVE = frozenset(state for state in SessionState if state.active)


class EgressShares:
    """Implements SourceStarter. `buffered_until`: up to when something of a session is on disk."""

    def __init__(
        self,
        repository: SessionRepository,
        recorder: Recorder,
        server: LivekitServer,
        egress: EgressServer,
        orders: EgressOrders,
        *,
        options: EgressOptions,
        clock: Callable[[], int],
        buffered_until: Callable[[Session], Awaitable[int | None]],
        answer_s: float = ANSWER_S,
    ) -> None:
        self._repository, self._recorder = repository, recorder
        self._server, self._egress, self._options = server, egress, options
        self._clock, self._buffered_until = clock, buffered_until
        self._kept: dict[str, Kept] = {}
        self._orders, self._answer_s = orders, answer_s
        self._woken = asyncio.Event()
        self._orphans_at_us = 0

    # ---- SourceStarter

    async def begin(self, session: Session) -> None:
        """See SourceStarter; raises NobodySharingError, EncryptedError, and what EgressServer.start raises."""
        room = await self._server.room(session.room_name)
        kept = self._kept.setdefault(session.session_id, Kept())
        answered = self._orders.start(session, kept, share_of(room, session))
        try:
            await asyncio.wait_for(asyncio.shield(answered), self._answer_s)
        except TimeoutError:
            answered.add_done_callback(_read)  # whoever asked has been answered: from here on the session says why
            return

    async def resume(self, session: Session) -> None:
        """See SourceStarter: the recorder was begun anew, and the egress goes on."""
        kept, now_us = self._kept.get(session.session_id), self._clock()
        if kept is None or kept.egress is None or not kept.egress.running or now_us - kept.told_us < FOLLOW_AGAIN_US:
            return
        kept.told_us = now_us
        try:
            await self._recorder.request(follow_request(self._options, session, kept.egress))
        except LookbackError as error:
            log.warning("session.not_resumed", session=session.session_id, error=error.detail)

    # ---- webhooks

    def heard(self, egress: EgressFacts) -> None:
        """Take note of what a webhook says of an egress: it is looked at now instead of in a while."""
        session_id = session_of(self._options, egress.folder)
        if session_id is not None:
            log.info("egress.told", session=session_id, egress=egress.egress_id, status=egress.status)
            self._woken.set()

    # ---- what goes on by itself

    async def run(self, end: Callable[[Session, str], Awaitable[object]]) -> None:
        """Until cancelled: look after every session that Egress records. `end` lets a session drain."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._orders.run())
            while True:
                self._woken.clear()
                wait_s = LOOK_S
                try:
                    await self.look(end)
                except LookbackError as error:
                    log.warning("egress.not_looked_at", error=error.detail)
                    wait_s = LOOK_AGAIN_S
                except Exception:  # a database that is away for a while must not end all recording
                    log.exception("egress.look_failed")
                await _within(self._woken, wait_s)

    async def look(self, end: Callable[[Session, str], Awaitable[object]]) -> None:
        """Look at all sessions once, and do what is due."""
        active = [s for s in await self._repository.in_states(_ACTIVE) if s.source == "egress"]
        over = [await self._repository.get(known) for known in self._kept.keys() - {s.session_id for s in active}]
        sessions = [*active, *(session for session in over if session is not None)]
        for room_name in {session.room_name for session in sessions}:
            room = await self._server.room(room_name)
            egresses = await self._egress.known(room_name)
            for session in sessions:
                if session.room_name == room_name:
                    await self._look_at(session, room, egresses, end)
        for gone in self._kept.keys() - {session.session_id for session in sessions}:
            del self._kept[gone]
        await self._stop_orphans({session.session_id for session in sessions})

    async def _look_at(
        self,
        session: Session,
        room: RoomFacts | None,
        egresses: list[EgressFacts],
        end: Callable[[Session, str], Awaitable[object]],
    ) -> None:
        kept = self._kept.setdefault(session.session_id, Kept())
        if kept.starting:
            return
        await self._see(session, kept, egresses)
        share = screen_of(room, session)
        kept.gone_us = None if share is not None else kept.gone_us or self._clock()
        decision = rules.decide(self._situation(session, kept, share))
        if decision.do is not Do.WAIT:
            log.info("egress.decided", session=session.session_id, do=decision.do, why=decision.why)
        if decision.do is Do.START and share is not None and not share.screen.encrypted:
            self._orders.start(session, kept, share).add_done_callback(_read)
        elif decision.do is Do.STOP and kept.egress is not None:
            kept.stopping_us = self._clock()
            self._orders.stop(kept.egress.egress_id)
            await self._orders.tell(session, decision.why)
        elif decision.do is Do.END:
            await end(session, decision.why)
        elif decision.do is Do.LET_GO:
            self._kept[session.session_id] = Kept(ended_us=self._clock(), failures=kept.failures)
            if not session.state.active:
                del self._kept[session.session_id]
                await asyncio.to_thread(_remove_empty, self._options.seen / session.session_id)

    async def _see(self, session: Session, kept: Kept, egresses: list[EgressFacts]) -> None:
        """Note what LiveKit and the disk say."""
        own = [e for e in egresses if session_of(self._options, e.folder) == session.session_id]
        newest = max(own, key=lambda e: begun_us_of(e.folder), default=None)
        was_running = kept.egress is not None and kept.egress.running
        kept.egress = newest
        if newest is not None:
            kept.begun_us = begun_us_of(newest.folder)
        until_us = await self._buffered_until(session)
        if until_us != kept.until_us:
            kept.until_us, kept.heard_us = until_us, self._clock()
            kept.failures = 0
        if newest is not None and was_running and not newest.running:
            await self._ended(session, kept, newest)

    async def _ended(self, session: Session, kept: Kept, egress: EgressFacts) -> None:
        end = rules.ending(egress, stopped_by_us=kept.stopping_us is not None)
        kept.ended_us = self._clock()
        kept.failures += not (end.by_us or end.share_over)
        log.info("egress.ended", session=session.session_id, egress=egress.egress_id, why=end.why, error=egress.error)
        if not end.by_us:
            await self._orders.tell(session, end.why)

    def _situation(self, session: Session, kept: Kept, share: Share | None) -> Situation:
        return Situation(
            now_us=self._clock(),
            wanted=session.state.active,
            egress=kept.egress,
            track_sid=share.screen.sid if share is not None else None,
            segment_us=self._options.segment_us,
            begun_us=kept.begun_us or session.since_us,  # it may be asked for at this very moment
            heard_us=kept.heard_us if kept.heard_us is not None and kept.heard_us > kept.begun_us else None,
            gone_us=kept.gone_us,
            stopping_us=kept.stopping_us,
            failures=kept.failures,
            ended_us=kept.ended_us,
        )

    async def _stop_orphans(self, known: set[str]) -> None:
        """End what goes on for sessions that are over: it costs its machine a core, and fills the disk."""
        if self._clock() < self._orphans_at_us:
            return
        self._orphans_at_us = self._clock() + ORPHANS_US
        for egress in await self._egress.running():
            session_id = session_of(self._options, egress.folder)
            if session_id is not None and session_id not in known and egress.status != "ending":
                log.warning("egress.orphan", session=session_id, egress=egress.egress_id)
                self._orders.stop(egress.egress_id)


def _read(answered: asyncio.Future[None]) -> None:
    """The session says it: nobody else has to."""
    if not answered.cancelled():
        answered.exception()


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # something is still in it, or on its way to the buffer
        folder.rmdir()


async def _within(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
