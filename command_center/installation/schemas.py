"""What the state of the installation looks like over the API."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ProcessGroupOut(_Out):
    """Processes of one kind; `cpu_pct` is of one core."""

    kind: str
    pids: list[int]
    started_at: AwareDatetime
    memory_mib: int
    cpu_pct: float


class NodeOut(BaseModel):
    """The media node. `used_pct` is of what it promised when it measured the machine."""

    is_connected: bool
    used_pct: int | None = None
    cores: int | None = None
    conferences: int = 0
    legs: int = 0


class GatewayOut(BaseModel):
    """The gateway of SIP and H.323. `halls` have an account, `registered` are here now."""

    is_connected: bool
    calls: int
    registered: int
    halls: int
    banned: int


class DatabaseOut(BaseModel):
    version: str
    schema_revision: str
    size_mib: int


class DiskOut(_Out):
    folder: str
    total_mib: int
    free_mib: int


class SettingOut(BaseModel):
    name: str
    value: str = Field(description="without secrets")
    is_default: bool


class InstallationOut(BaseModel):
    version: str
    python: str
    machine: str
    now: AwareDatetime
    processes: list[ProcessGroupOut]
    node: NodeOut
    gateway: GatewayOut
    database: DatabaseOut
    disks: list[DiskOut]
    settings: list[SettingOut]
