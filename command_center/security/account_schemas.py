"""What the routes of accounts take and give."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from .permissions import Role
from .repository import Presence
from .tables import AccountRow

REGION = r"^\d{6}(\d{3})?$"


class NewAccountIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    username: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{2,31}$")
    display_name: str = Field(min_length=1, max_length=64)
    unit_name: str = Field(default="", max_length=120)
    region_code: str = Field(pattern=REGION)


class AccountIn(BaseModel):
    """What is not given stays."""

    model_config = ConfigDict(extra="forbid")

    display_name: str | None = Field(default=None, min_length=1, max_length=64)
    unit_name: str | None = Field(default=None, max_length=120)
    region_code: str | None = Field(default=None, pattern=REGION)


class RolesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    roles: list[Role] = Field(max_length=8)


class AccountOut(BaseModel):
    """`locked_until`: after five wrong passwords; `is_enabled`: as an administrator said."""

    id: UUID
    username: str
    display_name: str
    unit_name: str
    region_code: str
    roles: list[str]
    is_enabled: bool
    locked_until: AwareDatetime | None
    must_change_password: bool
    has_totp: bool
    password_changed_at: AwareDatetime
    created_at: AwareDatetime
    open_sessions: int
    last_seen_at: AwareDatetime | None
    is_demo: bool

    @classmethod
    def of(cls, row: AccountRow, now: datetime, seen: Presence | None = None) -> AccountOut:
        seen = seen or Presence()
        is_locked = row.locked_until is not None and row.locked_until > now
        return cls(
            **row.model_dump(include=_SAME),
            locked_until=row.locked_until if is_locked else None,
            has_totp=row.totp_secret is not None,
            open_sessions=seen.open_sessions,
            last_seen_at=seen.last_seen_at,
        )


_SAME = {"id", "username", "display_name", "unit_name", "region_code", "roles", "is_enabled"}
_SAME |= {"must_change_password", "password_changed_at", "created_at", "is_demo"}


class AccountsOut(BaseModel):
    items: list[AccountOut]


class FirstPasswordOut(BaseModel):
    """`password` is told this once: only its digest is kept."""

    account: AccountOut
    password: str
