"""What is known of one user's share in one room, for the doctor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lookback.access.audit import Audit
from lookback.access.consent import Consents
from lookback.access.principal import Permission
from lookback.bootstrap.library import DefaultQuota
from lookback.bootstrap.parts import clock_us, tokens_of
from lookback.bootstrap.people import people
from lookback.db.audit import SqlAuditRepository
from lookback.db.consents import SqlConsentRepository
from lookback.db.quota import SqlQuotaLedger
from lookback.db.sessions import SqlSessionRepository
from lookback.errors import LookbackError
from lookback.operations.doctor.share import ShareFacts
from lookback.sessions.rooms import user_of
from lookback.sessions.service import ACTIVE

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lookback.bootstrap.people import People
    from lookback.sessions.rooms import LivekitServer, RoomFacts
    from lookback.settings import Settings


async def look_at_share(
    settings: Settings, engine: AsyncEngine, livekit: LivekitServer | None, room_name: str, user_id: str
) -> ShareFacts:
    """Look at everything that a start would: LiveKit, rules, rights, consent, limits; but at no token."""
    facts = ShareFacts(room_name, user_id)
    try:
        if livekit is not None:
            facts = _in_room(facts, await livekit.room(room_name))
        audit = Audit(SqlAuditRepository(engine), clock_us)
        return await _by_rules(facts, settings, engine, people(settings, engine, tokens_of(settings), audit, livekit))
    except LookbackError as error:
        return replace(facts, unknown=error.detail)


def _in_room(facts: ShareFacts, room: RoomFacts | None) -> ShareFacts:
    if room is None:
        return replace(facts, place="no-room")
    own = [p for p in room.participants if user_of(p) == facts.user_id]
    screen = next((p.screen for p in own if p.screen is not None), None)
    if screen is None:
        return replace(facts, place="nobody-sharing" if own else "not-in-room")
    return replace(facts, place="sharing", codec=screen.codec, encrypted=screen.encrypted)


async def _by_rules(facts: ShareFacts, settings: Settings, engine: AsyncEngine, known: People) -> ShareFacts:
    communities, rows = known.communities, SqlSessionRepository(engine)
    community_id = await communities.community_of_room(facts.room_name)
    config = await communities.config_of(community_id)
    who = await known.grants.of(facts.user_id)
    running = [session for session in await rows.in_states(ACTIVE) if session.community_id == community_id]
    own = await rows.active_of(facts.user_id)
    balance = await SqlQuotaLedger(engine).balance(facts.user_id, clock_us())
    default_bytes = await DefaultQuota(settings.quota_bytes, communities)(community_id)
    return replace(
        facts,
        allowed=who.allowed(Permission.ENABLE_REPLAY_BUFFER, community_id),
        granted_by=tuple(who.book.granting(Permission.ENABLE_REPLAY_BUFFER, community_id)),
        enabled=config.enabled,
        consent=not await Consents(SqlConsentRepository(engine)).forbidden(facts.user_id, facts.room_name),
        running=len(running),
        limit=config.max_concurrent,
        own_room=own.room_name if own is not None else None,
        quota_bytes=balance.quota_bytes if balance and balance.quota_bytes is not None else default_bytes,
        used_bytes=balance.used_bytes if balance else 0,
    )
