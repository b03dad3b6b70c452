"""Sessions in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack, cast

from sqlalchemy import delete, false, func, insert, or_, select, tuple_
from sqlalchemy import update as sql_update
from sqlalchemy.exc import IntegrityError

from lookback.db.models import ACTIVE_STATES, ClipRow, SessionEventRow, SessionRow
from lookback.db.transactions import Transactions
from lookback.errors import CommunityLimitError
from lookback.sessions.model import Session, SessionState
from lookback.sessions.story import SessionEvent

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

    from lookback.sessions.model import Source
    from lookback.sessions.ports import SessionChanges

_PLAIN = (
    "session_id", "room_name", "community_id", "user_id", "participant_identity", "reason", "started_at_us",
    "since_us", "ended_at_us", "drains_at_us", "video_codec", "audio_codec", "width", "height", "ice_etag",
    "track_sid", "include_microphone",
)  # fmt: skip
# When somebody's share will end is not known; asking again twice a minute troubles nobody.
_TRY_AGAIN_SECONDS = 30
# Of a session whose publisher comes and goes for days: how it began, and what happened lately.
_FIRST_EVENTS, _LAST_EVENTS = 20, 180


class SqlSessionRepository:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def add(self, session: Session, limit: int | None = None) -> Session:
        """See SessionRepository."""
        row = SessionRow(
            **{name: getattr(session, name) for name in _PLAIN},
            source=session.source,
            state=session.state.value,
        )
        try:
            async with self._sessions.begin() as db:
                if limit is not None:
                    await _require_place(db, session, limit)
                db.add(row)
        except IntegrityError:
            there = await self.get(session.session_id) or await self.active_of(session.user_id)
            if there is None:
                # The one in the way has just ended.
                return await self.add(session, limit)
            return there
        return session

    async def get(self, session_id: str) -> Session | None:
        """See SessionRepository."""
        return await self._one(select(SessionRow).where(SessionRow.session_id == session_id))

    async def active_of(self, user_id: str) -> Session | None:
        """See SessionRepository."""
        return await self._one(
            select(SessionRow).where(SessionRow.user_id == user_id, SessionRow.state.in_(ACTIVE_STATES))
        )

    async def in_states(
        self, states: Collection[SessionState], *, user_id: str | None = None, room_name: str | None = None
    ) -> list[Session]:
        """See SessionRepository."""
        query = select(SessionRow).where(SessionRow.state.in_([state.value for state in states]))
        if user_id is not None:
            query = query.where(SessionRow.user_id == user_id)
        if room_name is not None:
            query = query.where(SessionRow.room_name == room_name)
        async with self._sessions() as db:
            rows = await db.execute(query.order_by(SessionRow.started_at_us.desc()))
            return [_session(row) for row in rows.scalars()]

    async def page(
        self,
        states: Collection[SessionState],
        *,
        failed_after_us: int,
        limit: int,
        after: tuple[int, str] | None = None,
    ) -> list[Session]:
        """See SessionRepository."""
        fresh = or_(SessionRow.state != SessionState.FAILED.value, SessionRow.since_us > failed_after_us)
        query = select(SessionRow).where(SessionRow.state.in_([state.value for state in states]), fresh)
        if after is not None:
            query = query.where(tuple_(SessionRow.started_at_us, SessionRow.session_id) < tuple_(*after))
        newest_first = SessionRow.started_at_us.desc(), SessionRow.session_id.desc()
        async with self._sessions() as db:
            rows = await db.execute(query.order_by(*newest_first).limit(limit))
            return [_session(row) for row in rows.scalars()]

    async def of_tracks(self, track_sids: Collection[str]) -> list[Session]:
        """See SessionRepository."""
        query = select(SessionRow).where(SessionRow.track_sid.in_(track_sids))
        async with self._sessions() as db:
            rows = await db.execute(query.order_by(SessionRow.started_at_us.desc()))
            return [_session(row) for row in rows.scalars()]

    async def change(
        self, session_id: str, expected: SessionState, **changes: Unpack[SessionChanges]
    ) -> Session | None:
        """See SessionRepository."""
        where = SessionRow.session_id == session_id, SessionRow.state == expected.value
        async with self._sessions.begin() as db:
            changed = await db.execute(sql_update(SessionRow).where(*where).values(**changes).returning(SessionRow))
            row = changed.scalar_one_or_none()
            return _session(row) if row is not None else None

    async def remove(self, session_id: str) -> None:
        """See SessionRepository."""
        async with self._sessions.begin() as db:
            await db.execute(delete(SessionRow).where(SessionRow.session_id == session_id))
            await db.execute(delete(SessionEventRow).where(SessionEventRow.session_id == session_id))

    async def tell(self, session_id: str, event: SessionEvent) -> None:
        """See SessionRepository."""
        of_session = SessionEventRow.session_id == session_id
        last = select(func.coalesce(func.max(SessionEventRow.number), 0)).where(of_session)
        async with self._sessions.begin() as db:
            number = (await db.execute(last)).scalar_one() + 1
            row = {"at_us": event.at_us, "kind": event.kind, "sentence": event.sentence}
            await db.execute(insert(SessionEventRow).values(session_id=session_id, number=number, **row))
            old = SessionEventRow.number > _FIRST_EVENTS, SessionEventRow.number <= number - _LAST_EVENTS
            await db.execute(delete(SessionEventRow).where(of_session, *old))

    async def events(self, session_id: str) -> list[SessionEvent]:
        """See SessionRepository."""
        query = select(SessionEventRow).where(SessionEventRow.session_id == session_id)
        async with self._sessions() as db:
            rows = await db.execute(query.order_by(SessionEventRow.number))
            return [SessionEvent(row.at_us, row.kind, row.sentence, row.number) for row in rows.scalars()]

    async def clips_of(self, session_id: str) -> int:
        """See SessionRepository."""
        query = select(func.count()).where(ClipRow.session_id == session_id, ClipRow.deleted_at_us.is_(None))
        async with self._sessions() as db:
            return await db.scalar(query) or 0

    async def beginning_with(self, start: str, most: int) -> list[Session]:
        """See SessionRepository."""
        query = select(SessionRow).where(SessionRow.session_id.startswith(start, autoescape=True))
        async with self._sessions() as db:
            rows = await db.execute(query.order_by(SessionRow.started_at_us.desc()).limit(most))
            return [_session(row) for row in rows.scalars()]

    async def _one(self, query: Select[SessionRow]) -> Session | None:
        async with self._sessions() as db:
            row = (await db.execute(query)).scalar_one_or_none()
            return _session(row) if row is not None else None


async def _require_place(db: AsyncSession, session: Session, limit: int) -> None:
    """Raise CommunityLimitError when the community is full, unless the user's own session will be told instead."""
    await _one_at_a_time(db, session.community_id or "")
    active = SessionRow.state.in_(ACTIVE_STATES)
    of_community = SessionRow.community_id.is_not_distinct_from(session.community_id)
    used = await db.scalar(select(func.count()).where(active, of_community)) or 0
    if used < limit or await db.scalar(
        select(SessionRow.session_id).where(active, SessionRow.user_id == session.user_id)
    ):
        return
    raise CommunityLimitError(
        "Community replay buffer limit reached", limit=limit, used=used, retryAfter=_TRY_AGAIN_SECONDS
    )


async def _one_at_a_time(db: AsyncSession, community_id: str) -> None:
    """Until this transaction ends no other counts the community's sessions: two that count at once both find room."""
    if db.get_bind().dialect.name == "postgresql":
        await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(community_id, 0))))
    else:
        # Changes nothing, but takes SQLite's one lock for writing, before anything is read.
        await db.execute(sql_update(SessionRow).where(false()).values(reason=SessionRow.reason))


def _session(row: SessionRow) -> Session:
    return Session(
        **{name: getattr(row, name) for name in _PLAIN},
        source=cast("Source", row.source),
        state=SessionState(row.state),
    )
