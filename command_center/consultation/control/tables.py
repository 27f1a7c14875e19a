"""Tables of the conference desk: what is ordered of each consultation, and what is planned."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from ...database.columns import instant, json_value
from ...database.ids import new_id


class ControlRow(SQLModel, table=True):
    """The desk's orders for one consultation; there is none until the first order.

    Roll call, floor, broadcast and polling lie over each other and over the layout without
    changing it, so that ending one shows what lay beneath, exactly as it was.
    """

    __tablename__ = "consultation_control"
    __table_args__ = (
        CheckConstraint(
            "broadcast IS NULL OR broadcast IN ('site', 'mosaic')",
            name="consultation_broadcast_is_known",
        ),
    )

    consultation_id: UUID = Field(foreign_key="consultation.id", primary_key=True)
    is_locked: bool = False
    arrangement: str | None = Field(default=None, max_length=8, description="of the halls")
    speaker: dict[str, Any] | None = Field(
        default=None,
        sa_column=json_value(nullable=True),
        description="声控切换: sensitivity_db, hold_s",
    )
    chair_layout: dict[str, Any] | None = Field(
        default=None,
        sa_column=json_value(nullable=True),
        description="arrangement, panes, seats, speaker",
    )
    chair_id: UUID | None = Field(default=None, description="participant who holds the token")
    chair_since: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    broadcast: str | None = Field(default=None, max_length=8)
    broadcast_id: UUID | None = None
    roll_call_id: UUID | None = Field(default=None, description="点名: who is called")
    polling: dict[str, Any] | None = Field(
        default=None, sa_column=json_value(nullable=True), description="sites, interval_s, view"
    )
    polling_id: UUID | None = Field(default=None, description="whose turn it is")
    polling_turned_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    overlay: dict[str, Any] | None = Field(default=None, sa_column=json_value(nullable=True))
    floor_mutes_others: bool = False
    redial_limit: int = Field(default=3, description="further tries of 呼叫全部未入会")
    redial_pause_s: int = 20
    attendance_began_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    attendance_ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ends_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ends_by_itself: bool = False
    is_drill: bool = False


class FloorRow(SQLModel, table=True):
    """One request to speak (申请发言) with its end; the queue is the rows that have none."""

    __tablename__ = "consultation_floor"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'granted', 'refused', 'withdrawn', 'ended')",
            name="consultation_floor_state_is_known",
        ),
        Index(
            "consultation_one_floor_request",
            "consultation_id",
            "participant_id",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'granted')"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    consultation_id: UUID = Field(foreign_key="consultation.id", index=True)
    participant_id: UUID = Field(foreign_key="consultation_participant.id")
    origin: str = Field(max_length=8, description="page, key (DTMF), room (H.243) or desk")
    state: str = Field(default="waiting", max_length=12)
    is_exclusive: bool = Field(default=False, description="closes the others' microphones")
    requested_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = False


class AttendanceRow(SQLModel, table=True):
    """会前点名(签到): whether a member answered before the meeting, and who sits there."""

    __tablename__ = "consultation_attendance"
    __table_args__ = (
        CheckConstraint(
            "mark IN ('present', 'absent', 'excused')", name="consultation_attendance_is_known"
        ),
    )

    consultation_id: UUID = Field(foreign_key="consultation.id", primary_key=True)
    participant_id: UUID = Field(foreign_key="consultation_participant.id", primary_key=True)
    mark: str = Field(max_length=8)
    note: str = Field(default="", max_length=200)
    marked_at: datetime = Field(sa_column=instant())
    marked_by: str = Field(max_length=120)
    is_drill: bool = False


class TemplateRow(SQLModel, table=True):
    """模板: members and picture of a meeting that is held again and again."""

    __tablename__ = "consultation_template"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=120)
    title: str = Field(max_length=200)
    region_code: str = Field(default="", max_length=12, index=True)
    members: list[dict[str, Any]] = Field(sa_column=json_value())
    orders: dict[str, Any] = Field(
        sa_column=json_value(), description="arrangement, lock, floor and redial settings"
    )
    made_at: datetime = Field(sa_column=instant())
    made_by: UUID | None = None
    removed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = False


class ReservationRow(SQLModel, table=True):
    """预约: a consultation that opens by itself at its time and dials its members."""

    __tablename__ = "consultation_reservation"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'opened', 'cancelled', 'failed')",
            name="consultation_reservation_state_is_known",
        ),
        Index(
            "consultation_reservation_due",
            "starts_at",
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    title: str = Field(max_length=200)
    starts_at: datetime = Field(sa_column=instant())
    minutes: int
    incident_id: UUID | None = Field(default=None, foreign_key="incident.id")
    template_id: UUID | None = Field(default=None, foreign_key="consultation_template.id")
    region_code: str = Field(default="", max_length=12, index=True)
    dial_number: str = Field(max_length=16, unique=True, description="known when it is announced")
    members: list[dict[str, Any]] = Field(sa_column=json_value())
    orders: dict[str, Any] = Field(sa_column=json_value())
    ends_by_itself: bool = False
    state: str = Field(default="waiting", max_length=12)
    reason_code: str | None = Field(default=None, max_length=64)
    consultation_id: UUID | None = Field(default=None, foreign_key="consultation.id")
    made_at: datetime = Field(sa_column=instant())
    made_by: UUID | None = None
    is_drill: bool = False
