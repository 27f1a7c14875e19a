"""Tables of the plan library: a digital plan is rows, not a document with a link to it.

Ids are UUIDv7. A plan is identified by `code` and `version`; a new version is a new row, so that an
incident keeps pointing at the text that was in force when it was activated. Chapters follow
GB/T 29639-2020. Expressions are written in the small language of `plans.activation.expression`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel
from uuid6 import uuid7


def new_uuid() -> UUID:
    """A UUIDv7 as the standard library's type."""
    return UUID(bytes=uuid7().bytes)


def utc_now() -> datetime:
    return datetime.now(UTC)


def _json_list() -> Any:
    return Column(JSONB, nullable=False)


class PlanRow(SQLModel, table=True):
    """One version of one plan."""

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("code", "version", name="plan_version_is_once"),
        CheckConstraint(
            "kind IN ('overall', 'special', 'department', 'comprehensive', 'on_scene')",
            name="plan_kind_is_known",
        ),
        CheckConstraint(
            "tier IN ('province', 'city', 'county', 'town', 'enterprise')",
            name="plan_tier_is_known",
        ),
        CheckConstraint(
            "status IN ('draft', 'in_force', 'superseded', 'withdrawn')",
            name="plan_status_is_known",
        ),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    code: str = Field(max_length=64, index=True)
    version: str = Field(max_length=32)
    name: str = Field(max_length=200)
    kind: str = Field(
        max_length=16,
        description="government: overall | special | department; "
        "enterprise: comprehensive | special | on_scene",
    )
    tier: str = Field(max_length=16)
    region_code: str = Field(max_length=12, index=True)
    event_types: list[str] = Field(default_factory=list, sa_column=_json_list())
    status: str = Field(default="in_force", max_length=16)
    issued_by: str = Field(default="", max_length=200)
    issued_on: date | None = Field(default=None)
    filing_number: str = Field(default="", max_length=100)
    review_due: date | None = Field(default=None, description="three years after issue")
    summary: str = Field(default="", max_length=2000)
    created_at: datetime = Field(
        default_factory=utc_now, sa_column=Column(DateTime(timezone=True), nullable=False)
    )
    is_demo: bool = Field(default=False)
    is_drill: bool = Field(default=False)


class PlanClauseRow(SQLModel, table=True):
    """One clause of the source document; `number` is the anchor that cards and triggers cite."""

    __tablename__ = "plan_clause"
    __table_args__ = (UniqueConstraint("plan_id", "number", name="plan_clause_is_once"),)

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    plan_id: UUID = Field(foreign_key="plan.id", index=True, ondelete="CASCADE")
    ordinal: int
    number: str = Field(max_length=16, description="5.3.1")
    title: str = Field(max_length=200)
    text: str = Field(default="")


class PlanIndicatorRow(SQLModel, table=True):
    """One sign that the plan fits an incident; the weights of a plan add up to 100."""

    __tablename__ = "plan_indicator"

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    plan_id: UUID = Field(foreign_key="plan.id", index=True, ondelete="CASCADE")
    ordinal: int
    expression: str = Field(max_length=500)
    weight: int
    reason: str = Field(max_length=200, description="said to the operator when it holds")


class PlanLevelRow(SQLModel, table=True):
    """One response level of one tier: who declares it, on which trigger, who is told."""

    __tablename__ = "plan_level"
    __table_args__ = (
        UniqueConstraint("plan_id", "tier", "level", name="plan_level_is_once"),
        CheckConstraint("level IN ('1', '2', '3', '4', 'standby')", name="plan_level_is_known"),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    plan_id: UUID = Field(foreign_key="plan.id", index=True, ondelete="CASCADE")
    tier: str = Field(max_length=16)
    level: str = Field(max_length=8)
    trigger: str = Field(max_length=500, description="expression; empty: by decision only")
    trigger_text: str = Field(max_length=500, description="the same in the words of the plan")
    declared_by: str = Field(max_length=200)
    expected_hours: int = Field(default=12)
    group_codes: list[str] = Field(default_factory=list, sa_column=_json_list())
    notify: list[str] = Field(default_factory=list, sa_column=_json_list())
    clause: str = Field(default="", max_length=16)


class PlanGroupRow(SQLModel, table=True):
    """One working group of the headquarters."""

    __tablename__ = "plan_group"
    __table_args__ = (UniqueConstraint("plan_id", "code", name="plan_group_is_once"),)

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    plan_id: UUID = Field(foreign_key="plan.id", index=True, ondelete="CASCADE")
    ordinal: int
    code: str = Field(max_length=8)
    name: str = Field(max_length=60)
    lead_unit: str = Field(max_length=200)
    members: list[str] = Field(default_factory=list, sa_column=_json_list())
    duties: str = Field(default="", max_length=2000)
    clause: str = Field(default="", max_length=16)


class PlanCardRow(SQLModel, table=True):
    """The template of one task card: who does what by T + minutes, shown by which evidence."""

    __tablename__ = "plan_card"
    __table_args__ = (
        UniqueConstraint("plan_id", "number", name="plan_card_is_once"),
        CheckConstraint("deadline_minutes > 0", name="plan_card_deadline_is_positive"),
        CheckConstraint("crew_needed >= 0", name="plan_card_crew_is_not_negative"),
        CheckConstraint("severity BETWEEN 1 AND 5", name="plan_card_severity_is_valid"),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    plan_id: UUID = Field(foreign_key="plan.id", index=True, ondelete="CASCADE")
    ordinal: int
    number: str = Field(max_length=8)
    group_code: str = Field(max_length=8)
    text: str = Field(max_length=500)
    responsible: str = Field(max_length=200)
    deadline_minutes: int
    depends_on: list[str] = Field(default_factory=list, sa_column=_json_list())
    evidence: str = Field(default="", max_length=200)
    clause: str = Field(max_length=16)
    tiers: list[str] = Field(default_factory=list, sa_column=_json_list())
    least_level: str = Field(
        default="4", max_length=8, description="the card appears from this level upwards"
    )
    skills: list[str] = Field(default_factory=list, sa_column=_json_list())
    crew_needed: int = Field(default=0, description="0: no team is dispatched for this card")
    work_minutes: int = Field(default=60, description="expected work on the spot")
    severity: int = Field(default=3, description="5 is life in danger")
    condition: str = Field(
        default="", max_length=500, description="expression; empty: always part of the plan"
    )


class PlanNeedRow(SQLModel, table=True):
    """Material that one card needs from the depots."""

    __tablename__ = "plan_need"

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    plan_id: UUID = Field(foreign_key="plan.id", index=True, ondelete="CASCADE")
    card_number: str = Field(max_length=8)
    item: str = Field(max_length=100)
    quantity: int
    unit: str = Field(max_length=16)


class PlanContactRow(SQLModel, table=True):
    """Who is called for one group."""

    __tablename__ = "plan_contact"

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    plan_id: UUID = Field(foreign_key="plan.id", index=True, ondelete="CASCADE")
    ordinal: int
    group_code: str = Field(default="", max_length=8)
    name: str = Field(max_length=60)
    role: str = Field(max_length=100)
    unit_name: str = Field(max_length=200)
    phone: str = Field(default="", max_length=32)
