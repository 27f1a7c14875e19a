"""What the routes of coverage studies take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

LostPct = Annotated[int, Field(ge=0, le=90)]


class SweepIn(BaseModel):
    """A study: `draws` throws of chance for each share of teams lost."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    draws: int = Field(default=100, ge=1, le=1000, description="throws per share of teams lost")
    lost_pct: list[LostPct] = Field(default=[0], min_length=1, max_length=6)
    incidents: int = Field(default=2, ge=1, le=10, description="incidents at once")
    tasks_each: int = Field(default=3, ge=1, le=8, description="tasks of each incident")
    closures: int = Field(default=1, ge=0, le=5, description="closed places near each incident")
    golden_minutes: int = Field(default=60, ge=10, le=600)
    seed: int = Field(default=1, ge=0, le=2**31 - 1)


class FirstMinutesOut(BaseModel):
    """Minutes until the first team is at an incident, by nearest rank."""

    p10: int | None
    p25: int | None
    p50: int | None
    p75: int | None
    p90: int | None


class SweepVariantOut(BaseModel):
    """One share of teams lost. `reached_pct`: incidents with a team within the golden time."""

    lost_pct: int
    draws: int
    served_pct: float
    late_pct: float
    reached_pct: float
    first_minutes: FirstMinutesOut
    last_minutes_p90: int | None
    cover_missing: float


class SweepRegionOut(BaseModel):
    """One division where incidents fell, at the smallest share of teams lost."""

    region_code: str
    incidents: int
    reached_pct: float
    first_minutes_p50: int | None


class SweepOut(BaseModel):
    """A study and how far it is."""

    id: UUID
    name: str
    state: Literal["running", "done", "cancelled", "failed"]
    question: SweepIn
    team_count: int
    wanted: int
    made: int
    created_at: datetime
    created_by: str
    finished_at: datetime | None


class SweepResultOut(SweepOut):
    """A study with what its draws say so far."""

    variants: list[SweepVariantOut]
    regions: list[SweepRegionOut]


class SweepsOut(BaseModel):
    items: list[SweepOut]
