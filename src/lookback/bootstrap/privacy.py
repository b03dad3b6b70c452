"""The audit trail, consent, erasure and what people take along, put together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lookback.access.audit_reading import AuditReading, AuditRetention
from lookback.access.rates import Kind, RateLimits
from lookback.bootstrap.parts import clock_us
from lookback.clips.erasure import ClipErasure
from lookback.db.audit import SqlAuditRepository
from lookback.db.clips import SqlClipRepository
from lookback.db.consents import SqlConsentRepository
from lookback.db.erasures import SqlErasureRepository
from lookback.db.roles import SqlRoleRepository
from lookback.operations.erasure import Erasures, SessionErasure
from lookback.operations.personal_data import PersonalDataService
from lookback.sessions.consent import ConsentService

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.access.audit import Audit
    from lookback.clips.assembly import ClipServices
    from lookback.recorder.supervisor import Supervisor
    from lookback.sessions.buffers import SessionBuffers
    from lookback.sessions.ports import SessionRepository
    from lookback.sessions.service import SessionService
    from lookback.settings import Settings

log = structlog.get_logger(__name__)

_SWEEP_S = 3600.0


@dataclass(frozen=True, slots=True)
class Privacy:
    """What people may know, forbid, take along and have erased. Run `run()` until the end."""

    audit: AuditReading
    retention: AuditRetention
    consent: ConsentService
    erasures: Erasures
    personal_data: PersonalDataService

    async def run(self) -> None:
        """Until cancelled: go on with erasures, and let old entries of the trail go."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.erasures.run(), name="erasures")
            tasks.create_task(self._sweep(), name="audit retention")

    async def _sweep(self) -> None:
        while True:
            try:
                await self.retention.sweep()
            except Exception:  # a database that is away for a while must not end the server
                log.exception("audit.not_swept")
            await asyncio.sleep(_SWEEP_S)


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What is needed of the sessions."""

    rows: SessionRepository
    service: SessionService
    buffers: SessionBuffers
    recorder: Supervisor


def privacy(
    settings: Settings,
    engine: AsyncEngine,
    audit: Audit,
    *,
    sessions: SessionParts,
    clips: ClipServices,
    forget: Callable[[str], None],
) -> Privacy:
    """Everything of this kind of an installation. `forget` is told whose rights are to be read anew."""
    entries, persons, consents = SqlAuditRepository(engine), SqlErasureRepository(engine), SqlConsentRepository(engine)
    session_erasure = SessionErasure(sessions.rows, sessions.service, sessions.buffers, sessions.recorder)
    clip_erasure = ClipErasure(clips.rows, clips.store, audit)
    days = settings.lookback_audit_retention_days or None
    return Privacy(
        AuditReading(entries, audit),
        AuditRetention(entries, audit, clock_us, days),
        ConsentService(consents, sessions.rows, sessions.service, audit, clock_us),
        Erasures(persons, session_erasure, clip_erasure, audit, clock=clock_us, forget=forget),
        PersonalDataService(
            persons,
            consents,
            SqlRoleRepository(engine),
            sessions.rows,
            SqlClipRepository(engine),
            entries,
            clips.store,
            audit,
        ),
    )


def rate_limits(settings: Settings) -> RateLimits:
    """How often users may save and start."""
    return RateLimits(
        {Kind.CAPTURE: settings.lookback_captures_per_minute, Kind.START: settings.lookback_starts_per_minute}
    )
