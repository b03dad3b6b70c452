"""Read the audit trail: all of it with VIEW_AUDIT everywhere, or one community's with VIEW_AUDIT there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookback.access.audit import Action, Nobody
from lookback.access.principal import Permission
from lookback.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from lookback.access.audit import Audit, AuditRepository, Entry, Selection
    from lookback.access.principal import Principal

_LAST_ID = (1 << 63) - 1
_DAY_US = 86_400_000_000


class AuditReading:
    """Every method raises PermissionDeniedError to those who may not see what they ask for."""

    def __init__(self, repository: AuditRepository, audit: Audit) -> None:
        self._repository, self._audit = repository, audit

    async def page(
        self, who: Principal, wanted: Selection, *, limit: int, cursor: str | None
    ) -> tuple[list[Entry], str | None]:
        """Return up to `limit` entries, newest first, and the cursor of the next page if there is one."""
        who.require(Permission.VIEW_AUDIT, wanted.community_id)
        before_id = _parse_cursor(cursor) if cursor else None
        entries = await self._repository.page(wanted, limit=limit + 1, before_id=before_id)
        page = entries[:limit]
        return page, str(page[-1].entry_id) if len(entries) > limit else None

    async def export(self, who: Principal, wanted: Selection) -> AsyncIterator[Entry]:
        """Return all entries, oldest first. That they were taken along is an entry itself."""
        who.require(Permission.VIEW_AUDIT, wanted.community_id)
        await self._audit.record(
            Action.AUDIT_EXPORTED, actor=who.user_id, subject=wanted.user, community_id=wanted.community_id
        )
        return self._repository.all(wanted)


class AuditRetention:
    """Removes what is older than it has to be kept. `days` None: nothing ever is."""

    def __init__(self, repository: AuditRepository, audit: Audit, clock: Callable[[], int], days: int | None) -> None:
        self._repository, self._audit, self._clock, self._days = repository, audit, clock, days

    async def sweep(self) -> int:
        """Remove what is too old and tell the trail how much it was; return that."""
        if self._days is None:
            return 0
        async with self._audit.together():
            removed = await self._repository.prune(self._clock() - self._days * _DAY_US)
            if removed:
                await self._audit.record(
                    Action.AUDIT_PRUNED, actor=Nobody.SERVER, facts={"entries": removed, "days": self._days}
                )
        return removed


def _parse_cursor(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or not 0 < int(cursor) <= _LAST_ID:
        raise ValidationError("The cursor is not one of ours")
    return int(cursor)
