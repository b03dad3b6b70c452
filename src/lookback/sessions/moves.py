"""The one door through which a session changes its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Unpack

import structlog

from lookback.access.audit import Action, Nobody
from lookback.sessions.model import MOVES, Session, SessionState
from lookback.sessions.story import SessionEvent

if TYPE_CHECKING:
    from lookback.access.audit import Actor, Audit
    from lookback.sessions.ports import SessionChanges, SessionRepository

log = structlog.get_logger(__name__)

# Moves that the audit trail tells; the others are details of a session that goes on.
_TOLD = {SessionState.DRAINING: Action.SESSION_STOPPED, SessionState.FAILED: Action.SESSION_NOT_STARTED}


Watcher = Callable[[SessionState, Session], None]
"""Called with the state a session was in, and the session as it is now."""


class Moves:
    """Checks every move against the table, makes it only if nobody else moved the session first, and logs its cause.

    Every move is kept for the session's story, and ends are in the audit trail, in the same transaction.
    """

    def __init__(self, repository: SessionRepository, clock: Callable[[], int], audit: Audit) -> None:
        self._repository = repository
        self._clock = clock
        self._audit = audit
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Tell somebody of every move, after it was made. Watchers return at once and raise nothing."""
        self._watchers.append(watcher)

    async def move(
        self,
        session: Session,
        to: SessionState,
        cause: str,
        *,
        actor: Actor = Nobody.SERVER,
        **changes: Unpack[SessionChanges],
    ) -> Session | None:
        """Return the moved session, or None when the move is not legal or somebody else was faster.

        `cause` is a sentence; it becomes the session's reason unless it records. `actor` is who asked for it.
        """
        if to not in MOVES[session.state]:
            return None
        changes["state"] = to
        changes["since_us"] = self._clock()
        changes["reason"] = None if to is SessionState.RECORDING else cause
        async with self._audit.together():
            moved = await self._repository.change(session.session_id, session.state, **changes)
            if moved is not None:
                await self._repository.tell(moved.session_id, SessionEvent(moved.since_us, to.value, cause))
                if to in _TOLD:
                    await self._record(_TOLD[to], moved, actor, cause)
        if moved is not None:
            log.info("session.moved", session=session.session_id, was=session.state, to=to, cause=cause)
            for watcher in self._watchers:
                watcher(session.state, moved)
        return moved

    async def note(self, session: Session, kind: str, cause: str, reason: str | None) -> None:
        """Keep that something happened which is no move, and what is the session's reason from now on."""
        if reason == session.reason:
            return  # it was told before
        async with self._audit.together():
            changed = await self._repository.change(session.session_id, session.state, reason=reason)
            if changed is not None:
                await self._repository.tell(session.session_id, SessionEvent(self._clock(), kind, cause))

    async def _record(self, action: Action, session: Session, actor: Actor, cause: str) -> None:
        await self._audit.record(
            action,
            actor=actor,
            subject=session.user_id,
            target=session.session_id,
            community_id=session.community_id,
            room_name=session.room_name,
            facts={"cause": cause, "source": session.source},
        )
