"""Second factor of accounts, first passwords, and what a session owes.

Revision: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "account",
        sa.Column("must_change_password", sa.Boolean(), server_default="false", nullable=False),
    )
    op.add_column(
        "account", sa.Column("totp_secret", sqlmodel.AutoString(length=200), nullable=True)
    )
    op.add_column("account", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.add_column(
        "session",
        sa.Column(
            "owes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
    )


def downgrade() -> None:
    op.drop_column("session", "owes")
    op.drop_column("account", "totp_last_step")
    op.drop_column("account", "totp_secret")
    op.drop_column("account", "must_change_password")
