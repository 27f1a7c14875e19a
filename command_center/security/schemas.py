"""What the session routes take and give."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from .permissions import Role, permissions_of
from .tables import AccountRow


class LogInBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128)


class UserOut(BaseModel):
    id: str
    username: str
    display_name: str
    roles: list[str]
    region_code: str
    unit_name: str
    permissions: list[str]

    @classmethod
    def of(cls, row: AccountRow) -> UserOut:
        roles = frozenset(Role(role) for role in row.roles)
        return cls(
            id=str(row.id),
            username=row.username,
            display_name=row.display_name,
            roles=sorted(row.roles),
            region_code=row.region_code,
            unit_name=row.unit_name,
            permissions=sorted(p.value for p in permissions_of(roles)),
        )


class SessionOut(BaseModel):
    user: UserOut
