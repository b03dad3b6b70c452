"""A trail that a test can read: kept in memory, or in a database."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lookback.access.audit import Audit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookback.access.audit import Action, Entry, Selection


@dataclass(slots=True)
class MemoryAuditRepository:
    """Implements access.audit.AuditRepository. A failing `together` takes its entries back."""

    entries: list[Entry] = field(default_factory=list)
    last_id: int = 0

    async def add(self, entry: Entry) -> None:
        """See AuditRepository."""
        self.last_id += 1
        self.entries.append(replace(entry, entry_id=self.last_id))

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """See AuditRepository."""
        before = len(self.entries)
        try:
            yield
        except BaseException:
            del self.entries[before:]
            raise

    async def page(self, wanted: Selection, *, limit: int, before_id: int | None) -> list[Entry]:
        """See AuditRepository."""
        found = [e for e in reversed(self.entries) if _matches(e, wanted)]
        return [e for e in found if before_id is None or e.entry_id < before_id][:limit]

    async def all(self, wanted: Selection) -> AsyncIterator[Entry]:
        """See AuditRepository."""
        for entry in [e for e in self.entries if _matches(e, wanted)]:
            yield entry

    async def prune(self, before_us: int) -> int:
        """See AuditRepository."""
        kept = [entry for entry in self.entries if entry.at_us >= before_us]
        removed = len(self.entries) - len(kept)
        self.entries[:] = kept
        return removed

    @property
    def actions(self) -> list[Action]:
        """What happened, oldest first."""
        return [entry.action for entry in self.entries]


def a_trail(entries: MemoryAuditRepository | None = None) -> Audit:
    """An audit trail in memory."""
    return Audit(entries if entries is not None else MemoryAuditRepository(), lambda: 1_795_384_759_000_000)


def _matches(entry: Entry, wanted: Selection) -> bool:
    return (
        wanted.community_id in {None, entry.community_id}
        and (wanted.user is None or wanted.user in {entry.actor, entry.subject})
        and wanted.action in {None, entry.action}
        and (wanted.from_us is None or entry.at_us >= wanted.from_us)
        and (wanted.until_us is None or entry.at_us < wanted.until_us)
    )
