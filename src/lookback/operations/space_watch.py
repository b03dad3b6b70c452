"""Watch the disks and do what the ladder says: shorten windows, pause the newest sessions, let everything go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from lookback.access.audit import Action, Nobody
from lookback.errors import LookbackError, NotFoundError
from lookback.operations.space import Step
from lookback.recorder.control import HoldSession
from lookback.sessions.service import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lookback.access.audit import Audit
    from lookback.operations.disk_space import DiskSpace
    from lookback.sessions.model import Session
    from lookback.sessions.ports import Recorder, SessionRepository
    from lookback.sessions.sweeping import Sweeper

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
PAUSE_EVERY_US = 5_000_000
"""So long it takes to see what it helped that a session was paused, or that windows were shortened."""
_PAUSE_BELOW = 0.5  # floors


class SpaceWatch:
    """One per installation. `held`: the sessions that are paused. `alert` is told of every step, with its facts."""

    def __init__(
        self,
        space: DiskSpace,
        sweeper: Sweeper,
        repository: SessionRepository,
        recorder: Recorder,
        *,
        audit: Audit,
        clock: Callable[[], int],
        alert: Callable[[Step, Mapping[str, Any]], None] = lambda _step, _facts: None,
    ) -> None:
        self._space, self._sweeper, self._repository = space, sweeper, repository
        self._recorder, self._audit, self._clock, self._alert = recorder, audit, clock, alert
        self._told = Step.CALM
        self._exhausted = self._blind = False
        self._shorten_at_us = self._pause_at_us = 0
        # A server that was here before us may have paused what is recorded.
        self._release = True
        self.held: set[str] = set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # a database or disk that is away for a while must not end the watch
                log.exception("space.not_looked_at")
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once, and do what is due."""
        now_us = self._clock()
        away = await asyncio.to_thread(self._space.look, now_us, exhausted=self._exhausted)
        if away and not self._blind:  # once is enough to say so
            log.warning("space.not_known", **{name: str(error) for name, error in away.items()})
        self._blind = bool(away)
        await self._tell()
        if "buffer" in away:
            return  # nothing can be done about its space
        await self._shorten(now_us)
        await self._pause(now_us)

    async def _shorten(self, now_us: int) -> None:
        place = self._space.buffer
        if place.ladder.step < Step.SHORTER_WINDOWS:
            self._exhausted = False
        elif place.disk.missing_bytes and now_us >= self._shorten_at_us:
            swept = await self._sweeper.sweep(place.disk.missing_bytes)
            self._exhausted = swept.missing_bytes > 0
            if self._exhausted:  # looking again at once would find nothing either
                self._shorten_at_us = now_us + PAUSE_EVERY_US
            if swept.segments:
                log.warning("buffer.shortened", segments=swept.segments, size_bytes=swept.size_bytes)

    async def _pause(self, now_us: int) -> None:
        place = self._space.buffer
        if place.ladder.step < Step.FEWER_SESSIONS:
            await self._let_go_on()
            return
        self._release = True
        rows = {session.session_id: session for session in await self._repository.in_states(ACTIVE)}
        self.held &= rows.keys()
        if now_us >= self._pause_at_us:
            self._pause_at_us = now_us + PAUSE_EVERY_US
            if place.disk.free_bytes < place.disk.floor_bytes * _PAUSE_BELOW:
                self._choose(sorted(rows.values(), key=lambda session: session.started_at_us))
            for session_id in self.held:  # again and again: a recorder that was restarted knows nothing of it
                await self._hold(session_id, held=True)

    def _choose(self, oldest_first: list[Session]) -> None:
        """Pause the newest session that is not paused yet."""
        newest = next((s for s in reversed(oldest_first) if s.session_id not in self.held), None)
        if newest is not None:
            self.held.add(newest.session_id)
            log.warning("session.paused", session=newest.session_id, reason="space")

    async def _let_go_on(self) -> None:
        """Let everything be recorded again; until a recorder has heard it, it is said again."""
        if not self._release or not self._recorder.connected:
            return
        heard = [await self._goes_on(session) for session in await self._repository.in_states(ACTIVE)]
        if all(heard):
            self._release = False
            self.held.clear()

    async def _goes_on(self, session: Session) -> bool:
        heard = await self._hold(session.session_id, held=False)
        if heard and session.session_id in self.held:
            self.held.discard(session.session_id)
            log.info("session.goes_on", session=session.session_id)
        return heard

    async def _hold(self, session_id: str, *, held: bool) -> bool:
        try:
            await self._recorder.request(HoldSession(session_id=session_id, held=held))
        except NotFoundError:
            return True  # nothing of it is being recorded
        except LookbackError as error:
            log.warning("session.not_held", session=session_id, held=held, error=error.detail)
            return False
        return True

    async def _tell(self) -> None:
        """Say that the step has changed: to the log, to whoever is alerted, and to the trail if that can be written."""
        step = self._space.step
        if step is self._told:
            return
        was, self._told = self._told, step
        place = max(self._space.storage, self._space.buffer, key=lambda p: p.ladder.step)
        free_bytes, _, floor_bytes = place.disk
        say = log.warning if step > Step.CALM else log.info
        say(
            "space.changed",
            was=was.word,
            to=step.word,
            meaning=step.sentence,
            free_bytes=free_bytes,
            floor_bytes=floor_bytes,
        )
        facts = {"from": was.word, "to": step.word, "freeBytes": free_bytes, "floorBytes": floor_bytes}
        self._alert(step, facts)
        try:
            await self._audit.record(Action.SPACE_CHANGED, actor=Nobody.SERVER, facts=facts)
        except LookbackError as error:
            log.warning("space.not_in_the_trail", error=error.detail)  # the database may be on the disk that is full
