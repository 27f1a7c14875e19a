"""What the routes of templates and reservations take and give."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ..schemas import MemberIn


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TemplateIn(_In):
    """A template from scratch, or of a consultation as it stands."""

    name: str = Field(min_length=1, max_length=120)
    title: str | None = Field(default=None, min_length=1, max_length=200)
    members: list[MemberIn] = Field(default=[], max_length=400)
    consultation_id: UUID | None = Field(default=None, description="take members and orders of it")
    is_locked: bool = False
    floor_mutes_others: bool = False


class TemplateOut(BaseModel):
    id: UUID
    name: str
    title: str
    members: list[MemberIn]
    orders: dict[str, object]
    made_at: AwareDatetime
    is_drill: bool


class TemplatesOut(BaseModel):
    items: list[TemplateOut]


class ReservationIn(_In):
    title: str = Field(min_length=1, max_length=200)
    starts_at: AwareDatetime
    minutes: int = Field(default=60, ge=1, le=24 * 60)
    members: list[MemberIn] = Field(default=[], max_length=400)
    template_id: UUID | None = Field(default=None, description="its members are added")
    incident_id: UUID | None = None
    ends_by_itself: bool = False
    is_drill: bool = False


class ReservationOut(BaseModel):
    id: UUID
    title: str
    starts_at: AwareDatetime
    minutes: int
    dial_number: str
    incident_id: UUID | None
    template_id: UUID | None
    members: list[MemberIn]
    state: Literal["waiting", "opened", "cancelled", "failed"]
    reason_code: str | None
    reason_text: str | None
    consultation_id: UUID | None
    ends_by_itself: bool
    made_at: AwareDatetime
    is_drill: bool


class ReservationsOut(BaseModel):
    items: list[ReservationOut]
