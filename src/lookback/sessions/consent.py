"""What people say about being buffered, and what follows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.access.audit import Action
from lookback.access.consent import EVERYWHERE, forbids
from lookback.sessions.service import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.audit import Audit
    from lookback.access.consent import ConsentRepository, Statement
    from lookback.access.principal import Principal
    from lookback.sessions.ports import SessionRepository
    from lookback.sessions.service import SessionService

FORBIDDEN = "Its user has forbidden to be buffered"


class ConsentService:
    """Everybody speaks for themselves only."""

    def __init__(
        self,
        repository: ConsentRepository,
        rows: SessionRepository,
        sessions: SessionService,
        audit: Audit,
        clock: Callable[[], int],
    ) -> None:
        self._repository, self._rows, self._sessions = repository, rows, sessions
        self._audit, self._clock = audit, clock

    async def said(self, who: Principal) -> list[Statement]:
        """Return what the user has said: altogether first, then room by room."""
        return await self._repository.said(who.user_id)

    async def say(self, who: Principal, statement: Statement) -> list[Statement]:
        """Keep a statement and end the user's sessions that it forbids; return all that holds now.

        A session that starts at this moment finds the statement, or is found here: admission looks at consent once
        more when the session can be seen.
        """
        async with self._audit.together():
            await self._repository.say(who.user_id, statement, self._clock())
            await self._audit.record(
                Action.CONSENT_CHANGED,
                actor=who.user_id,
                subject=who.user_id,
                room_name=statement.room_name if statement.room_name != EVERYWHERE else None,
                facts={"buffering": statement.buffering, "autoStart": statement.auto_start},
            )
        said = await self._repository.said(who.user_id)
        for session in await self._rows.in_states(ACTIVE, user_id=who.user_id):
            if forbids(said, session.room_name):
                await self._sessions.end(session, FORBIDDEN, actor=who.user_id)
        return said
