"""Erase a person: their sessions and what is buffered of them, clips of theirs and of their shares, rows, tokens.

1. The wish is a row before anything is removed, and is done when nothing is left. A server that is killed in between
   goes on from the row: every step finds by itself what it still has to remove.
2. From the first moment on no token of the person holds, and nobody starts a buffer for them: nothing new comes while
   the old goes.
3. What the row says last is what is forgotten last: whom the audit trail means. Its entries stay, and name nobody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog

from lookback.access.audit import Action, Nobody
from lookback.access.principal import Permission
from lookback.clips.keyed_locks import KeyedLocks
from lookback.errors import LookbackError, NoCapacityError
from lookback.sessions.model import SessionState
from lookback.sessions.service import SHOWN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from lookback.access.audit import Audit
    from lookback.access.principal import Principal
    from lookback.clips.erasure import ClipErasure
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.model import Session
    from lookback.sessions.ports import Recorder, SessionRepository
    from lookback.sessions.service import SessionService

log = structlog.get_logger(__name__)

ERASED = "Its user is being erased"
# Whoever issues tokens may be ahead of us by this much, see access.tokens: such a token must not outlive this, either.
_AHEAD_US = 30_000_000
_AGAIN_S = 60.0


class ErasureRepository(Protocol):
    """Who is being erased, and the rows that belong to no other service. Every method is one transaction."""

    async def begin(self, user_id: str, now_us: int, not_before_us: int) -> None:
        """Keep the wish until `finish`, and revoke the user's tokens that were issued up to `not_before_us`."""

    async def pending(self) -> list[str]:
        """Return who is still to be erased, the oldest wish first."""

    async def clips_about(self, user_id: str) -> list[str]:
        """Return the ids of all clips that the user owns or whose share they show, deleted ones, too."""

    async def remove_rows(self, user_id: str) -> None:
        """Remove the user's row, roles, consents and reservations."""

    async def finish(self, user_id: str, now_us: int) -> None:
        """Forget whom the trail means, from which addresses they came, and the id in the wish."""

    async def settle(self) -> None:
        """Let go of old copies of what was removed, as far as the database keeps any and can; never an error."""


class SessionErasure:
    """Removes sessions with all that is buffered, whatever state they are in. May be repeated after a crash."""

    def __init__(
        self, rows: SessionRepository, service: SessionService, buffers: SessionBuffers, recorder: Recorder
    ) -> None:
        self._rows, self._service, self._buffers, self._recorder = rows, service, buffers, recorder

    async def erase(self, user_id: str) -> None:
        """Remove all sessions of the user; raises NoCapacityError while the recorder cannot be told to let go."""
        for session in await self._rows.in_states(list(SessionState), user_id=user_id):
            if session.state in SHOWN:
                await self._let_go(session)
            await self._buffers.remove(session)
            await self._rows.remove(session.session_id)

    async def remove_leftovers(self, user_id: str) -> None:
        """Remove the user's folders in all rooms: directories that no row knows."""
        await self._buffers.remove_user(user_id)

    async def _let_go(self, session: Session) -> None:
        if not self._recorder.connected:
            raise NoCapacityError("The recorder does not answer; the erasure goes on when it does", retryAfter=5)
        await self._service.end(session, ERASED)
        await self._service.release(session.session_id, ERASED)  # also what was over: it may not have been told


class Erasures:
    """Erases when asked to, and goes on with what was interrupted. `checkpoint` is called after every step.

    `forget` is called when a person's rights change: what is remembered of them must be read anew.
    """

    def __init__(
        self,
        repository: ErasureRepository,
        sessions: SessionErasure,
        clips: ClipErasure,
        audit: Audit,
        *,
        clock: Callable[[], int],
        forget: Callable[[str], None],
        checkpoint: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self._repository, self._sessions, self._clips, self._audit = repository, sessions, clips, audit
        self._clock, self._forget, self._checkpoint = clock, forget, checkpoint
        self._locks = KeyedLocks()

    async def erase(self, who: Principal, user_id: str) -> None:
        """Erase oneself, or as a manager of the instance somebody else; nobody there is no error.

        When a step fails the error is raised, and the server goes on with it by itself later.
        """
        if user_id != who.user_id:
            who.require(Permission.MANAGE_REPLAY_LIMITS)
        now_us = self._clock()
        async with self._audit.together():
            await self._repository.begin(user_id, now_us, now_us + _AHEAD_US)
            await self._audit.record(Action.USER_ERASURE_BEGUN, actor=who.user_id, subject=user_id)
        self._forget(user_id)
        self._checkpoint("begun")
        await self._go_on(user_id, who.user_id)

    async def run(self) -> None:
        """Until cancelled: go on with what was interrupted."""
        while True:
            try:
                await self.resume()
            except Exception:  # a database that is away for a while must not end the server
                log.exception("erasures.not_resumed")
            await asyncio.sleep(_AGAIN_S)

    async def resume(self) -> None:
        """Go on with every erasure that is not done; what cannot be removed now is left for the next time."""
        for user_id in await self._repository.pending():
            try:
                await self._go_on(user_id, None)
            except (LookbackError, OSError) as error:
                log.warning("erasure.not_done", error=str(error))

    async def _go_on(self, user_id: str, asked_by: str | None) -> None:
        async with self._locks.hold(user_id):
            if user_id not in await self._repository.pending():
                return  # somebody else asked at the same time, and it is done
            for name, step in self._steps():
                await step(user_id)
                self._checkpoint(name)
            async with self._audit.together():
                await self._audit.record(Action.USER_ERASED, actor=asked_by or Nobody.SERVER, subject=user_id)
                await self._repository.finish(user_id, self._clock())
        self._forget(user_id)
        await self._repository.settle()
        self._checkpoint("finished")
        log.info("user.erased")  # without the id: the log is not for remembering it

    def _steps(self) -> Sequence[tuple[str, Callable[[str], Awaitable[None]]]]:
        # Sessions first: nothing can be saved from what is gone, so that no clip comes after the clips.
        return (
            ("sessions", self._sessions.erase),
            ("buffers", self._sessions.remove_leftovers),
            ("clips", self._erase_clips),
            ("folder", self._clips.remove_leftovers),
            ("rows", self._repository.remove_rows),
        )

    async def _erase_clips(self, user_id: str) -> None:
        for clip_id in await self._repository.clips_about(user_id):
            await self._clips.erase(clip_id, user_id)
            self._checkpoint("clip")
