"""The content token's row: it outlives every process."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class ContentRow(SQLModel, table=True):
    """One a consultation, made at its first use."""

    __tablename__ = "consultation_content"

    consultation_id: UUID = Field(foreign_key="consultation.id", primary_key=True)
    holder_id: UUID | None = Field(
        default=None, foreign_key="consultation_participant.id", description="who presents"
    )
    leg_id: str | None = Field(
        default=None, max_length=36, description="the holder's leg when it was granted"
    )
    granted_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=True)
    )
    queue: list[str] = Field(default=[], sa_column=Column(JSONB, nullable=False))
    locked_to: UUID | None = Field(
        default=None,
        foreign_key="consultation_participant.id",
        description="锁定演示: the one site that may present; null: who comes first",
    )
    is_drill: bool = False
