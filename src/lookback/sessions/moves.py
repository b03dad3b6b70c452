"""The one door through which a session changes its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import structlog

from lookback.sessions.model import MOVES, Session, SessionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.sessions.ports import SessionChanges, SessionRepository

log = structlog.get_logger(__name__)


class Moves:
    """Checks every move against the table, makes it only if nobody else moved the session first, and logs its cause."""

    def __init__(self, repository: SessionRepository, clock: Callable[[], int]) -> None:
        self._repository = repository
        self._clock = clock

    async def move(
        self, session: Session, to: SessionState, cause: str, **changes: Unpack[SessionChanges]
    ) -> Session | None:
        """Return the moved session, or None when the move is not legal or somebody else was faster.

        `cause` is a sentence; it becomes the session's reason unless it records.
        """
        if to not in MOVES[session.state]:
            return None
        changes["state"] = to
        changes["since_us"] = self._clock()
        changes["reason"] = None if to is SessionState.RECORDING else cause
        moved = await self._repository.change(session.session_id, session.state, **changes)
        if moved is not None:
            log.info("session.moved", session=session.session_id, was=session.state, to=to, cause=cause)
        return moved
