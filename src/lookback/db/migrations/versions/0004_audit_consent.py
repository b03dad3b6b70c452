"""The audit trail, which is only added to; consent; erasures and the tokens they revoke.

The triggers are of the tables: whoever rebuilds one of these tables (batch_alter_table on SQLite) makes them again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REFUSED = "the audit trail is only added to"
_ABORT = f"ABORT, '{_REFUSED}'"
# Younger entries nobody removes, whatever the retention is: a day, less an hour for clocks that differ.
_SAFE_SECONDS = 23 * 3600
_TABLES = ("audit_entries", "audit_addresses", "audit_people", "audit_horizon")

# What must hold for a row to go: the conditions under which it may NOT.
_KEPT = "OLD.at_us >= COALESCE((SELECT before_us FROM audit_horizon), 0)"
_NOT_ERASED = (
    "NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.person_key = OLD.person_key AND erasures.done_at_us IS NULL)"
)
_ENTRY_KEPT = (
    "EXISTS (SELECT 1 FROM audit_entries WHERE audit_entries.entry_id = OLD.entry_id"
    " AND audit_entries.at_us >= COALESCE((SELECT before_us FROM audit_horizon), 0))"
)
_DELETES = {
    "audit_entries": _KEPT,
    "audit_addresses": f"{_ENTRY_KEPT} AND {_NOT_ERASED}",
    "audit_people": _NOT_ERASED,
    "audit_horizon": "1 = 1",
}
_KEYS = {"audit_entries": "entry_id", "audit_addresses": "entry_id", "audit_people": "person_key"}


def upgrade() -> None:
    _make_trail()
    _make_consent()
    op.execute("INSERT INTO audit_horizon (horizon_id, before_us) VALUES (1, 0)")
    for statement in _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgresql():
        op.execute(statement)


def _make_trail() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_key", sa.String(length=32), nullable=True),
        sa.Column("subject_key", sa.String(length=32), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("community_id", sa.Text(), nullable=True),
        sa.Column("room_name", sa.Text(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_time", "audit_entries", ["at_us"], unique=False)
    op.create_index("audit_by_action", "audit_entries", ["action", "entry_id"], unique=False)
    op.create_index("audit_by_community", "audit_entries", ["community_id", "entry_id"], unique=False)
    op.create_index("audit_by_actor", "audit_entries", ["actor_key", "entry_id"], unique=False)
    op.create_index("audit_by_subject", "audit_entries", ["subject_key", "entry_id"], unique=False)
    op.create_table(
        "audit_people",
        sa.Column("person_key", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("person_key"),
    )
    op.create_index("audit_people_by_user", "audit_people", ["user_id"], unique=True)
    op.create_table(
        "audit_addresses",
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_key", sa.String(length=32), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_index("audit_addresses_by_person", "audit_addresses", ["person_key"], unique=False)
    op.create_table(
        "audit_horizon",
        sa.Column("horizon_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("horizon_id"),
    )


def _make_consent() -> None:
    op.create_table(
        "consents",
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("room_name", sa.String(length=255), nullable=False),
        sa.Column("buffering", sa.String(length=8), nullable=True),
        sa.Column("auto_start", sa.Boolean(), nullable=True),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "room_name"),
    )
    op.create_table(
        "erasures",
        sa.Column("person_key", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=True),
        sa.Column("begun_at_us", sa.BigInteger(), nullable=False),
        sa.Column("done_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person_key"),
    )
    op.create_index("erasures_by_user", "erasures", ["user_id"], unique=True)
    op.create_table(
        "revocations",
        sa.Column("user_digest", sa.String(length=64), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_digest"),
    )


def _sqlite() -> list[str]:
    now_s = "strftime('%s', 'now')"
    return [
        *(_refusing(table, "changed", "UPDATE") for table in _TABLES if table != "audit_horizon"),
        *(_refusing(table, "deleted", "DELETE", kept) for table, kept in _DELETES.items()),
        # INSERT OR REPLACE deletes what is in its way without asking the trigger of deletions.
        *(_refusing(table, "replaced", "INSERT", _there(table, key)) for table, key in _KEYS.items()),
        # Not refused but left alone: "insert unless there" asks triggers first, too.
        _refusing("audit_people", "renamed", "INSERT", _there("audit_people", "user_id")).replace(_ABORT, "IGNORE"),
        _refusing("audit_horizon", "replaced", "INSERT", "EXISTS (SELECT 1 FROM audit_horizon)"),
        _refusing("audit_horizon", "moved_back", "UPDATE", _moves(now_s)),
    ]


def _refusing(table: str, what: str, event: str, when: str = "1 = 1") -> str:
    refuse = f"BEGIN SELECT RAISE({_ABORT}); END"
    return f"CREATE TRIGGER {table}_not_{what} BEFORE {event} ON {table} WHEN {when} {refuse}"


def _there(table: str, key: str) -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608 - our own names


def _moves(now_s: str) -> str:
    latest = f"({now_s} - {_SAFE_SECONDS}) * 1000000"
    return f"NEW.before_us < OLD.before_us OR NEW.before_us > {latest} OR NEW.horizon_id <> OLD.horizon_id"


def _postgresql() -> list[str]:
    now_s = "extract(epoch FROM clock_timestamp())"
    return [
        _function("audit_refuse", "TRUE"),
        *(_triggered(table, "changed", "UPDATE", "ROW") for table in _TABLES if table != "audit_horizon"),
        *(_triggered(table, "emptied", "TRUNCATE", "STATEMENT") for table in _TABLES),
        # A WHEN clause cannot ask other tables there; a function can.
        *(_function(f"{table}_keep", kept, "OLD") for table, kept in _DELETES.items()),
        *(_triggered(table, "deleted", "DELETE", "ROW", f"{table}_keep") for table in _DELETES),
        _function("audit_horizon_once", "EXISTS (SELECT 1 FROM audit_horizon)"),
        _triggered("audit_horizon", "repeated", "INSERT", "ROW", "audit_horizon_once"),
        _function("audit_horizon_forward", _moves(now_s)),
        _triggered("audit_horizon", "moved_back", "UPDATE", "ROW", "audit_horizon_forward"),
    ]


def _function(name: str, refused: str, otherwise: str = "NEW") -> str:
    body = f"BEGIN IF {refused} THEN RAISE EXCEPTION '{_REFUSED}'; END IF; RETURN {otherwise}; END"
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"


def _triggered(table: str, what: str, event: str, level: str, function: str = "audit_refuse") -> str:
    name = f"{table}_not_{what}"
    return f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {level} EXECUTE FUNCTION {function}()"


def downgrade() -> None:
    for table in ("revocations", "erasures", "consents", "audit_horizon", "audit_addresses", "audit_people"):
        op.drop_table(table)
    op.drop_table("audit_entries")
    if op.get_bind().dialect.name == "postgresql":
        keep = [f"{table}_keep" for table in _DELETES]
        for name in ("audit_refuse", "audit_horizon_once", "audit_horizon_forward", *keep):
            op.execute(f"DROP FUNCTION {name}()")
