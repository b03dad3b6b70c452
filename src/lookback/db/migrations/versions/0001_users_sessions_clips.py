"""Users, sessions, clips."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clips",
        sa.Column("clip_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("room_name", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=True),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("requested_start_us", sa.BigInteger(), nullable=False),
        sa.Column("requested_end_us", sa.BigInteger(), nullable=False),
        sa.Column("delivered_start_us", sa.BigInteger(), nullable=False),
        sa.Column("delivered_end_us", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("container", sa.String(length=8), nullable=False),
        sa.Column("etag", sa.String(length=128), nullable=False),
        sa.Column("storage", sa.String(length=16), nullable=False),
        sa.Column("video_codec", sa.String(length=16), nullable=False),
        sa.Column("audio_codec", sa.String(length=16), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("has_poster", sa.Boolean(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("deleted_at_us", sa.BigInteger(), nullable=True),
        sa.Column("gaps", sa.JSON(), nullable=False),
        sa.Column("renditions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("clip_id"),
    )
    with op.batch_alter_table("clips", schema=None) as batch_op:
        batch_op.create_index("clips_by_user", ["user_id", "created_at_us", "clip_id"], unique=False)
        batch_op.create_index("clips_deleted", ["deleted_at_us"], unique=False)
        batch_op.create_index("clips_once_per_key", ["user_id", "idempotency_key"], unique=True)
        batch_op.create_index("clips_unfinished", ["status", "storage", "has_poster"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("room_name", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=True),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("participant_identity", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("drains_at_us", sa.BigInteger(), nullable=True),
        sa.Column("video_codec", sa.String(length=16), nullable=True),
        sa.Column("audio_codec", sa.String(length=16), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("ice_etag", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("session_id"),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(
            "one_active_session",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('starting', 'recording', 'interrupted')"),
            postgresql_where=sa.text("state IN ('starting', 'recording', 'interrupted')"),
        )
        batch_op.create_index("sessions_by_room", ["room_name", "started_at_us"], unique=False)
        batch_op.create_index("sessions_by_state", ["state"], unique=False)
        batch_op.create_index("sessions_by_user", ["user_id", "started_at_us"], unique=False)

    op.create_table(
        "users",
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("quota_bytes", sa.BigInteger(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
    )


def downgrade() -> None:
    op.drop_table("users")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index("sessions_by_user")
        batch_op.drop_index("sessions_by_state")
        batch_op.drop_index("sessions_by_room")
        batch_op.drop_index(
            "one_active_session",
            sqlite_where=sa.text("state IN ('starting', 'recording', 'interrupted')"),
            postgresql_where=sa.text("state IN ('starting', 'recording', 'interrupted')"),
        )

    op.drop_table("sessions")
    with op.batch_alter_table("clips", schema=None) as batch_op:
        batch_op.drop_index("clips_unfinished")
        batch_op.drop_index("clips_once_per_key")
        batch_op.drop_index("clips_deleted")
        batch_op.drop_index("clips_by_user")

    op.drop_table("clips")
