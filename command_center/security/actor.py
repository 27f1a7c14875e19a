"""The actor: who does it. Services receive it and never look up a session themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from .errors import OutsideRegionError, PermissionDeniedError
from .permissions import Permission


class ActorKind(StrEnum):
    USER = "user"
    FIELD_TEAM = "field_team"  # holds a join token
    SYSTEM = "system"  # timers, the gateway, media nodes
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a field team's phone, or the system itself.

    `region_code` limits the rows they see: '440000' sees all of Guangdong, '440200' Shaoguan.
    A field team is limited further to its own `consultation_id` and `team_id`.
    """

    id: str
    name: str
    kind: ActorKind
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    region_code: str = ""
    consultation_id: UUID | None = None
    participant_id: UUID | None = None
    team_id: UUID | None = None
    session_id: UUID | None = None
    can_publish: bool = False
    can_play: bool = False

    def may(self, permission: Permission) -> bool:
        return self.kind is ActorKind.SYSTEM or permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises PermissionDeniedError."""
        if not self.may(permission):
            raise PermissionDeniedError(permission=permission.value)

    @property
    def region_prefix(self) -> str:
        """What the codes of everything they may see begin with; '' sees everything."""
        return region_prefix(self.region_code)

    def covers(self, region_code: str | None) -> bool:
        """Whether a row of this region is theirs to see. A row without region is not."""
        if self.kind is ActorKind.SYSTEM:
            return True
        if self.kind is not ActorKind.USER or region_code is None:
            return False
        return region_code.startswith(self.region_prefix)

    def require_region(self, region_code: str | None) -> None:
        """Raises OutsideRegionError, which the edge shows as not found: rows are not betrayed."""
        if not self.covers(region_code):
            raise OutsideRegionError()

    def as_json(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name, "kind": self.kind.value}


def region_prefix(code: str) -> str:
    """What every code inside a region begins with (GB/T 2260).

    '440000' -> '44', '440200' -> '4402', '440229' -> '440229'.
    """
    if len(code) == 6:
        while code.endswith("00"):
            code = code[:-2]
    return code


SYSTEM = Actor(id="system", name="系统", kind=ActorKind.SYSTEM)
ANONYMOUS = Actor(id="anonymous", name="未登录", kind=ActorKind.ANONYMOUS)
