"""Communities, rooms, roles, members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "communities",
        sa.Column("community_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id"),
    )
    op.create_table(
        "rooms",
        sa.Column("room_name", sa.String(length=255), nullable=False),
        sa.Column("community_id", sa.String(length=255), nullable=False),
        sa.Column("registered_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("room_name"),
    )
    op.create_index("rooms_by_community", "rooms", ["community_id", "room_name"], unique=False)
    op.create_table(
        "roles",
        sa.Column("community_id", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "role"),
    )
    op.create_table(
        "members",
        sa.Column("community_id", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "user_id", "role"),
    )
    op.create_index("members_by_user", "members", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index("members_by_user", "members")
    op.drop_table("members")
    op.drop_table("roles")
    op.drop_index("rooms_by_community", "rooms")
    op.drop_table("rooms")
    op.drop_table("communities")
