"""The library: who may see a clip, tags, lists that can be searched; what users use and reserve of their quotas."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BATCH = 1000


def upgrade() -> None:
    op.create_table(
        "clip_entries",
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("clip_id", sa.String(length=64), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=True),
        sa.Column("room_name", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", "created_at_us", "clip_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("clip_entries_by_clip", "clip_entries", ["clip_id"], unique=False)
    op.create_index("clip_entries_by_duration", "clip_entries", ["list_id", "duration_us", "clip_id"], unique=False)
    op.create_index("clip_entries_by_size", "clip_entries", ["list_id", "size_bytes", "clip_id"], unique=False)
    op.create_table(
        "quota_reservations",
        sa.Column("reservation_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reservation_id"),
    )
    op.create_index("quota_reservations_by_user", "quota_reservations", ["user_id"], unique=False)
    with op.batch_alter_table("clips", schema=None) as batch_op:
        batch_op.add_column(sa.Column("user_name", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("sharer_id", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("sharer_name", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("visibility", sa.String(length=16), nullable=False, server_default="private"))
        batch_op.add_column(sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("share_key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("stored_bytes", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.drop_index("clips_by_user")
        batch_op.drop_column("search_text")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("used_bytes", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("last_seen_at_us", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    _fill()
    _drop_defaults()
    with op.batch_alter_table("clips", schema=None) as batch_op:
        batch_op.create_index("clips_by_user", ["user_id", "stored_bytes"], unique=False)
        batch_op.create_index("clips_by_share_key", ["share_key"], unique=True)


def downgrade() -> None:
    op.drop_table("quota_reservations")
    op.drop_table("clip_entries")
    with op.batch_alter_table("users", schema=None) as batch_op:
        for column in ("search_text", "last_seen_at_us", "used_bytes"):
            batch_op.drop_column(column)
    with op.batch_alter_table("clips", schema=None) as batch_op:
        batch_op.drop_index("clips_by_share_key")
        batch_op.drop_index("clips_by_user")
        for column in ("stored_bytes", "share_key", "tags", "visibility", "sharer_name", "sharer_id", "user_name"):
            batch_op.drop_column(column)
        batch_op.add_column(sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
        batch_op.create_index("clips_by_user", ["user_id", "created_at_us", "clip_id"], unique=False)


def _drop_defaults() -> None:
    """New rows say everything themselves."""
    for table, columns in (
        ("clips", ("visibility", "tags", "stored_bytes")),
        ("users", ("used_bytes", "search_text")),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.alter_column(column, server_default=None)


# ---- the rows that there are: tables and rules as they are at this revision


def _fill() -> None:
    connection = op.get_bind()
    meta = sa.MetaData()
    clips, users, entries = (sa.Table(n, meta, autoload_with=connection) for n in ("clips", "users", "clip_entries"))
    used: dict[str, int] = {}
    for clip in _rows(connection, clips, clips.c.clip_id):
        stored = _stored_bytes(clip)
        connection.execute(sa.update(clips).where(clips.c.clip_id == clip["clip_id"]).values(stored_bytes=stored))
        if clip["deleted_at_us"] is None:
            used[clip["user_id"]] = used.get(clip["user_id"], 0) + stored
            connection.execute(sa.insert(entries), _entries(clip))
    for user in _rows(connection, users, users.c.user_id):
        text = f"{_fold(user['user_id'])}\n{_fold(user['name'] or '')}"
        now = {"search_text": text, "used_bytes": used.pop(user["user_id"], 0)}
        connection.execute(sa.update(users).where(users.c.user_id == user["user_id"]).values(**now))
    for user_id, total in used.items():
        new = {"user_id": user_id, "created_at_us": 0, "used_bytes": total, "search_text": f"{_fold(user_id)}\n"}
        connection.execute(sa.insert(users).values(**new))


def _rows(connection: sa.Connection, table: sa.Table, key: sa.Column[str]) -> Iterator[Any]:
    """Every row, some at a time."""
    last = ""
    while rows := connection.execute(sa.select(table).where(key > last).order_by(key).limit(_BATCH)).mappings().all():
        yield from rows
        last = rows[-1][key.name]


def _stored_bytes(clip: Any) -> int:
    video = clip["size_bytes"] if clip["status"] == "ready" else 0
    return int(video + sum(made["size_bytes"] or 0 for made in clip["renditions"] if made["status"] == "ready"))


def _entries(clip: Any) -> list[dict[str, Any]]:
    lists = [f"user:{clip['user_id']}"]
    if clip["community_id"] is not None:
        lists.append(f"community:{clip['community_id']}")
    text = "\n".join((*(_fold(clip[name]) for name in ("title", "room_name", "user_id")), "\x1f\x1f"))
    same = {name: clip[name] for name in ("created_at_us", "clip_id", "size_bytes", "community_id", "room_name")}
    more = {
        "duration_us": clip["delivered_end_us"] - clip["delivered_start_us"],
        "visibility": "private",
        "search_text": text,
    }
    return [{"list_id": list_id, **same, **more} for list_id in lists]


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", plain).split())
