"""Rooms on LiveKit: which track a session keeps, and whether with the microphone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("track_sid", sa.String(64)))
    op.add_column("sessions", sa.Column("include_microphone", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("sessions_by_track", "sessions", ["track_sid"])


def downgrade() -> None:
    op.drop_index("sessions_by_track", "sessions")
    op.drop_column("sessions", "include_microphone")
    op.drop_column("sessions", "track_sid")
