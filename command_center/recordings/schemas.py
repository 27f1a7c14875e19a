"""What the API of the recordings room takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class StartIn(_In):
    """Nothing to choose: programme, sites and content are recorded."""


class BookmarkIn(_In):
    text: str = Field(min_length=1, max_length=200)


class LiveIn(_In):
    kind: Literal["hls", "rtmp"]
    target: str = Field(default="", max_length=1000, description="rtmp only")
    delay_s: float = Field(default=0.0, ge=0, le=300, allow_inf_nan=False)


class DownloadIn(_In):
    source: str = Field(default="programme", max_length=80)


class BookmarkOut(BaseModel):
    id: UUID
    at: datetime
    offset_ms: int = Field(description="in the film of the programme")
    text: str
    made_by_name: str


class SourceOut(BaseModel):
    """One film of a recording."""

    source: str
    kind: Literal["programme", "site", "content"]
    name: str
    codec: str
    width: int
    height: int
    started_at: datetime
    duration_ms: int
    size_bytes: int
    segments: int
    is_playable: bool = Field(description="in a browser; else download it")


class RecordingOut(BaseModel):
    id: UUID
    consultation_id: UUID
    consultation_number: str
    incident_id: UUID | None
    title: str
    state: Literal["running", "stopped", "expired"]
    started_at: datetime
    stopped_at: datetime | None
    started_by_name: str
    duration_ms: int
    size_bytes: int
    kept_until: datetime | None
    alarm_code: str | None
    alarm_text: str | None
    is_drill: bool


class RecordingDetailOut(RecordingOut):
    sources: list[SourceOut]
    bookmarks: list[BookmarkOut]


class RecordingsOut(BaseModel):
    items: list[RecordingOut]


class DownloadOut(BaseModel):
    source: str
    state: Literal["making", "ready", "failed"]
    file_name: str
    size_bytes: int | None


class VerifiedOut(BaseModel):
    """Which files are not what was written."""

    checked: int
    broken: list[str]


class LiveOutputOut(BaseModel):
    id: UUID
    consultation_id: UUID
    kind: Literal["hls", "rtmp"]
    target: str = Field(description="without its key")
    delay_s: float
    state: Literal["running", "stopped"]
    started_at: datetime
    is_flowing: bool
    alarm_code: str | None
    alarm_text: str | None
    playlist_url: str | None


class LiveOutputsOut(BaseModel):
    items: list[LiveOutputOut]
