"""What the dispatch desk's routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ..incidents import OrderOut

AlternativeName = Literal["first", "insert_only", "balanced", "free"]
Arc = tuple[int, int]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CircleIn(_In):
    """A round area whose roads are closed."""

    longitude: float = Field(ge=73, le=136, description="WGS-84 degrees")
    latitude: float = Field(ge=3, le=54)
    radius_m: int = Field(ge=50, le=50_000)


class PlumeIn(_In):
    """What an incident gives off; the wind is named by where it comes from, 0 = north."""

    incident_id: UUID
    wind_from_deg: int = Field(ge=0, le=359)
    radius_m: int = Field(default=1_000, ge=100, le=20_000)


class PlanIn(_In):
    """Which incidents, under which conditions, compared with which plan before."""

    incident_ids: list[UUID] = Field(min_length=1, max_length=20)
    objective: Literal["fast", "balanced", "cover"] = "balanced"
    closed_roads: list[Arc] = Field(default=[], max_length=200)
    closed_circles: list[CircleIn] = Field(default=[], max_length=20)
    plumes: list[PlumeIn] = Field(default=[], max_length=20)
    lost_team_ids: list[UUID] = Field(default=[], max_length=200)
    previous_plan_id: UUID | None = None
    previous_alternative: AlternativeName | None = None
    seconds: float = Field(default=2.0, ge=0.2, le=60)


class AcceptIn(_In):
    alternative: AlternativeName
    line_ids: list[Annotated[str, Field(max_length=64)]] = Field(max_length=200)
    material_ids: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=200)


class OverrideIn(_In):
    incident_id: UUID
    task_id: UUID
    need: int = Field(default=0, ge=0, le=50)
    team_id: UUID


# --- replies -----------------------------------------------------------------------------


class FiguresOut(BaseModel):
    """Counts, minutes from now, kilometres."""

    served: int
    unserved: int
    late: int
    mean_arrive_minutes: int
    last_arrive_minutes: int
    distance_km: int
    cover_missing: int


class ChangeOut(BaseModel):
    task_id: UUID
    task_text: str
    need: int
    from_team: str | None
    to_team: str | None


class CoverOut(BaseModel):
    """How many available teams of a city should stay at home, and how many do."""

    region_code: str
    wanted: int
    left: int


class PlanLineOut(BaseModel):
    id: str
    incident_id: UUID
    task_id: UUID
    task_text: str
    need: int
    team_id: UUID
    team_name: str
    skills: list[str]
    crew: int
    authority: str
    depart_at: datetime
    arrive_at: datetime
    start_at: datetime
    finish_at: datetime
    travel_minutes: int
    distance_km: float
    route: list[tuple[float, float]]
    reason: str
    runner_up: str | None
    runner_up_cost: int | None
    fallback: str | None = None
    is_override: bool
    is_changed: bool
    is_downwind: bool = False


class PlanLoadOut(BaseModel):
    id: str
    incident_id: UUID
    task_id: UUID
    depot_id: UUID
    depot_name: str
    item: str
    quantity: int
    unit: str
    depart_at: datetime
    arrive_at: datetime
    route: list[tuple[float, float]]


class OpenTaskOut(BaseModel):
    """What no team could be planned for, where, and a true reason."""

    task_id: UUID
    task_text: str
    incident_id: UUID
    longitude: float
    latitude: float
    reason: str


class AlternativeOut(BaseModel):
    name: AlternativeName
    cost: int
    gain: int
    solver: str
    gap: float | None
    note: str | None
    terms: dict[str, int]
    figures: FiguresOut
    changes: list[ChangeOut]
    cover: list[CoverOut]
    lines: list[PlanLineOut]
    materials: list[PlanLoadOut]
    unassigned: list[OpenTaskOut]


class StandingOrderOut(BaseModel):
    """An order already given; no alternative moves it. `delay_minutes`: what closures cost it."""

    order_id: UUID
    number: str
    incident_id: UUID
    task_text: str
    team_id: UUID
    team_name: str
    state: str
    depart_at: datetime
    arrive_at: datetime
    finish_at: datetime
    delay_minutes: int
    is_cut_off: bool
    route: list[tuple[float, float]]


class DispatchPlanOut(BaseModel):
    """Answers side by side; nothing is ordered yet."""

    id: UUID
    state: Literal["solving", "cancelling", "ready", "failed"]
    created_at: datetime
    created_by: str
    finished_at: datetime | None
    is_drill: bool
    question: PlanIn
    alternatives: list[AlternativeOut]
    orders: list[StandingOrderOut]
    accepted: list[str]


class NewestPlanOut(BaseModel):
    plan: DispatchPlanOut | None


class AcceptedOut(BaseModel):
    orders: list[OrderOut]


class OverrideOut(BaseModel):
    id: UUID
    incident_id: UUID
    task_id: UUID
    need: int
    team_id: UUID
    team_name: str
    set_at: datetime
    set_by: str


class OverridesOut(BaseModel):
    items: list[OverrideOut]


class RecommendationOut(BaseModel):
    """A team for one task now. `limits` are words for what stands against it."""

    team_id: UUID
    team_name: str
    authority: str
    arrive_at: datetime | None
    travel_minutes: int
    cost_more: int
    used_for: str | None
    limits: list[str]


class RecommendationsOut(BaseModel):
    items: list[RecommendationOut]


class RoadOut(BaseModel):
    """One stretch of road between two nodes of the road graph."""

    arc: Arc
    name: str
    road_class: str
    is_bridge: bool
    is_tunnel: bool
    length_m: int
    points: list[tuple[float, float]]


class RoadsOut(BaseModel):
    items: list[RoadOut]


def plan_out(row: Any) -> DispatchPlanOut:
    """A stored plan as the desk sees it."""
    return DispatchPlanOut.model_validate(
        {
            **row.model_dump(exclude={"content"}),
            "alternatives": row.content.get("alternatives", []),
            "orders": row.content.get("orders", []),
            "accepted": row.content.get("accepted", []),
        }
    )
