"""Tables of the security room: accounts, sessions, join tokens and the audit chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from ..database.columns import instant
from ..database.ids import new_id


class AccountRow(SQLModel, table=True):
    """One person's account. Names are stored as typed and compared in lower case."""

    __tablename__ = "account"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    username: str = Field(unique=True, max_length=64)
    display_name: str = Field(max_length=64)
    unit_name: str = Field(default="", max_length=120)
    region_code: str = Field(max_length=12)
    roles: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    password_hash: str = Field(max_length=256)
    password_changed_at: datetime = Field(sa_column=instant())
    failed_attempts: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_enabled: bool = True
    must_change_password: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": "false"},
        description="an administrator made the password: its owner has yet to replace it",
    )
    totp_secret: str | None = Field(
        default=None, max_length=200, description="of the second factor, encrypted; none: none"
    )
    totp_last_step: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, nullable=True),
        description="the newest time step whose code was taken: none is taken twice",
    )
    is_demo: bool = False
    is_drill: bool = False
    created_at: datetime = Field(sa_column=instant())


class SessionRow(SQLModel, table=True):
    """One log-in. Only a digest of the cookie is kept."""

    __tablename__ = "session"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    token_digest: str = Field(unique=True, max_length=64)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    created_at: datetime = Field(sa_column=instant())
    last_seen_at: datetime = Field(sa_column=instant())
    revoked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    remote: str = Field(default="", max_length=64)
    owes: list[str] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False, server_default="[]"),
        description="what its owner must do before he may do anything else: password | totp",
    )
    is_drill: bool = False


class JoinTokenRow(SQLModel, table=True):
    """A link by which somebody without an account joins one consultation."""

    __tablename__ = "join_token"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    token_digest: str = Field(unique=True, max_length=64)
    consultation_id: UUID = Field(index=True)
    participant_id: UUID | None = Field(default=None, index=True)
    team_id: UUID | None = Field(default=None, index=True)
    name: str = Field(max_length=120)
    publish: bool = True
    play: bool = True
    created_at: datetime = Field(sa_column=instant())
    created_by: str = Field(default="", max_length=64)
    expires_at: datetime = Field(sa_column=instant())
    revoked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = False


class AuditRow(SQLModel, table=True):
    """One link of the audit chain. `detail` may be erased later; the chain covers its digest."""

    __tablename__ = "audit"

    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=instant(index=True))
    actor_id: str = Field(max_length=64, index=True)
    actor_kind: str = Field(max_length=16)
    actor_name: str | None = Field(default=None, max_length=120)
    action: str = Field(max_length=64, index=True)
    outcome: str = Field(max_length=16, description="done | refused | failed")
    object_kind: str = Field(default="", max_length=32)
    object_id: str = Field(default="", max_length=64)
    request_id: str = Field(default="", max_length=64)
    remote: str = Field(default="", max_length=64)
    detail: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    detail_digest: str = Field(max_length=64)
    previous_mac: str = Field(max_length=64)
    mac: str = Field(max_length=64)
    is_drill: bool = False


class AuditHeadRow(SQLModel, table=True):
    """The end of the chain, authenticated on its own: cutting the tail off shows."""

    __tablename__ = "audit_head"

    id: int = Field(default=1, primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    chain_mac: str = Field(max_length=64)
    head_mac: str = Field(max_length=64)
    is_drill: bool = False
