"""What the content routes take and give."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class ContentRequestIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    wait: bool = Field(default=False, description="queue behind the holder instead of a refusal")


class ContentLockIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    participant_id: UUID | None = Field(description="the one who may present; null: first come")


class ContentSiteOut(BaseModel):
    participant_id: UUID
    name: str


class ContentOut(BaseModel):
    """Who presents, since when, who waits, and to whom presenting is locked."""

    consultation_id: UUID
    holder: ContentSiteOut | None
    granted_at: AwareDatetime | None
    queue: list[ContentSiteOut]
    locked_to: ContentSiteOut | None
