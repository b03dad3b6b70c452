"""Small answers that need several parts at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from lookback.api.ports import Account, Check
from lookback.operations.readiness import look

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.principal import Principal
    from lookback.clips.quota import UserQuota
    from lookback.operations.storage_watch import StorageWatch
    from lookback.recorder.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class Accounts:
    """What is known about users."""

    quota: UserQuota
    quota_bytes: int

    async def account(self, who: Principal) -> Account:
        """See api.ports.Accounts."""
        found = await self.quota.balance(who.user_id)
        if found is None:
            return Account(self.quota_bytes, 0)
        own = found.quota_bytes if found.quota_bytes is not None else self.quota_bytes
        return Account(own, found.used_bytes, found.reserved_bytes)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the server can do its work."""

    engine: AsyncEngine
    recorder: Supervisor
    disks: StorageWatch

    async def checks(self) -> list[Check]:
        """See api.ports.Readiness."""
        found = await look(self._ask, self.disks, self.recorder)
        return [Check(finding.name, finding.reason) for finding in found]

    async def _ask(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
