"""Find the clips of a session, so that its story can say how many there are."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("clips_by_session", "clips", ["session_id"])


def downgrade() -> None:
    op.drop_index("clips_by_session", "clips")
