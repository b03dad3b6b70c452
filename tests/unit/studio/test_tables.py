"""Nothing of the database is shown that nobody has decided about."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import inspect

from lookback.access.roles import Permission
from lookback.db.models import Base
from lookback.studio.tables import NEVER, TABLES, Table

MODELS = {mapper.class_ for mapper in Base.registry.mappers}
# What a key, a secret or its likeness is called. A sha256 is of bytes that whoever may see the clip has anyway.
SECRET = re.compile(r"key|secret|digest|etag|token|password|address|search|hash")


def test_every_table_is_shown_or_never() -> None:
    shown = {table.row for table in TABLES}
    assert shown | set(NEVER) == MODELS, "decide about a new table in studio/tables.py"
    assert shown & set(NEVER) == set()
    assert len(TABLES) == len(shown) > 10


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_shown_or_never(table: Table) -> None:
    columns = set(inspect(table.row).columns.keys())
    assert {*table.shown, *table.never} == columns, "decide about a new column in studio/tables.py"
    assert set(table.shown) & set(table.never) == set()
    assert len(set(table.shown)) == len(table.shown)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_column_that_is_shown_is_called_like_a_secret(table: Table) -> None:
    assert [name for name in table.shown if SECRET.search(name)] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_names_a_row_is_shown(table: Table) -> None:
    """It stands in the address and the heading of the row's page."""
    assert {column.name for column in inspect(table.row).primary_key} <= set(table.shown)
    assert table.newest_by is None or table.newest_by in table.shown


def test_who_the_keys_of_the_trail_are_is_never_shown() -> None:
    assert {row.__tablename__ for row in NEVER} == {
        *("audit_people", "audit_addresses", "erasures", "revocations", "clip_entries"),
    }


def test_the_trail_needs_the_right_to_read_the_trail() -> None:
    needs = {table.name: table.needs for table in TABLES}
    assert needs.pop("audit_entries") == needs.pop("audit_horizon") == Permission.VIEW_AUDIT
    assert set(needs.values()) == {Permission.MANAGE_REPLAY_LIMITS}
