"""Tables of the resource library: rescue teams, depots, stock and who holds them.

Ids are UUIDv7. Times are timezone-aware UTC. Incidents, tasks and orders belong to rooms above, so
they are referred to by bare id without a foreign key.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlmodel import Field, SQLModel
from uuid6 import uuid7


def new_uuid() -> UUID:
    """A UUIDv7 as the standard library's type."""
    return UUID(bytes=uuid7().bytes)


def utc_now() -> datetime:
    return datetime.now(UTC)


def _instant(*, nullable: bool = False) -> Any:
    return Column(DateTime(timezone=True), nullable=nullable)


class Authority(StrEnum):
    """How a team may be called: 命令 is binding, 商请 may be declined."""

    ORDER = "order"
    REQUEST = "request"


class SpeedClass(StrEnum):
    """What the team drives; the road graph gives each class its own speeds."""

    LIGHT = "light"
    STANDARD = "standard"
    HEAVY = "heavy"


class TeamState(StrEnum):
    """Where a team stands between two jobs."""

    AVAILABLE = "available"
    BUSY = "busy"
    OFF_DUTY = "off_duty"


class AssignmentState(StrEnum):
    """`ACTIVE` blocks the team's time; `RELEASED` keeps the record and frees it."""

    ACTIVE = "active"
    RELEASED = "released"


class ReservationState(StrEnum):
    """EDXL-RM words: commit holds stock, deploy takes it away, return brings it back."""

    COMMITTED = "committed"
    DEPLOYED = "deployed"
    RELEASED = "released"
    RETURNED = "returned"


class Team(SQLModel, table=True):
    """One rescue team at its home place."""

    __tablename__ = "team"
    __table_args__ = (
        CheckConstraint("crew > 0", name="team_crew_is_positive"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="team_longitude_is_valid"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="team_latitude_is_valid"),
        CheckConstraint("authority IN ('order', 'request')", name="team_authority_is_known"),
        CheckConstraint(
            "speed_class IN ('light', 'standard', 'heavy')", name="team_speed_class_is_known"
        ),
        CheckConstraint("state IN ('available', 'busy', 'off_duty')", name="team_state_is_known"),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(), nullable=False, unique=True)
    )
    code: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=200)
    kind: str = Field(default="", max_length=64)
    unit_name: str = Field(default="", max_length=200)
    region_code: str = Field(index=True, max_length=12)
    longitude: float
    latitude: float
    skills: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    crew: int
    vehicles: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False)
    )
    speed_class: str = Field(default=SpeedClass.STANDARD.value, max_length=16)
    authority: str = Field(default=Authority.ORDER.value, max_length=16)
    state: str = Field(default=TeamState.AVAILABLE.value, max_length=16)
    available_from: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    duty_end: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    contact_name: str = Field(default="", max_length=64)
    phone: str = Field(default="", max_length=32)
    is_drill: bool = Field(default=False)
    is_demo: bool = Field(default=False)


class Depot(SQLModel, table=True):
    """One store of rescue materials."""

    __tablename__ = "depot"
    __table_args__ = (
        CheckConstraint("longitude BETWEEN -180 AND 180", name="depot_longitude_is_valid"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="depot_latitude_is_valid"),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    code: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=200)
    unit_name: str = Field(default="", max_length=200)
    region_code: str = Field(index=True, max_length=12)
    longitude: float
    latitude: float
    contact_name: str = Field(default="", max_length=64)
    phone: str = Field(default="", max_length=32)
    is_drill: bool = Field(default=False)
    is_demo: bool = Field(default=False)


class StockItem(SQLModel, table=True):
    """What one depot holds of one item; `reserved` never exceeds `quantity`."""

    __tablename__ = "stock_item"
    __table_args__ = (
        UniqueConstraint("depot_id", "item", name="stock_item_is_once_per_depot"),
        CheckConstraint("quantity >= 0", name="stock_quantity_is_not_negative"),
        CheckConstraint(
            "reserved >= 0 AND reserved <= quantity", name="stock_is_not_reserved_twice"
        ),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    depot_id: UUID = Field(foreign_key="depot.id", index=True)
    item: str = Field(max_length=100)
    unit: str = Field(max_length=16)
    quantity: int
    reserved: int = Field(default=0)
    is_drill: bool = Field(default=False)
    is_demo: bool = Field(default=False)


class StockReservation(SQLModel, table=True):
    """One quantity of one stock item held for one incident."""

    __tablename__ = "stock_reservation"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="stock_reservation_quantity_is_positive"),
        CheckConstraint(
            "state IN ('committed', 'deployed', 'released', 'returned')",
            name="stock_reservation_state_is_known",
        ),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    stock_item_id: UUID = Field(foreign_key="stock_item.id", index=True)
    incident_id: UUID = Field(index=True)
    task_id: UUID | None = Field(default=None)
    quantity: int
    state: str = Field(default=ReservationState.COMMITTED.value, max_length=16)
    reserved_by: str = Field(default="", max_length=100)
    created_at: datetime = Field(default_factory=utc_now, sa_column=_instant())
    closed_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    is_drill: bool = Field(default=False)


class TeamAssignment(SQLModel, table=True):
    """A team's time taken by one task. Two active spans of one team never overlap (F14).

    The team's number stands in for its id in the exclusion constraint, because GiST has an
    overlap operator for integer ranges without any extension.
    """

    __tablename__ = "team_assignment"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="team_assignment_span_is_positive"),
        CheckConstraint("state IN ('active', 'released')", name="team_assignment_state_is_known"),
        ExcludeConstraint(
            (literal_column("int8range(team_number, team_number, '[]')"), "&&"),
            (literal_column("tstzrange(starts_at, ends_at)"), "&&"),
            name="team_is_in_one_place_at_a_time",
            using="gist",
            where=literal_column("state = 'active'"),
        ),
        Index("team_assignment_by_incident", "incident_id", "state"),
    )

    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    team_id: UUID = Field(foreign_key="team.id", index=True)
    team_number: int = Field(sa_column=Column(BigInteger, nullable=False))
    incident_id: UUID
    task_id: UUID | None = Field(default=None)
    order_id: UUID | None = Field(default=None, index=True)
    starts_at: datetime = Field(sa_column=_instant())
    ends_at: datetime = Field(sa_column=_instant())
    state: str = Field(default=AssignmentState.ACTIVE.value, max_length=16)
    created_at: datetime = Field(default_factory=utc_now, sa_column=_instant())
    is_drill: bool = Field(default=False)
