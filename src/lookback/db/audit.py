"""The audit trail in SQL.

Entries name people by a random key. Who a key means is in a table of its own, as are addresses: erasing a person
deletes there, and every entry stays what it is. See docs/reference/events.md.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, cast

from sqlalchemy import delete, func, or_, select
from sqlalchemy import update as sql_update
from sqlalchemy.orm import aliased

from lookback.access.audit import ERASED, Action, Entry, Nobody
from lookback.db.models import AuditAddressRow, AuditHorizonRow, AuditPersonRow, AuditRow
from lookback.db.transactions import Transactions
from lookback.db.upsert import put_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from sqlalchemy import Select, Table
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

    from lookback.access.audit import Actor, Selection

_PAGE = 500
_USER = "user"
# Entries are written with every change that matters: as plain rows, which takes half as long as through the mapper.
_ENTRIES, _ADDRESSES = cast("Table", AuditRow.__table__), cast("Table", AuditAddressRow.__table__)
_actor, _subject = aliased(AuditPersonRow), aliased(AuditPersonRow)


class SqlAuditRepository:
    """Every method is one transaction, or part of the one that `together` opened."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = Transactions(engine)

    async def add(self, entry: Entry) -> None:
        """See AuditRepository."""
        # A change without its entry is taken back anyway.
        async with self._sessions.begin(savepoint=False) as db:
            people = (entry.actor if isinstance(entry.actor, str) else None, entry.subject)
            actor, subject = await _person_keys(db, *people)
            written = _ENTRIES.insert().values(
                at_us=entry.at_us,
                action=entry.action.value,
                actor_kind=_USER if isinstance(entry.actor, str) else entry.actor.value,
                actor_key=actor,
                subject_key=subject,
                target=entry.target,
                community_id=entry.community_id,
                room_name=entry.room_name,
                facts=dict(entry.facts),
            )
            entry_id = (await db.execute(written.returning(_ENTRIES.c.entry_id))).scalar_one()
            if entry.address is not None:
                where = {"entry_id": entry_id, "person_key": actor, "address": entry.address}
                await db.execute(_ADDRESSES.insert().values(where))

    def together(self) -> AbstractAsyncContextManager[None]:
        """See AuditRepository."""
        return self._sessions.together()

    async def page(self, wanted: Selection, *, limit: int, before_id: int | None) -> list[Entry]:
        """See AuditRepository."""
        async with self._sessions() as db:
            query = await _narrowed(db, wanted)
            if before_id is not None:
                query = query.where(AuditRow.entry_id < before_id)
            return await _entries(db, query.order_by(AuditRow.entry_id.desc()).limit(limit))

    async def all(self, wanted: Selection) -> AsyncIterator[Entry]:
        """See AuditRepository."""
        last_id, reached = await self._newest(), 0
        while True:
            async with self._sessions() as db:  # one per page: nothing stays open while somebody reads slowly
                query = (await _narrowed(db, wanted)).where(AuditRow.entry_id > reached, AuditRow.entry_id <= last_id)
                page = await _entries(db, query.order_by(AuditRow.entry_id).limit(_PAGE))
            for entry in page:
                yield entry
            if len(page) < _PAGE:
                return
            reached = page[-1].entry_id

    async def prune(self, before_us: int) -> int:
        """See AuditRepository; the database refuses an instant less than a day ago."""
        async with self._sessions.begin() as db:
            moved = sql_update(AuditHorizonRow).where(AuditHorizonRow.before_us < before_us)
            await db.execute(moved.values(before_us=before_us))
            old = select(AuditRow.entry_id).where(AuditRow.at_us < before_us)
            await db.execute(delete(AuditAddressRow).where(AuditAddressRow.entry_id.in_(old)))
            gone = await db.execute(delete(AuditRow).where(AuditRow.at_us < before_us).returning(AuditRow.entry_id))
            return len(gone.all())

    async def _newest(self) -> int:
        async with self._sessions() as db:
            return (await db.execute(select(func.coalesce(func.max(AuditRow.entry_id), 0)))).scalar_one()


async def person_key(db: AsyncSession, user_id: str) -> str:
    """The key that stands for a person, made when there is none yet."""
    # Two at once: one waits for the other, inserts nothing, and finds the other's key.
    await put_row(db, AuditPersonRow, {"user_id": user_id}, {}, once={"person_key": uuid.uuid4().hex})
    key = await db.execute(select(AuditPersonRow.person_key).where(AuditPersonRow.user_id == user_id))
    return key.scalar_one()


async def _person_keys(db: AsyncSession, *users: str | None) -> tuple[str | None, ...]:
    """The keys of several people, whom the trail mostly knows already."""
    named = {user for user in users if user is not None}
    known = select(AuditPersonRow.user_id, AuditPersonRow.person_key).where(AuditPersonRow.user_id.in_(named))
    rows = (await db.execute(known)).all() if named else []
    keys: dict[str | None, str] = {row.user_id: row.person_key for row in rows}
    for user in sorted(named - keys.keys()):  # always in the same order: two entries never wait for each other
        keys[user] = await person_key(db, user)
    return tuple(keys.get(user) for user in users)


async def _narrowed(db: AsyncSession, wanted: Selection) -> Select[AuditRow, str, str, str]:
    query = (
        select(AuditRow, _actor.user_id, _subject.user_id, AuditAddressRow.address)
        .outerjoin(_actor, _actor.person_key == AuditRow.actor_key)
        .outerjoin(_subject, _subject.person_key == AuditRow.subject_key)
        .outerjoin(AuditAddressRow, AuditAddressRow.entry_id == AuditRow.entry_id)
    )
    if wanted.community_id is not None:
        query = query.where(AuditRow.community_id == wanted.community_id)
    if wanted.user is not None:
        key = await _known_key(db, wanted.user)
        query = query.where(or_(AuditRow.actor_key == key, AuditRow.subject_key == key))
    if wanted.action is not None:
        query = query.where(AuditRow.action == wanted.action.value)
    if wanted.from_us is not None:
        query = query.where(AuditRow.at_us >= wanted.from_us)
    if wanted.until_us is not None:
        query = query.where(AuditRow.at_us < wanted.until_us)
    return query


async def _known_key(db: AsyncSession, user: str) -> str:
    """The key of a user, or of an erased person as the trail calls them; one that no entry has if there is none."""
    found = await db.execute(select(AuditPersonRow.person_key).where(AuditPersonRow.user_id == user))
    return found.scalar_one_or_none() or user.removeprefix(ERASED)


async def _entries(db: AsyncSession, query: Select[AuditRow, str, str, str]) -> list[Entry]:
    return [_entry(*row) for row in (await db.execute(query)).all()]


def _entry(row: AuditRow, actor: str | None, subject: str | None, address: str | None) -> Entry:
    return Entry(
        at_us=row.at_us,
        action=Action(row.action),
        actor=_actor_of(row, actor),
        subject=_person(row.subject_key, subject),
        target=row.target,
        community_id=row.community_id,
        room_name=row.room_name,
        address=address,
        facts=row.facts,
        entry_id=row.entry_id,
    )


def _actor_of(row: AuditRow, user_id: str | None) -> Actor:
    person = _person(row.actor_key, user_id)
    return person if person is not None else Nobody(row.actor_kind)


def _person(key: str | None, user_id: str | None) -> str | None:
    return user_id if user_id is not None or key is None else f"{ERASED}{key}"
