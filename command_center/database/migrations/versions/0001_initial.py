"""The first schema: every room's tables, sequences and constraints.

Revision: 0001
Revises:
"""

from __future__ import annotations

from alembic import op

from command_center.database.metadata import collect_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    collect_tables().create_all(op.get_bind())


def downgrade() -> None:
    collect_tables().drop_all(op.get_bind())
