"""Clips, the quotas they count against, and who stores how much, put together from the settings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lookback.access.audit import Audit
from lookback.bootstrap.parts import buffer_layout, clock_us, new_id, wait_until
from lookback.bootstrap.roots import kept_roots
from lookback.buffer.leases import Leases
from lookback.clips.assembly import ClipServices, ServerThreads, World, assemble
from lookback.clips.space import AmpleSpace
from lookback.clips.stopwatch import Unmeasured, unwatched
from lookback.clips.usage import QuotaOffice
from lookback.db.audit import SqlAuditRepository
from lookback.db.clips import SqlClipRepository
from lookback.db.erasures import SqlErasureRepository
from lookback.db.quota import SqlQuotaLedger
from lookback.db.usage import SqlUsageRepository
from lookback.db.users import SqlUserRepository
from lookback.home import kept_server_id

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.ports import Communities
    from lookback.buffer.reader import SegmentCache
    from lookback.clips.ports import SessionLookup
    from lookback.clips.space import SpaceGate
    from lookback.clips.stopwatch import CaptureTimes, Work
    from lookback.settings import Settings

_KEY_BYTES = 24  # of a link: 192 bits, which nobody guesses


@dataclass(frozen=True, slots=True)
class DefaultQuota:
    """The quota of users without one of their own: what the clip's community says, else the operator."""

    instance_bytes: int
    communities: Communities | None = None

    async def __call__(self, community_id: str | None) -> int:
        """Return it in bytes."""
        if self.communities is None or community_id is None:
            return self.instance_bytes
        said = (await self.communities.config_of(community_id)).default_quota_bytes
        return said if said is not None else self.instance_bytes


def clip_services(
    settings: Settings,
    engine: AsyncEngine,
    sessions: SessionLookup,
    cache: SegmentCache,
    communities: Communities | None = None,
    *,
    space: SpaceGate | None = None,
    leases: Leases | None = None,
    times: CaptureTimes | None = None,
    threads: ServerThreads | None = None,
    work: Work = unwatched,
) -> ClipServices:
    """Everything about clips of an installation."""
    world = World(
        ledger=SqlQuotaLedger(engine),
        default_quota=DefaultQuota(settings.quota_bytes, communities),
        name_of=SqlUserRepository(engine).name_of,
        erased=SqlErasureRepository(engine).erased_since,
        audit=Audit(SqlAuditRepository(engine), clock_us),
        server_id=kept_server_id(settings.home),
        new_key=partial(secrets.token_urlsafe, _KEY_BYTES),
        storage_root=kept_roots(settings.home).storage,
        space=space or AmpleSpace(),
        leases=leases or Leases(),
        times=times or Unmeasured(),
        threads=threads or ServerThreads(),
        work=work,
    )
    return assemble(
        settings.storage_path,
        buffer_layout(settings),
        SqlClipRepository(engine),
        sessions,
        clock=clock_us,
        wait=wait_until,
        new_id=new_id,
        cache=cache,
        world=world,
    )


def quota_office(engine: AsyncEngine, clips: ClipServices, audit: Audit) -> QuotaOffice:
    """Quotas and usage of an installation."""
    return QuotaOffice(SqlUsageRepository(engine), SqlQuotaLedger(engine), clips.quota, audit, clock_us)
