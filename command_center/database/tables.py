"""Tables of the edge: the outbox of live events and the answers kept for repeated requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class EventRow(SQLModel, table=True):
    """One live event, written in the transaction of the change that it tells.

    Writers take one advisory lock before they insert, so `seq` is the order of commits and a
    reader that has seen N never misses a smaller one.
    """

    __tablename__ = "event"
    __table_args__ = (Index("event_by_type", "type", "at"),)

    seq: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    type: str = Field(max_length=64)
    incident_id: UUID | None = Field(default=None, index=True)
    consultation_id: UUID | None = Field(default=None, index=True)
    region_code: str | None = Field(default=None, max_length=12)
    team_id: UUID | None = None
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    actor: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    body: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    is_drill: bool = False


class IdempotencyRow(SQLModel, table=True):
    """The first answer to a request that carried an Idempotency-Key."""

    __tablename__ = "idempotency_key"

    actor_id: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=128)
    request_digest: str = Field(max_length=64)
    status: int | None = None
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    headers: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, index=True)
    )
    is_drill: bool = False
