"""Settings of the recordings room."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MEBIBYTE = 1 << 20


class RecordingSettings(BaseModel):
    """Where recordings lie, how long, and how much of the disk is left to others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(default=Path("var/recordings"), description="one folder each below it")
    retention_days: int = Field(
        default=180, ge=1, le=36500, description="files older than this are deleted, days"
    )
    minimum_free_mib: int = Field(
        default=1024, ge=0, description="recording stops while the disk has less, MiB"
    )

    def recording_folder(self, recording_id: UUID) -> Path:
        return (self.folder / "recordings" / str(recording_id)).resolve()

    def live_folder(self, live_id: UUID) -> Path:
        return (self.folder / "live" / str(live_id)).resolve()
