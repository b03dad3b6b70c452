"""Who looks at somebody else's buffer is in the audit trail: once an hour, however many requests a player makes."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from lookback.access.audit import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookback.access.audit import Audit
    from lookback.access.principal import Principal
    from lookback.sessions.model import Session

_AGAIN_US = 3_600_000_000
_REMEMBERED = 10_000


class Onlookers:
    """Remembers in memory whom the trail knows already: after a restart it is told once more."""

    def __init__(self, audit: Audit, clock: Callable[[], int]) -> None:
        self._audit, self._clock = audit, clock
        self._told: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def note(self, who: Principal, session: Session) -> None:
        """Tell the trail before anything is shown; raises what the database raises, and then nothing is."""
        key = who.user_id, session.session_id
        now_us = self._clock()
        if who.user_id == session.user_id or now_us - self._told.get(key, -_AGAIN_US) < _AGAIN_US:
            return
        await self._audit.record(
            Action.SESSION_VIEWED,
            actor=who.user_id,
            subject=session.user_id,
            target=session.session_id,
            community_id=session.community_id,
            room_name=session.room_name,
        )
        self._told[key] = now_us
        self._told.move_to_end(key)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
