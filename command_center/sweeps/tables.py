"""Tables of coverage studies."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from ..database.columns import instant, json_value
from ..database.ids import new_id


class SweepRow(SQLModel, table=True):
    """One study: what was asked, of which teams, and how far it is. `wanted` counts draws."""

    __tablename__ = "sweep"
    __table_args__ = (
        CheckConstraint(
            "state IN ('running', 'done', 'cancelled', 'failed')", name="sweep_state_is_known"
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    state: str = Field(default="running", max_length=12)
    region_code: str = Field(max_length=12, index=True)
    name: str = Field(max_length=80)
    question: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    teams: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_value())
    wanted: int
    created_at: datetime = Field(sa_column=instant())
    created_by: str = Field(max_length=120)
    finished_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = False


class SweepDrawRow(SQLModel, table=True):
    """One draw of a study, written once by whichever worker made it."""

    __tablename__ = "sweep_draw"

    sweep_id: UUID = Field(foreign_key="sweep.id", primary_key=True)
    lost_pct: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    result: dict[str, Any] = Field(default_factory=dict, sa_column=json_value())
    made_at: datetime = Field(sa_column=instant())
