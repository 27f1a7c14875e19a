"""Table of dial plans."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class DialPlanRow(SQLModel, table=True):
    """The rules of one centre. Halls of its region have them after those of nearer centres."""

    __tablename__ = "dial_plan"

    region_code: str = Field(primary_key=True, max_length=12, description="GB/T 2260")
    rules: list[dict[str, Any]] = Field(
        sa_column=Column(JSONB, nullable=False),
        description="[{direction, match, is_whole, strip, add, way, note}]",
    )
    is_drill: bool = False
