"""Tables of the dispatch desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from ..database.columns import instant, json_value
from ..database.ids import new_id


class DispatchPlanRow(SQLModel, table=True):
    """One question to the optimiser and its answers side by side, kept whole."""

    __tablename__ = "dispatch_plan"
    __table_args__ = (
        CheckConstraint(
            "state IN ('solving', 'cancelling', 'ready', 'failed')",
            name="dispatch_plan_state_is_known",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    state: str = Field(default="solving", max_length=12)
    region_code: str = Field(max_length=12, index=True)
    question: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    content: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    created_at: datetime = Field(sa_column=instant())
    created_by: str = Field(max_length=120)
    finished_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = False


class DispatchOverrideRow(SQLModel, table=True):
    """A person's choice of team for one visit of a task; it holds until somebody lifts it."""

    __tablename__ = "dispatch_override"
    __table_args__ = (
        Index(
            "dispatch_override_is_one_at_a_time",
            "task_id",
            "need",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id", index=True)
    task_id: UUID
    need: int = 0
    team_id: UUID
    team_name: str = Field(max_length=200)
    set_at: datetime = Field(sa_column=instant())
    set_by: str = Field(max_length=120)
    lifted_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    lifted_by: str | None = Field(default=None, max_length=120)
    is_drill: bool = False
