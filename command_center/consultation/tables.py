"""Tables of consultations: the consultation and its roster. Join tokens are security's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Sequence, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from ..database.columns import instant
from ..database.ids import new_id

NUMBER_SEQUENCE = Sequence("consultation_number_seq", metadata=SQLModel.metadata)
DRILL_NUMBER_SEQUENCE = Sequence("consultation_drill_number_seq", metadata=SQLModel.metadata)
DIAL_NUMBER_SEQUENCE = Sequence(
    "consultation_dial_number_seq", start=9001, metadata=SQLModel.metadata
)
DRILL_DIAL_NUMBER_SEQUENCE = Sequence(
    "consultation_drill_dial_number_seq", start=7001, metadata=SQLModel.metadata
)


class ConsultationRow(SQLModel, table=True):
    """One consultation. Drills have their own ranges of numbers and dial numbers."""

    __tablename__ = "consultation"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closed')", name="consultation_state_is_known"),
        CheckConstraint("panes BETWEEN 1 AND 25", name="consultation_panes_are_valid"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: str = Field(max_length=32, unique=True, description="HS-2026-0001, drills YL-HS-...")
    dial_number: str = Field(max_length=16, unique=True, description="halls dial it to enter")
    title: str = Field(max_length=200)
    incident_id: UUID | None = Field(default=None, index=True)
    region_code: str = Field(default="", max_length=12, description="who may see it")
    state: str = Field(default="open", max_length=16, index=True)
    panes: int | None = Field(default=None, description="null: the node chooses")
    seats: list[str | None] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    opened_at: datetime = Field(sa_column=instant())
    opened_by: UUID | None = None
    closed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    closed_by: UUID | None = None
    is_drill: bool = False


class ParticipantRow(SQLModel, table=True):
    """One member of a roster. `leg_id` is its present leg; events of earlier legs are void."""

    __tablename__ = "consultation_participant"
    __table_args__ = (
        Index(
            "consultation_one_row_per_site",
            "consultation_id",
            "site_id",
            unique=True,
            postgresql_where=text("site_id IS NOT NULL AND removed_at IS NULL"),
        ),
        Index(
            "consultation_one_row_per_user",
            "consultation_id",
            "user_id",
            unique=True,
            postgresql_where=text("user_id IS NOT NULL AND removed_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    consultation_id: UUID = Field(foreign_key="consultation.id", index=True)
    ordinal: int = Field(description="order on the roster")
    kind: str = Field(max_length=16)
    protocol: str = Field(max_length=16)
    name: str = Field(max_length=120)
    site_id: UUID | None = Field(default=None, foreign_key="site.id")
    team_id: UUID | None = None
    camera_id: UUID | None = Field(default=None, foreign_key="camera.id")
    user_id: UUID | None = None
    number: str | None = Field(default=None, max_length=32)
    url: str | None = Field(default=None, max_length=2000, description="camera that is not on file")
    state: str = Field(default="not_joined", max_length=16)
    reason_code: str | None = Field(default=None, max_length=64)
    is_wanted: bool = Field(default=False, description="the desk brings it in and keeps it in")
    is_incoming: bool = Field(default=False, description="it dialled us")
    leg_id: str | None = Field(default=None, max_length=36, index=True, unique=True)
    viewer_leg_id: str | None = Field(
        default=None, max_length=36, unique=True, description="a second leg that only plays (WHEP)"
    )
    attempts: int = Field(default=0, description="tries since it was last in")
    redial_limit: int = Field(default=0, description="further tries that the desk asked for")
    redial_pause_s: int = 0
    retry_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    microphone_muted: bool = False
    speaker_muted: bool = False
    is_self_muted: bool = Field(default=False, description="本端闭麦, as the member's page tells")
    watch_id: UUID | None = Field(default=None, description="观看会场: whom it watches alone")
    joined_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    state_changed_at: datetime = Field(sa_column=instant())
    removed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = False
