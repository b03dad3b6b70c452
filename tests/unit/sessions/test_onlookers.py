from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.support.audit import MemoryAuditRepository, a_trail
from tests.support.session_rows import a_row

from lookback.access.audit import Action, Audit, Entry
from lookback.access.principal import Principal
from lookback.errors import StorageUnavailableError
from lookback.sessions.onlookers import Onlookers

HOUR_US = 3_600_000_000
BOB, CAROL = Principal("bob"), Principal("carol")


@dataclass(slots=True)
class Clock:
    now_us: int = 0

    def __call__(self) -> int:
        return self.now_us


class Away(MemoryAuditRepository):
    """A trail that cannot be written."""

    async def add(self, entry: Entry) -> None:
        del entry
        raise StorageUnavailableError("The database does not answer")


async def test_who_looks_at_anothers_buffer_is_told_once_an_hour() -> None:
    entries, clock = MemoryAuditRepository(), Clock()
    onlookers = Onlookers(a_trail(entries), clock)
    for _ in range(50):
        await onlookers.note(BOB, a_row())
    clock.now_us = HOUR_US - 1
    await onlookers.note(BOB, a_row())
    (told,) = entries.entries
    assert (told.action, told.actor, told.subject, told.target, told.room_name) == (
        Action.SESSION_VIEWED,
        "bob",
        "alice",
        "s1",
        "demo",
    )
    clock.now_us = HOUR_US
    await onlookers.note(BOB, a_row())
    assert len(entries.entries) == 2


async def test_each_onlooker_and_each_buffer_counts() -> None:
    entries = MemoryAuditRepository()
    onlookers = Onlookers(a_trail(entries), Clock())
    for who, session in ((BOB, "s1"), (CAROL, "s1"), (BOB, "s2"), (CAROL, "s1")):
        await onlookers.note(who, a_row(session))
    assert [(e.actor, e.target) for e in entries.entries] == [("bob", "s1"), ("carol", "s1"), ("bob", "s2")]


async def test_who_looks_at_their_own_is_nobodys_business() -> None:
    entries = MemoryAuditRepository()
    await Onlookers(a_trail(entries), Clock()).note(Principal("alice"), a_row())
    assert entries.entries == []


async def test_what_cannot_be_told_is_not_shown_and_told_the_next_time() -> None:
    away, clock = Away(), Clock()
    onlookers = Onlookers(Audit(away, clock), clock)
    for _ in range(2):
        with pytest.raises(StorageUnavailableError):
            await onlookers.note(BOB, a_row())
