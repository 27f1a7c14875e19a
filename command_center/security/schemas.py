"""What the session routes take and give."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from .passwords import MAX_AGE
from .permissions import Role, permissions_of
from .tables import AccountRow


class LogInBody(BaseModel):
    """`code` is the second factor's, where the account has one."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128)
    code: str | None = Field(default=None, pattern=r"^\d{6}$")


class PasswordChangeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    old: str = Field(min_length=1, max_length=128)
    new: str = Field(min_length=1, max_length=128)


class TotpProposalOut(BaseModel):
    """A fresh secret to be taken over by an authenticator; it counts once it is confirmed."""

    secret: str
    uri: str
    qr_svg: str


class TotpIn(BaseModel):
    """The proposed secret with a code made of it, and the password again."""

    model_config = ConfigDict(extra="forbid")
    secret: str = Field(pattern=r"^[A-Z2-7]{32}$")
    code: str = Field(pattern=r"^\d{6}$")
    password: str = Field(min_length=1, max_length=128)


class UserOut(BaseModel):
    """`owes` (password, totp) has to be done first; until then there are no permissions."""

    id: str
    username: str
    display_name: str
    roles: list[str]
    region_code: str
    unit_name: str
    permissions: list[str]
    owes: list[str]
    has_totp: bool
    password_days_left: int | None = Field(description="until it must be changed; none: never")

    @classmethod
    def of(cls, row: AccountRow, owes: Sequence[str], now: datetime) -> UserOut:
        roles = frozenset(Role(role) for role in row.roles)
        left = (row.password_changed_at + MAX_AGE - now).days
        return cls(
            id=str(row.id),
            username=row.username,
            display_name=row.display_name,
            roles=sorted(row.roles),
            region_code=row.region_code,
            unit_name=row.unit_name,
            permissions=[] if owes else sorted(p.value for p in permissions_of(roles)),
            owes=list(owes),
            has_totp=row.totp_secret is not None,
            password_days_left=None if row.is_demo else max(0, left),
        )


class SessionOut(BaseModel):
    user: UserOut
