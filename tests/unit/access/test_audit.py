from __future__ import annotations

import asyncio
from itertools import count

import pytest
from tests.support.audit import MemoryAuditRepository, a_trail

from lookback.access.audit import Action, Audit, Entry, Nobody, Selection, came_from
from lookback.access.audit_reading import AuditReading, AuditRetention
from lookback.access.principal import Permission, Principal
from lookback.errors import PermissionDeniedError, ValidationError

DAY_US = 86_400_000_000
AUDITOR = Principal("auditor", token_permissions={None: frozenset({Permission.VIEW_AUDIT})})
OF_C1 = Principal("of-c1", token_permissions={"c1": frozenset({Permission.VIEW_AUDIT})})


async def the_address_of(host: str | None) -> str | None:
    """The address of an entry that a request from there leaves."""
    entries = MemoryAuditRepository()

    async def request() -> None:
        came_from(host)
        await a_trail(entries).record(Action.CLIP_VIEWED, actor="alice")

    await asyncio.create_task(request())
    return entries.entries[0].address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("localhost", None),
        ("", None),
        (None, None),
        ("<script>", None),
        ("1" * 10_000, None),
    ],
)
async def test_an_entry_says_which_address_it_came_from(host: str | None, address: str | None) -> None:
    assert await the_address_of(host) == address


async def test_what_the_server_does_by_itself_comes_from_nowhere() -> None:
    assert await the_address_of("192.0.2.1") is not None
    entries = MemoryAuditRepository()
    await a_trail(entries).record(Action.SESSION_STOPPED, actor=Nobody.SERVER)
    assert entries.entries[0].address is None


async def test_an_entry_is_what_was_recorded_when_the_clock_said() -> None:
    entries, times = MemoryAuditRepository(), count(1_000)
    audit = Audit(entries, lambda: next(times))
    await audit.record(
        Action.QUOTA_CHANGED, actor="a", subject="b", target="t", community_id="c", room_name="r", facts={"x": 1}
    )
    await audit.record(Action.CLIP_VIEWED, actor="a")
    assert entries.entries == [
        Entry(1_000, Action.QUOTA_CHANGED, "a", "b", "t", "c", "r", None, {"x": 1}, 1),
        Entry(1_001, Action.CLIP_VIEWED, "a", entry_id=2),
    ]


# ---- reading


def a_reading(*communities: str | None) -> tuple[AuditReading, MemoryAuditRepository]:
    entries = MemoryAuditRepository()
    for number, community in enumerate(communities, 1):
        entries.entries.append(Entry(number, Action.CLIP_VIEWED, "alice", community_id=community, entry_id=number))
    entries.last_id = len(communities)
    return AuditReading(entries, a_trail(entries)), entries


async def test_auditors_of_the_instance_read_everything() -> None:
    reading, _ = a_reading("c1", "c2", None)
    page, cursor = await reading.page(AUDITOR, Selection(), limit=10, cursor=None)
    assert ([entry.entry_id for entry in page], cursor) == ([3, 2, 1], None)


async def test_auditors_of_a_community_read_its_entries_only() -> None:
    reading, _ = a_reading("c1", "c2", None)
    page, _ = await reading.page(OF_C1, Selection(community_id="c1"), limit=10, cursor=None)
    assert [entry.entry_id for entry in page] == [1]
    for elsewhere in (Selection(), Selection(community_id="c2"), Selection(user="of-c1")):
        with pytest.raises(PermissionDeniedError, match="Permission denied - VIEW_AUDIT"):
            await reading.page(OF_C1, elsewhere, limit=10, cursor=None)
        with pytest.raises(PermissionDeniedError, match="Permission denied - VIEW_AUDIT"):
            await reading.export(OF_C1, elsewhere)


async def test_others_read_nothing() -> None:
    reading, entries = a_reading("c1")
    with pytest.raises(PermissionDeniedError):
        await reading.page(Principal("alice", communities={"c1": ("member",)}), Selection(), limit=1, cursor=None)
    assert len(entries.entries) == 1


async def test_pages_join_by_their_cursors() -> None:
    reading, _ = a_reading(*[None] * 5)
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(3):
        page, cursor = await reading.page(AUDITOR, Selection(), limit=2, cursor=cursor)
        seen += [entry.entry_id for entry in page]
    assert (seen, cursor) == ([5, 4, 3, 2, 1], None)


@pytest.mark.parametrize("cursor", ["x", "-1", "0", "1.5", "²", "9" * 30, " 1"])
async def test_cursors_of_others_are_refused(cursor: str) -> None:
    reading, _ = a_reading(None)
    with pytest.raises(ValidationError, match="The cursor is not one of ours"):
        await reading.page(AUDITOR, Selection(), limit=2, cursor=cursor)


async def test_that_the_trail_was_taken_along_is_in_it() -> None:
    reading, _ = a_reading("c1", "c2")
    taken = [entry async for entry in await reading.export(AUDITOR, Selection(community_id="c1", user="alice"))]
    assert [entry.entry_id for entry in taken] == [1, 3], "with the entry about itself"
    page, _ = await reading.page(AUDITOR, Selection(action=Action.AUDIT_EXPORTED), limit=5, cursor=None)
    assert [(entry.actor, entry.subject, entry.community_id) for entry in page] == [("auditor", "alice", "c1")]


# ---- retention


async def test_old_entries_go_and_the_trail_says_how_many() -> None:
    _, entries = a_reading(None, None, None)
    now_us = 30 * DAY_US + 3
    audit = Audit(entries, lambda: now_us)
    assert await AuditRetention(entries, audit, lambda: now_us, 30).sweep() == 2
    assert [(entry.action, dict(entry.facts)) for entry in entries.entries] == [
        (Action.CLIP_VIEWED, {}),
        (Action.AUDIT_PRUNED, {"entries": 2, "days": 30}),
    ]
    assert await AuditRetention(entries, audit, lambda: now_us, 30).sweep() == 0
    assert len(entries.entries) == 2, "a sweep that removes nothing tells nothing"


async def test_without_a_retention_nothing_ever_goes() -> None:
    _, entries = a_reading(None)
    assert await AuditRetention(entries, a_trail(entries), lambda: 10**18, None).sweep() == 0
    assert len(entries.entries) == 1
