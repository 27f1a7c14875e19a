"""The first schema: every room's tables, sequences and constraints.

Revision: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    op.execute(sa.schema.CreateSequence(sa.Sequence("consultation_dial_number_seq", start=9001)))
    op.execute(
        sa.schema.CreateSequence(sa.Sequence("consultation_drill_dial_number_seq", start=7001))
    )
    op.execute(sa.schema.CreateSequence(sa.Sequence("consultation_drill_number_seq")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("consultation_number_seq")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("drill_incident_number")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("drill_order_number")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("incident_number")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("order_number")))
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("display_name", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("unit_name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("roles", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("password_hash", sqlmodel.AutoString(length=256), nullable=False),
        sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("actor_kind", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("actor_name", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("action", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("outcome", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("object_kind", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("object_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("request_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("remote", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("detail_digest", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("previous_mac", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("mac", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(op.f("ix_audit_action"), "audit", ["action"], unique=False)
    op.create_index(op.f("ix_audit_actor_id"), "audit", ["actor_id"], unique=False)
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("chain_mac", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("head_mac", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "consultation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("dial_number", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("title", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("panes", sa.Integer(), nullable=True),
        sa.Column(
            "seats", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name="consultation_state_is_known"),
        sa.CheckConstraint("panes BETWEEN 1 AND 9", name="consultation_panes_are_valid"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dial_number"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(
        op.f("ix_consultation_incident_id"), "consultation", ["incident_id"], unique=False
    )
    op.create_index(op.f("ix_consultation_state"), "consultation", ["state"], unique=False)
    op.create_table(
        "depot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("unit_name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("contact_name", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("phone", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name="depot_latitude_is_valid"),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name="depot_longitude_is_valid"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index(op.f("ix_depot_region_code"), "depot", ["region_code"], unique=False)
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("type", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("consultation_id", sa.Uuid(), nullable=True),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(op.f("ix_event_consultation_id"), "event", ["consultation_id"], unique=False)
    op.create_index(op.f("ix_event_incident_id"), "event", ["incident_id"], unique=False)
    op.create_table(
        "expert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=60), nullable=False),
        sa.Column("field", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("unit_name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("phone", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_expert_region_code"), "expert", ["region_code"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("actor_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("key", sqlmodel.AutoString(length=128), nullable=False),
        sa.Column("request_digest", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "key"),
    )
    op.create_index(
        op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("title", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("event_type", sqlmodel.AutoString(length=40), nullable=False),
        sa.Column("place_name", sqlmodel.AutoString(length=500), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("region_name", sqlmodel.AutoString(length=60), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("grade", sqlmodel.AutoString(length=16), nullable=True),
        sa.Column("grade_label", sqlmodel.AutoString(length=40), nullable=False),
        sa.Column("grade_criterion", sqlmodel.AutoString(length=300), nullable=False),
        sa.Column("near_accident", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("casualties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("pending", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("course", sqlmodel.AutoString(length=10000), nullable=False),
        sa.Column("measures", sqlmodel.AutoString(length=10000), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("consultation_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("created_by_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name="incident_state_is_known"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("incident_newest", "incident", ["state", "received_at"], unique=False)
    op.create_index(op.f("ix_incident_is_drill"), "incident", ["is_drill"], unique=False)
    op.create_index(op.f("ix_incident_region_code"), "incident", ["region_code"], unique=False)
    op.create_table(
        "join_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("publish", sa.Boolean(), nullable=False),
        sa.Column("play", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_digest"),
    )
    op.create_index(
        op.f("ix_join_token_consultation_id"), "join_token", ["consultation_id"], unique=False
    )
    op.create_index(
        op.f("ix_join_token_participant_id"), "join_token", ["participant_id"], unique=False
    )
    op.create_index(op.f("ix_join_token_team_id"), "join_token", ["team_id"], unique=False)
    op.create_table(
        "major_hazard",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("enterprise_name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("unit_kind", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("residents_500m", sa.Integer(), nullable=False),
        sa.Column("substances", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("s_value", sa.Float(), nullable=False),
        sa.Column("r_value", sa.Float(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("duty_phone", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint("unit_kind IN ('production', 'storage')", name="major_hazard_kind"),
        sa.CheckConstraint("(level IS NULL) = (s_value < 1)", name="major_hazard_level_follows_s"),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name="major_hazard_level_is_valid"),
        sa.CheckConstraint("residents_500m >= 0", name="major_hazard_residents_not_negative"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index(
        op.f("ix_major_hazard_region_code"), "major_hazard", ["region_code"], unique=False
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("tier", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("line", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("region_name", sqlmodel.AutoString(length=60), nullable=False),
        sa.Column("address", sqlmodel.AutoString(length=500), nullable=False),
        sa.Column("phone", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_organisation_parent_id"), "organisation", ["parent_id"], unique=False)
    op.create_index(
        op.f("ix_organisation_region_code"), "organisation", ["region_code"], unique=False
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("version", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("kind", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("tier", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("event_types", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("issued_by", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("filing_number", sqlmodel.AutoString(length=100), nullable=False),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("summary", sqlmodel.AutoString(length=2000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('overall', 'special', 'department', 'comprehensive', 'on_scene')",
            name="plan_kind_is_known",
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'in_force', 'superseded', 'withdrawn')",
            name="plan_status_is_known",
        ),
        sa.CheckConstraint(
            "tier IN ('province', 'city', 'county', 'town', 'enterprise')",
            name="plan_tier_is_known",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", "version", name="plan_version_is_once"),
    )
    op.create_index(op.f("ix_plan_code"), "plan", ["code"], unique=False)
    op.create_index(op.f("ix_plan_region_code"), "plan", ["region_code"], unique=False)
    op.create_table(
        "sip_account",
        sa.Column("account", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("realm", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("ha1_md5", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("ha1_sha256", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("is_registered", sa.Boolean(), nullable=False),
        sa.Column("contact", sqlmodel.AutoString(length=300), nullable=True),
        sa.Column("user_agent", sqlmodel.AutoString(length=200), nullable=True),
        sa.Column("registration_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "sip_binding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("contact", sqlmodel.AutoString(length=1000), nullable=False),
        sa.Column("transport", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("host", sqlmodel.AutoString(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sqlmodel.AutoString(length=500), nullable=True),
        sa.Column("path", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sip_binding_account"), "sip_binding", ["account"], unique=False)
    op.create_table(
        "team",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("kind", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("unit_name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("skills", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("crew", sa.Integer(), nullable=False),
        sa.Column("vehicles", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("speed_class", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("authority", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("available_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duty_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contact_name", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("phone", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("authority IN ('order', 'request')", name="team_authority_is_known"),
        sa.CheckConstraint(
            "speed_class IN ('light', 'standard', 'heavy')", name="team_speed_class_is_known"
        ),
        sa.CheckConstraint(
            "state IN ('available', 'busy', 'off_duty')", name="team_state_is_known"
        ),
        sa.CheckConstraint("crew > 0", name="team_crew_is_positive"),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name="team_latitude_is_valid"),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name="team_longitude_is_valid"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(op.f("ix_team_region_code"), "team", ["region_code"], unique=False)
    op.create_table(
        "camera",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("url", sqlmodel.AutoString(length=2000), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_camera_organisation_id"), "camera", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_camera_region_code"), "camera", ["region_code"], unique=False)
    op.create_table(
        "clock",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("rule_key", sqlmodel.AutoString(length=40), nullable=False),
        sa.Column("label", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("basis", sqlmodel.AutoString(length=300), nullable=False),
        sa.Column("to_whom", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("explanation", sqlmodel.AutoString(length=1000), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_clock_incident_id"), "clock", ["incident_id"], unique=False)
    op.create_table(
        "dispatch_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("solver", sqlmodel.AutoString(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_dispatch_proposal_incident_id"), "dispatch_proposal", ["incident_id"], unique=False
    )
    op.create_table(
        "plan_card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("number", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("group_code", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("text", sqlmodel.AutoString(length=500), nullable=False),
        sa.Column("responsible", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("deadline_minutes", sa.Integer(), nullable=False),
        sa.Column("depends_on", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("clause", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("tiers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("least_level", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("skills", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("crew_needed", sa.Integer(), nullable=False),
        sa.Column("work_minutes", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("condition", sqlmodel.AutoString(length=500), nullable=False),
        sa.CheckConstraint("crew_needed >= 0", name="plan_card_crew_is_not_negative"),
        sa.CheckConstraint("deadline_minutes > 0", name="plan_card_deadline_is_positive"),
        sa.CheckConstraint("severity BETWEEN 1 AND 5", name="plan_card_severity_is_valid"),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("plan_id", "number", name="plan_card_is_once"),
    )
    op.create_index(op.f("ix_plan_card_plan_id"), "plan_card", ["plan_id"], unique=False)
    op.create_table(
        "plan_clause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("number", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("title", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("text", sqlmodel.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("plan_id", "number", name="plan_clause_is_once"),
    )
    op.create_index(op.f("ix_plan_clause_plan_id"), "plan_clause", ["plan_id"], unique=False)
    op.create_table(
        "plan_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("group_code", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=60), nullable=False),
        sa.Column("role", sqlmodel.AutoString(length=100), nullable=False),
        sa.Column("unit_name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("phone", sqlmodel.AutoString(length=32), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_plan_contact_plan_id"), "plan_contact", ["plan_id"], unique=False)
    op.create_table(
        "plan_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("code", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=60), nullable=False),
        sa.Column("lead_unit", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("members", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("duties", sqlmodel.AutoString(length=2000), nullable=False),
        sa.Column("clause", sqlmodel.AutoString(length=16), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("plan_id", "code", name="plan_group_is_once"),
    )
    op.create_index(op.f("ix_plan_group_plan_id"), "plan_group", ["plan_id"], unique=False)
    op.create_table(
        "plan_indicator",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("expression", sqlmodel.AutoString(length=500), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("reason", sqlmodel.AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_plan_indicator_plan_id"), "plan_indicator", ["plan_id"], unique=False)
    op.create_table(
        "plan_level",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("tier", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("level", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("trigger", sqlmodel.AutoString(length=500), nullable=False),
        sa.Column("trigger_text", sqlmodel.AutoString(length=500), nullable=False),
        sa.Column("declared_by", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("expected_hours", sa.Integer(), nullable=False),
        sa.Column("group_codes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("notify", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("clause", sqlmodel.AutoString(length=16), nullable=False),
        sa.CheckConstraint("level IN ('1', '2', '3', '4', 'standby')", name="plan_level_is_known"),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("plan_id", "tier", "level", name="plan_level_is_once"),
    )
    op.create_index(op.f("ix_plan_level_plan_id"), "plan_level", ["plan_id"], unique=False)
    op.create_table(
        "plan_need",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("card_number", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("item", sqlmodel.AutoString(length=100), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit", sqlmodel.AutoString(length=16), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_plan_need_plan_id"), "plan_need", ["plan_id"], unique=False)
    op.create_table(
        "report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("title", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("event_type", sqlmodel.AutoString(length=40), nullable=False),
        sa.Column("place_name", sqlmodel.AutoString(length=500), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reporter_name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("reporter_phone", sqlmodel.AutoString(length=40), nullable=False),
        sa.Column("channel", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("signer", sqlmodel.AutoString(length=60), nullable=False),
        sa.Column("course", sqlmodel.AutoString(length=10000), nullable=False),
        sa.Column("measures", sqlmodel.AutoString(length=10000), nullable=False),
        sa.Column("casualties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("pending", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident_id", "ordinal", name="report_ordinal_is_once"),
    )
    op.create_index(op.f("ix_report_incident_id"), "report", ["incident_id"], unique=False)
    op.create_table(
        "response",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("plan_name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("tier", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("level", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("declared_by", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("declared_by_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("grounds", sqlmodel.AutoString(length=2000), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "level IN ('1', '2', '3', '4', 'standby')", name="response_level_is_known"
        ),
        sa.CheckConstraint("tier IN ('province', 'city', 'county')", name="response_tier_is_known"),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_response_incident_id"), "response", ["incident_id"], unique=False)
    op.create_index(
        "one_response_per_tier_and_plan",
        "response",
        ["incident_id", "tier", "plan_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remote", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_digest"),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("tier", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("address_kind", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("account", sqlmodel.AutoString(length=64), nullable=True),
        sa.Column("uri", sqlmodel.AutoString(length=200), nullable=True),
        sa.Column("trusted_host", sqlmodel.AutoString(length=64), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account"),
    )
    op.create_index(op.f("ix_site_organisation_id"), "site", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_site_region_code"), "site", ["region_code"], unique=False)
    op.create_index(op.f("ix_site_trusted_host"), "site", ["trusted_host"], unique=False)
    op.create_table(
        "stock_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("depot_id", sa.Uuid(), nullable=False),
        sa.Column("item", sqlmodel.AutoString(length=100), nullable=False),
        sa.Column("unit", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name="stock_quantity_is_not_negative"),
        sa.CheckConstraint(
            "reserved >= 0 AND reserved <= quantity", name="stock_is_not_reserved_twice"
        ),
        sa.ForeignKeyConstraint(
            ["depot_id"],
            ["depot.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("depot_id", "item", name="stock_item_is_once_per_depot"),
    )
    op.create_index(op.f("ix_stock_item_depot_id"), "stock_item", ["depot_id"], unique=False)
    op.create_table(
        "team_assignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("team_number", sa.BigInteger(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.literal_column("int8range(team_number, team_number, '[]')"), "&&"),
            (sa.literal_column("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("state = 'active'"),
            using="gist",
            name="team_is_in_one_place_at_a_time",
        ),
        sa.CheckConstraint(
            "state IN ('active', 'released')", name="team_assignment_state_is_known"
        ),
        sa.CheckConstraint("ends_at > starts_at", name="team_assignment_span_is_positive"),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_team_assignment_order_id"), "team_assignment", ["order_id"], unique=False
    )
    op.create_index(
        op.f("ix_team_assignment_team_id"), "team_assignment", ["team_id"], unique=False
    )
    op.create_index(
        "team_assignment_by_incident", "team_assignment", ["incident_id", "state"], unique=False
    )
    op.create_table(
        "timeline_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sqlmodel.AutoString(length=40), nullable=False),
        sa.Column("actor_id", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("actor_name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("text", sqlmodel.AutoString(length=4000), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("timeline_by_incident", "timeline_entry", ["incident_id", "at"], unique=False)
    op.create_table(
        "casualty_snapshot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("casualties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("pending", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("grade", sqlmodel.AutoString(length=16), nullable=True),
        sa.Column("criterion", sqlmodel.AutoString(length=300), nullable=False),
        sa.Column("near_accident", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("corrects_downwards", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["report.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_casualty_snapshot_incident_id"), "casualty_snapshot", ["incident_id"], unique=False
    )
    op.create_table(
        "consultation_participant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("protocol", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("camera_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("number", sqlmodel.AutoString(length=32), nullable=True),
        sa.Column("url", sqlmodel.AutoString(length=2000), nullable=True),
        sa.Column("state", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("reason_code", sqlmodel.AutoString(length=64), nullable=True),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("is_incoming", sa.Boolean(), nullable=False),
        sa.Column("leg_id", sqlmodel.AutoString(length=36), nullable=True),
        sa.Column("viewer_leg_id", sqlmodel.AutoString(length=36), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("microphone_muted", sa.Boolean(), nullable=False),
        sa.Column("speaker_muted", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"],
            ["camera.id"],
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("viewer_leg_id"),
    )
    op.create_index(
        "consultation_one_row_per_site",
        "consultation_participant",
        ["consultation_id", "site_id"],
        unique=True,
        postgresql_where=sa.text("site_id IS NOT NULL AND removed_at IS NULL"),
    )
    op.create_index(
        "consultation_one_row_per_user",
        "consultation_participant",
        ["consultation_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("user_id IS NOT NULL AND removed_at IS NULL"),
    )
    op.create_index(
        op.f("ix_consultation_participant_consultation_id"),
        "consultation_participant",
        ["consultation_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_consultation_participant_leg_id"),
        "consultation_participant",
        ["leg_id"],
        unique=True,
    )
    op.create_table(
        "dispatch_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("line_id", sqlmodel.AutoString(length=64), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("task_text", sqlmodel.AutoString(length=2000), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("team_name", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("kind", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_by", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_by", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declined_by", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("note", sqlmodel.AutoString(length=2000), nullable=True),
        sa.Column("depart_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("region_code", sqlmodel.AutoString(length=12), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('order', 'request')", name="order_kind_is_known"),
        sa.CheckConstraint(
            "state IN ('issued', 'received', 'accepted', 'done', 'declined', 'cancelled')",
            name="order_state_is_known",
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["dispatch_proposal.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("proposal_id", "line_id", name="proposal_line_is_ordered_once"),
    )
    op.create_index(
        op.f("ix_dispatch_order_incident_id"), "dispatch_order", ["incident_id"], unique=False
    )
    op.create_index(op.f("ix_dispatch_order_task_id"), "dispatch_order", ["task_id"], unique=False)
    op.create_index(op.f("ix_dispatch_order_team_id"), "dispatch_order", ["team_id"], unique=False)
    op.create_table(
        "stock_reservation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stock_item_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=16), nullable=False),
        sa.Column("reserved_by", sqlmodel.AutoString(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('committed', 'deployed', 'released', 'returned')",
            name="stock_reservation_state_is_known",
        ),
        sa.CheckConstraint("quantity > 0", name="stock_reservation_quantity_is_positive"),
        sa.ForeignKeyConstraint(
            ["stock_item_id"],
            ["stock_item.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_stock_reservation_incident_id"), "stock_reservation", ["incident_id"], unique=False
    )
    op.create_index(
        op.f("ix_stock_reservation_stock_item_id"),
        "stock_reservation",
        ["stock_item_id"],
        unique=False,
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("plan_code", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("number", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("group_code", sqlmodel.AutoString(length=32), nullable=False),
        sa.Column("group_name", sqlmodel.AutoString(length=120), nullable=False),
        sa.Column("text", sqlmodel.AutoString(length=2000), nullable=False),
        sa.Column("responsible", sqlmodel.AutoString(length=200), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("depends_on", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence", sqlmodel.AutoString(length=500), nullable=False),
        sa.Column("clause", sqlmodel.AutoString(length=64), nullable=False),
        sa.Column("skills", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("crew_needed", sa.Integer(), nullable=False),
        sa.Column("work_minutes", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("needs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sqlmodel.AutoString(length=8), nullable=False),
        sa.Column("evidence_text", sqlmodel.AutoString(length=4000), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sqlmodel.AutoString(length=120), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state IN ('todo', 'doing', 'done')", name="task_state_is_known"),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.ForeignKeyConstraint(
            ["response_id"],
            ["response.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident_id", "plan_code", "number", name="task_number_is_once"),
    )
    op.create_index(op.f("ix_task_incident_id"), "task", ["incident_id"], unique=False)


def downgrade() -> None:
    """Drop everything."""
    op.drop_index(op.f("ix_task_incident_id"), table_name="task")
    op.drop_table("task")
    op.drop_index(op.f("ix_stock_reservation_stock_item_id"), table_name="stock_reservation")
    op.drop_index(op.f("ix_stock_reservation_incident_id"), table_name="stock_reservation")
    op.drop_table("stock_reservation")
    op.drop_index(op.f("ix_dispatch_order_team_id"), table_name="dispatch_order")
    op.drop_index(op.f("ix_dispatch_order_task_id"), table_name="dispatch_order")
    op.drop_index(op.f("ix_dispatch_order_incident_id"), table_name="dispatch_order")
    op.drop_table("dispatch_order")
    op.drop_index(op.f("ix_consultation_participant_leg_id"), table_name="consultation_participant")
    op.drop_index(
        op.f("ix_consultation_participant_consultation_id"), table_name="consultation_participant"
    )
    op.drop_index(
        "consultation_one_row_per_user",
        table_name="consultation_participant",
        postgresql_where=sa.text("user_id IS NOT NULL AND removed_at IS NULL"),
    )
    op.drop_index(
        "consultation_one_row_per_site",
        table_name="consultation_participant",
        postgresql_where=sa.text("site_id IS NOT NULL AND removed_at IS NULL"),
    )
    op.drop_table("consultation_participant")
    op.drop_index(op.f("ix_casualty_snapshot_incident_id"), table_name="casualty_snapshot")
    op.drop_table("casualty_snapshot")
    op.drop_index("timeline_by_incident", table_name="timeline_entry")
    op.drop_table("timeline_entry")
    op.drop_index("team_assignment_by_incident", table_name="team_assignment")
    op.drop_index(op.f("ix_team_assignment_team_id"), table_name="team_assignment")
    op.drop_index(op.f("ix_team_assignment_order_id"), table_name="team_assignment")
    op.drop_table("team_assignment")
    op.drop_index(op.f("ix_stock_item_depot_id"), table_name="stock_item")
    op.drop_table("stock_item")
    op.drop_index(op.f("ix_site_trusted_host"), table_name="site")
    op.drop_index(op.f("ix_site_region_code"), table_name="site")
    op.drop_index(op.f("ix_site_organisation_id"), table_name="site")
    op.drop_table("site")
    op.drop_index(op.f("ix_session_account_id"), table_name="session")
    op.drop_table("session")
    op.drop_index(
        "one_response_per_tier_and_plan",
        table_name="response",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(op.f("ix_response_incident_id"), table_name="response")
    op.drop_table("response")
    op.drop_index(op.f("ix_report_incident_id"), table_name="report")
    op.drop_table("report")
    op.drop_index(op.f("ix_plan_need_plan_id"), table_name="plan_need")
    op.drop_table("plan_need")
    op.drop_index(op.f("ix_plan_level_plan_id"), table_name="plan_level")
    op.drop_table("plan_level")
    op.drop_index(op.f("ix_plan_indicator_plan_id"), table_name="plan_indicator")
    op.drop_table("plan_indicator")
    op.drop_index(op.f("ix_plan_group_plan_id"), table_name="plan_group")
    op.drop_table("plan_group")
    op.drop_index(op.f("ix_plan_contact_plan_id"), table_name="plan_contact")
    op.drop_table("plan_contact")
    op.drop_index(op.f("ix_plan_clause_plan_id"), table_name="plan_clause")
    op.drop_table("plan_clause")
    op.drop_index(op.f("ix_plan_card_plan_id"), table_name="plan_card")
    op.drop_table("plan_card")
    op.drop_index(op.f("ix_dispatch_proposal_incident_id"), table_name="dispatch_proposal")
    op.drop_table("dispatch_proposal")
    op.drop_index(op.f("ix_clock_incident_id"), table_name="clock")
    op.drop_table("clock")
    op.drop_index(op.f("ix_camera_region_code"), table_name="camera")
    op.drop_index(op.f("ix_camera_organisation_id"), table_name="camera")
    op.drop_table("camera")
    op.drop_index(op.f("ix_team_region_code"), table_name="team")
    op.drop_table("team")
    op.drop_index(op.f("ix_sip_binding_account"), table_name="sip_binding")
    op.drop_table("sip_binding")
    op.drop_table("sip_account")
    op.drop_index(op.f("ix_plan_region_code"), table_name="plan")
    op.drop_index(op.f("ix_plan_code"), table_name="plan")
    op.drop_table("plan")
    op.drop_index(op.f("ix_organisation_region_code"), table_name="organisation")
    op.drop_index(op.f("ix_organisation_parent_id"), table_name="organisation")
    op.drop_table("organisation")
    op.drop_index(op.f("ix_major_hazard_region_code"), table_name="major_hazard")
    op.drop_table("major_hazard")
    op.drop_index(op.f("ix_join_token_team_id"), table_name="join_token")
    op.drop_index(op.f("ix_join_token_participant_id"), table_name="join_token")
    op.drop_index(op.f("ix_join_token_consultation_id"), table_name="join_token")
    op.drop_table("join_token")
    op.drop_index(op.f("ix_incident_region_code"), table_name="incident")
    op.drop_index(op.f("ix_incident_is_drill"), table_name="incident")
    op.drop_index("incident_newest", table_name="incident")
    op.drop_table("incident")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_index(op.f("ix_expert_region_code"), table_name="expert")
    op.drop_table("expert")
    op.drop_index(op.f("ix_event_incident_id"), table_name="event")
    op.drop_index(op.f("ix_event_consultation_id"), table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_depot_region_code"), table_name="depot")
    op.drop_table("depot")
    op.drop_index(op.f("ix_consultation_state"), table_name="consultation")
    op.drop_index(op.f("ix_consultation_incident_id"), table_name="consultation")
    op.drop_table("consultation")
    op.drop_table("audit_head")
    op.drop_index(op.f("ix_audit_at"), table_name="audit")
    op.drop_index(op.f("ix_audit_actor_id"), table_name="audit")
    op.drop_index(op.f("ix_audit_action"), table_name="audit")
    op.drop_table("audit")
    op.drop_table("account")
    op.execute(sa.schema.DropSequence(sa.Sequence("consultation_dial_number_seq")))
    op.execute(sa.schema.DropSequence(sa.Sequence("consultation_drill_dial_number_seq")))
    op.execute(sa.schema.DropSequence(sa.Sequence("consultation_drill_number_seq")))
    op.execute(sa.schema.DropSequence(sa.Sequence("consultation_number_seq")))
    op.execute(sa.schema.DropSequence(sa.Sequence("drill_incident_number")))
    op.execute(sa.schema.DropSequence(sa.Sequence("drill_order_number")))
    op.execute(sa.schema.DropSequence(sa.Sequence("incident_number")))
    op.execute(sa.schema.DropSequence(sa.Sequence("order_number")))
