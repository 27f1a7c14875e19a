"""The conference desk: its orders, floor queue, attendance, templates and reservations.

Revision: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _panes(most: int) -> None:
    """The check of how many panes a picture may have."""
    name = "consultation_panes_are_valid"
    op.drop_constraint(name, "consultation", type_="check")
    op.create_check_constraint(name, "consultation", f"panes BETWEEN 1 AND {most}")


def upgrade() -> None:
    op.create_table(
        "consultation_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("title", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column(
            "members", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "orders", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_consultation_template_region_code"),
        "consultation_template",
        ["region_code"],
        unique=False,
    )
    op.create_table(
        "consultation_control",
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("is_locked", sa.Boolean(), nullable=False),
        sa.Column("arrangement", sqlmodel.AutoString(length=8), nullable=True),
        sa.Column(
            "speaker", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column(
            "chair_layout",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column("chair_id", sa.Uuid(), nullable=True),
        sa.Column("chair_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broadcast", sqlmodel.AutoString(length=8), nullable=True),
        sa.Column("broadcast_id", sa.Uuid(), nullable=True),
        sa.Column("roll_call_id", sa.Uuid(), nullable=True),
        sa.Column(
            "polling", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("polling_id", sa.Uuid(), nullable=True),
        sa.Column("polling_turned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "overlay", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("floor_mutes_others", sa.Boolean(), nullable=False),
        sa.Column("redial_limit", sa.Integer(), nullable=False),
        sa.Column("redial_pause_s", sa.Integer(), nullable=False),
        sa.Column("attendance_began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attendance_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_by_itself", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "broadcast IS NULL OR broadcast IN ('site', 'mosaic')",
            name="consultation_broadcast_is_known",
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
        ),
        sa.PrimaryKeyConstraint("consultation_id"),
    )
    op.create_table(
        "consultation_reservation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("dial_number", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column(
            "members", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "orders", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("ends_by_itself", sa.Boolean(), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("reason_code", sqlmodel.AutoString(length=64), nullable=True),
        sa.Column("consultation_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'opened', 'cancelled', 'failed')",
            name="consultation_reservation_state_is_known",
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["consultation_template.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dial_number"),
    )
    op.create_index(
        "consultation_reservation_due",
        "consultation_reservation",
        ["starts_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        op.f("ix_consultation_reservation_region_code"),
        "consultation_reservation",
        ["region_code"],
        unique=False,
    )
    op.create_table(
        "consultation_attendance",
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("note", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marked_by", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "mark IN ('present', 'absent', 'excused')", name="consultation_attendance_is_known"
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["consultation_participant.id"],
        ),
        sa.PrimaryKeyConstraint("consultation_id", "participant_id"),
    )
    op.create_table(
        "consultation_floor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("is_exclusive", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'granted', 'refused', 'withdrawn', 'ended')",
            name="consultation_floor_state_is_known",
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["consultation_participant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "consultation_one_floor_request",
        "consultation_floor",
        ["consultation_id", "participant_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'granted')"),
    )
    op.create_index(
        op.f("ix_consultation_floor_consultation_id"),
        "consultation_floor",
        ["consultation_id"],
        unique=False,
    )
    for name, kind in (
        ("redial_limit", sa.Integer()),
        ("redial_pause_s", sa.Integer()),
        ("is_self_muted", sa.Boolean()),
    ):
        zero = sa.false() if isinstance(kind, sa.Boolean) else sa.text("0")
        column = sa.Column(name, kind, server_default=zero, nullable=False)
        op.add_column("consultation_participant", column)
        op.alter_column("consultation_participant", name, server_default=None)
    op.add_column("consultation_participant", sa.Column("watch_id", sa.Uuid(), nullable=True))
    _panes(25)


def downgrade() -> None:
    op.execute("UPDATE consultation SET panes = NULL, seats = NULL WHERE panes > 9")
    _panes(9)
    op.drop_column("consultation_participant", "watch_id")
    op.drop_column("consultation_participant", "is_self_muted")
    op.drop_column("consultation_participant", "redial_pause_s")
    op.drop_column("consultation_participant", "redial_limit")
    op.drop_index(op.f("ix_consultation_floor_consultation_id"), table_name="consultation_floor")
    op.drop_index(
        "consultation_one_floor_request",
        table_name="consultation_floor",
        postgresql_where=sa.text("state IN ('waiting', 'granted')"),
    )
    op.drop_table("consultation_floor")
    op.drop_table("consultation_attendance")
    op.drop_index(
        op.f("ix_consultation_reservation_region_code"), table_name="consultation_reservation"
    )
    op.drop_index(
        "consultation_reservation_due",
        table_name="consultation_reservation",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("consultation_reservation")
    op.drop_table("consultation_control")
    op.drop_index(op.f("ix_consultation_template_region_code"), table_name="consultation_template")
    op.drop_table("consultation_template")
