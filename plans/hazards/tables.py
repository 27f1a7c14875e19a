"""The table of major hazard sources (重大危险源), one row per production or storage unit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from plans.library.tables import new_uuid


class MajorHazardRow(SQLModel, table=True):
    """One unit with its substances and what GB 18218-2018 makes of them.

    `level` is null where S < 1: such a unit is no major hazard and has no level. S and R are kept
    as computed, beside the inputs they follow from.
    """

    __tablename__ = "major_hazard"
    __table_args__ = (
        CheckConstraint("unit_kind IN ('production', 'storage')", name="major_hazard_kind"),
        CheckConstraint("level BETWEEN 1 AND 4", name="major_hazard_level_is_valid"),
        CheckConstraint("residents_500m >= 0", name="major_hazard_residents_not_negative"),
        CheckConstraint("(level IS NULL) = (s_value < 1)", name="major_hazard_level_follows_s"),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    code: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=200)
    enterprise_name: str = Field(max_length=200)
    unit_kind: str = Field(max_length=16)
    region_code: str = Field(index=True, max_length=12)
    longitude: float
    latitude: float
    residents_500m: int
    substances: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False),
        description="[{name, cas, q_tonnes, threshold_tonnes, beta}]",
    )
    s_value: float
    r_value: float | None = Field(default=None)
    level: int | None = Field(default=None)
    duty_phone: str = Field(default="", max_length=32)
    is_demo: bool = Field(default=False)
    is_drill: bool = Field(default=False)
