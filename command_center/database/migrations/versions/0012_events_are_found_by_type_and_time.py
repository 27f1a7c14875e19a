"""Events are found by type and time.

Revision: 0012
Revises: 0011
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("event_by_type", "event", ["type", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("event_by_type", table_name="event")
