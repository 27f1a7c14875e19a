"""Tables of the incidents room. Reports, snapshots and timeline entries are never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Sequence, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from ..database.columns import instant, json_value
from ..database.ids import new_id

INCIDENT_NUMBERS = Sequence("incident_number", metadata=SQLModel.metadata)
DRILL_INCIDENT_NUMBERS = Sequence("drill_incident_number", metadata=SQLModel.metadata)
ORDER_NUMBERS = Sequence("order_number", metadata=SQLModel.metadata)
DRILL_ORDER_NUMBERS = Sequence("drill_order_number", metadata=SQLModel.metadata)


class IncidentRow(SQLModel, table=True):
    """One incident as it is known now; how it became so is in its reports and snapshots."""

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closed')", name="incident_state_is_known"),
        Index("incident_newest", "state", "received_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: str = Field(unique=True, max_length=32)
    title: str = Field(max_length=200)
    event_type: str = Field(max_length=40)
    place_name: str = Field(max_length=500)
    region_code: str = Field(max_length=12, index=True)
    region_name: str = Field(default="", max_length=60)
    longitude: float
    latitude: float
    occurred_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    received_at: datetime = Field(sa_column=instant())
    state: str = Field(default="open", max_length=8)
    grade: str | None = Field(default=None, max_length=16)
    grade_label: str = Field(default="", max_length=40)
    grade_criterion: str = Field(default="", max_length=300)
    near_accident: list[str] = Field(default_factory=list, sa_column=json_value())
    casualties: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    pending: list[str] = Field(default_factory=list, sa_column=json_value())
    course: str = Field(default="", max_length=10_000)
    measures: str = Field(default="", max_length=10_000)
    plan_id: UUID | None = None
    consultation_id: UUID | None = None
    created_by: str = Field(max_length=120)
    created_by_id: str = Field(max_length=64)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    closed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = Field(default=False, index=True)


class ReportRow(SQLModel, table=True):
    """One report as it was filed: ordinal 0 is 首报, 1 is 续报一 and so on."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("incident_id", "ordinal", name="report_ordinal_is_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id", index=True)
    ordinal: int
    title: str = Field(max_length=200)
    event_type: str = Field(max_length=40)
    place_name: str = Field(max_length=500)
    region_code: str = Field(max_length=12)
    longitude: float
    latitude: float
    occurred_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    received_at: datetime = Field(sa_column=instant())
    sent_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    reporter_name: str = Field(default="", max_length=120)
    reporter_phone: str = Field(default="", max_length=40)
    channel: str = Field(max_length=16)
    signer: str = Field(max_length=60)
    course: str = Field(default="", max_length=10_000)
    measures: str = Field(default="", max_length=10_000)
    casualties: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    pending: list[str] = Field(default_factory=list, sa_column=json_value())
    created_by: str = Field(max_length=120)
    created_at: datetime = Field(sa_column=instant())
    is_drill: bool = False


class CasualtySnapshotRow(SQLModel, table=True):
    """The figures and the judgement at one moment. A correction adds a row and keeps this one."""

    __tablename__ = "casualty_snapshot"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id", index=True)
    report_id: UUID = Field(foreign_key="report.id")
    at: datetime = Field(sa_column=instant())
    casualties: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    pending: list[str] = Field(default_factory=list, sa_column=json_value())
    grade: str | None = Field(default=None, max_length=16)
    criterion: str = Field(default="", max_length=300)
    near_accident: list[str] = Field(default_factory=list, sa_column=json_value())
    corrects_downwards: bool = False
    is_drill: bool = False


class ClockRow(SQLModel, table=True):
    """One running, finished or closed countdown."""

    __tablename__ = "clock"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id", index=True)
    rule_key: str = Field(max_length=40)
    label: str = Field(max_length=120)
    basis: str = Field(max_length=300)
    to_whom: str = Field(max_length=120)
    starts_at: datetime = Field(sa_column=instant())
    due_at: datetime = Field(sa_column=instant())
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    done_by: str | None = Field(default=None, max_length=120)
    closed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    explanation: str | None = Field(default=None, max_length=1000)
    is_drill: bool = False


class TimelineRow(SQLModel, table=True):
    """One step with its person and time."""

    __tablename__ = "timeline_entry"
    __table_args__ = (Index("timeline_by_incident", "incident_id", "at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id")
    at: datetime = Field(sa_column=instant())
    kind: str = Field(max_length=40)
    actor_id: str = Field(max_length=64)
    actor_name: str = Field(max_length=120)
    text: str = Field(max_length=4000)
    body: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    is_drill: bool = False


class ResponseRow(SQLModel, table=True):
    """A tier's declared response level. Several tiers run at once; levels are not grades."""

    __tablename__ = "response"
    __table_args__ = (
        CheckConstraint("tier IN ('province', 'city', 'county')", name="response_tier_is_known"),
        CheckConstraint("level IN ('1', '2', '3', '4', 'standby')", name="response_level_is_known"),
        Index(
            "one_response_per_tier_and_plan",
            "incident_id",
            "tier",
            "plan_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id", index=True)
    plan_id: UUID
    plan_name: str = Field(max_length=200)
    tier: str = Field(max_length=16)
    level: str = Field(max_length=8)
    declared_by: str = Field(max_length=120)
    declared_by_id: str = Field(max_length=64)
    grounds: str = Field(max_length=2000)
    from_at: datetime = Field(sa_column=instant())
    expected_until: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = False


class TaskRow(SQLModel, table=True):
    """A task card of an activated plan, as this incident works on it."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint("state IN ('todo', 'doing', 'done')", name="task_state_is_known"),
        UniqueConstraint("incident_id", "plan_code", "number", name="task_number_is_once"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id", index=True)
    response_id: UUID = Field(foreign_key="response.id")
    plan_code: str = Field(max_length=64)
    number: str = Field(max_length=32)
    group_code: str = Field(max_length=32)
    group_name: str = Field(max_length=120)
    text: str = Field(max_length=2000)
    responsible: str = Field(max_length=200)
    due_at: datetime = Field(sa_column=instant())
    depends_on: list[str] = Field(default_factory=list, sa_column=json_value())
    evidence: str = Field(default="", max_length=500)
    clause: str = Field(default="", max_length=64)
    skills: list[str] = Field(default_factory=list, sa_column=json_value())
    crew_needed: int = 0
    work_minutes: int = 0
    severity: int = 3
    needs: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_value())
    state: str = Field(default="todo", max_length=8)
    evidence_text: str | None = Field(default=None, max_length=4000)
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    done_by: str | None = Field(default=None, max_length=120)
    is_drill: bool = False


class DispatchProposalRow(SQLModel, table=True):
    """What the optimiser proposed, kept whole: lines, materials, what stayed unassigned and why."""

    __tablename__ = "dispatch_proposal"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id", index=True)
    state: str = Field(default="proposed", max_length=16)
    solver: str = Field(max_length=40)
    created_at: datetime = Field(sa_column=instant())
    created_by: str = Field(max_length=120)
    confirmed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    confirmed_by: str | None = Field(default=None, max_length=120)
    content: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    is_drill: bool = False


class OrderRow(SQLModel, table=True):
    """An order (命令) or a request for help (商请), with each of its times and persons."""

    __tablename__ = "dispatch_order"
    __table_args__ = (
        CheckConstraint("kind IN ('order', 'request')", name="order_kind_is_known"),
        CheckConstraint(
            "state IN ('issued', 'received', 'accepted', 'done', 'declined', 'cancelled')",
            name="order_state_is_known",
        ),
        UniqueConstraint("proposal_id", "line_id", name="proposal_line_is_ordered_once"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: str = Field(unique=True, max_length=32)
    incident_id: UUID = Field(foreign_key="incident.id", index=True)
    proposal_id: UUID | None = Field(default=None, foreign_key="dispatch_proposal.id")
    line_id: str | None = Field(default=None, max_length=64)
    task_id: UUID | None = Field(default=None, index=True)
    task_text: str = Field(max_length=2000)
    team_id: UUID = Field(index=True)
    team_name: str = Field(max_length=200)
    kind: str = Field(max_length=8)
    state: str = Field(default="issued", max_length=12)
    issued_at: datetime = Field(sa_column=instant())
    issued_by: str = Field(max_length=120)
    received_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    received_by: str | None = Field(default=None, max_length=120)
    accepted_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    accepted_by: str | None = Field(default=None, max_length=120)
    arrived_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    arrived_by: str | None = Field(default=None, max_length=120)
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    done_by: str | None = Field(default=None, max_length=120)
    declined_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    declined_by: str | None = Field(default=None, max_length=120)
    note: str | None = Field(default=None, max_length=2000)
    depart_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    due_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    region_code: str = Field(max_length=12)
    is_drill: bool = False
