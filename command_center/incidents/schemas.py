"""What the incident routes take and give."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from .casualties import FIGURES, Casualties

_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def _plain(text: str) -> str:
    """No control characters and no marks that turn the reading direction; no blanks around."""
    if _CONTROLS.search(text):
        raise PydanticCustomError("text_has_control_characters", "control characters")
    return text.strip()


def _figure_names(names: list[str]) -> list[str]:
    if any(name not in FIGURES for name in names):
        raise PydanticCustomError("figure_unknown", "not a casualty figure")
    return sorted(set(names))


Text = Annotated[str, AfterValidator(_plain)]
Figure = Annotated[int, Field(ge=-(10**15), le=10**15)] | None  # the room judges what is impossible
Tier = Literal["province", "city", "county"]
Level = Literal[1, 2, 3, 4, "standby"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CasualtiesIn(_In):
    """Null is 不详."""

    deaths: Figure = None
    missing: Figure = None
    trapped: Figure = None
    endangered: Figure = None
    serious_injuries: Figure = None
    poisoned_diagnosed: Figure = None
    observed: Figure = None
    seen: Figure = None
    evacuated: Figure = None
    direct_loss_wan: Figure = None

    def figures(self) -> Casualties:
        return Casualties(**self.model_dump())


class ReportIn(_In):
    """A report as the duty desk, a sensor or another system files it."""

    title: Annotated[Text, Field(min_length=1, max_length=200)]
    event_type: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    place_name: Annotated[Text, Field(min_length=1, max_length=500)]
    region_code: str = Field(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")
    longitude: float = Field(ge=73, le=136, description="WGS-84 degrees")
    latitude: float = Field(ge=3, le=54)
    occurred_at: AwareDatetime | None = None
    received_at: AwareDatetime
    sent_at: AwareDatetime | None = None
    reporter_name: Annotated[Text, Field(max_length=120)] = ""
    reporter_phone: Annotated[str, Field(max_length=40, pattern=r"^[0-9+()\- ]*$")] = ""
    channel: Literal["phone", "form", "api", "sensor", "public"]
    signer: Annotated[Text, Field(max_length=60)] = ""
    course: Annotated[Text, Field(max_length=10_000)] = ""
    measures: Annotated[Text, Field(max_length=10_000)] = ""
    casualties: CasualtiesIn = CasualtiesIn()
    pending: Annotated[list[str], Field(max_length=10), AfterValidator(_figure_names)] = []
    is_drill: bool = False


class NoteIn(_In):
    text: Annotated[Text, Field(min_length=1, max_length=4000)]


class ClockDoneIn(_In):
    at: AwareDatetime | None = None
    explanation: Annotated[Text, Field(max_length=1000)] | None = None


class CloseIn(_In):
    grounds: Annotated[Text, Field(min_length=1, max_length=2000)]


class ActivateIn(_In):
    plan_id: UUID
    tier: Tier
    level: Level
    grounds: Annotated[Text, Field(min_length=1, max_length=2000)]
    expected_hours: float = Field(gt=0, le=24 * 30)


class TaskChangeIn(_In):
    state: Literal["todo", "doing", "done"]
    evidence_text: Annotated[Text, Field(max_length=4000)] | None = None


class OrderStepIn(_In):
    note: Annotated[Text, Field(max_length=2000)] | None = None


class DispatchIn(_In):
    objective: Literal["fast", "balanced", "cover"] | None = None


class ConfirmIn(_In):
    line_ids: list[Annotated[str, Field(max_length=64)]] = Field(max_length=200)
    material_ids: list[Annotated[str, Field(max_length=64)]] | None = Field(
        default=None, max_length=200
    )


# --- replies -----------------------------------------------------------------------------


class GradeOut(BaseModel):
    value: Literal["general", "larger", "major", "extraordinary"] | None
    label: str
    criterion: str
    stage: str


class NearAccidentOut(BaseModel):
    recognised: bool
    criteria: list[str]


class ClockOut(BaseModel):
    id: UUID
    label: str
    basis: str
    starts_at: datetime
    due_at: datetime
    done_at: datetime | None
    state: Literal["running", "done", "late", "closed"]
    to_whom: str
    explanation: str | None


class ResponseOut(BaseModel):
    id: UUID
    plan_id: UUID
    plan_name: str
    tier: Tier
    level: int | Literal["standby"]
    declared_by: str
    grounds: str
    from_at: datetime
    expected_until: datetime
    ended_at: datetime | None


class IncidentOut(BaseModel):
    id: UUID
    number: str
    title: str
    event_type: str
    place_name: str
    region_code: str
    region_name: str
    longitude: float
    latitude: float
    occurred_at: datetime | None
    received_at: datetime
    state: Literal["open", "closed"]
    is_drill: bool
    grade: GradeOut
    near_accident: NearAccidentOut
    casualties: dict[str, int | None]
    pending: list[str]
    course: str
    measures: str
    responses: list[ResponseOut]
    clocks: list[ClockOut]
    plan_id: UUID | None
    consultation_id: UUID | None
    created_by: str
    updated_at: datetime


class ReportOut(BaseModel):
    id: UUID
    ordinal: int
    kind: str
    title: str
    event_type: str
    place_name: str
    region_code: str
    longitude: float
    latitude: float
    occurred_at: datetime | None
    received_at: datetime
    sent_at: datetime | None
    reporter_name: str
    reporter_phone: str
    channel: str
    signer: str
    course: str
    measures: str
    casualties: dict[str, int | None]
    pending: list[str]
    grade: str | None
    criterion: str
    created_by: str
    created_at: datetime
    is_drill: bool


class IncidentAndReport(BaseModel):
    incident: IncidentOut
    report: ReportOut


class IncidentsOut(BaseModel):
    items: list[IncidentOut]


class ReportsOut(BaseModel):
    items: list[ReportOut]


class TimelineEntryOut(BaseModel):
    id: UUID
    at: datetime
    kind: str
    actor_name: str
    text: str
    body: dict[str, Any]


class TimelineOut(BaseModel):
    items: list[TimelineEntryOut]


class TaskOut(BaseModel):
    id: UUID
    number: str
    group_code: str
    group_name: str
    text: str
    responsible: str
    due_at: datetime
    depends_on: list[str]
    evidence: str
    clause: str
    state: Literal["todo", "doing", "done", "overdue"]
    is_overdue: bool
    done_at: datetime | None
    done_by: str | None
    evidence_text: str | None


class TasksOut(BaseModel):
    items: list[TaskOut]


class ActivationOut(BaseModel):
    response: ResponseOut
    tasks: list[TaskOut]


class OrderOut(BaseModel):
    id: UUID
    number: str
    incident_id: UUID
    team_id: UUID
    team_name: str
    task_id: UUID | None
    task_text: str
    kind: Literal["order", "request"]
    state: Literal["issued", "received", "accepted", "done", "declined", "cancelled"]
    issued_at: datetime
    issued_by: str
    received_at: datetime | None
    accepted_at: datetime | None
    accepted_by: str | None
    arrived_at: datetime | None
    done_at: datetime | None
    declined_at: datetime | None
    note: str | None
    due_at: datetime | None
    overdue: bool
    is_drill: bool


class OrdersOut(BaseModel):
    items: list[OrderOut]
