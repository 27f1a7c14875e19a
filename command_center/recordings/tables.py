"""Tables of recordings: the recording, its segments and bookmarks, and live outputs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from ..database.columns import instant
from ..database.ids import new_id


class RecordingRow(SQLModel, table=True):
    """One recording of a consultation; its files lie in a folder named by its id."""

    __tablename__ = "recording"
    __table_args__ = (
        CheckConstraint(
            "state IN ('running', 'stopped', 'expired')", name="recording_state_is_known"
        ),
        Index(
            "one_running_recording_per_consultation",
            "consultation_id",
            unique=True,
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    consultation_id: UUID = Field(foreign_key="consultation.id", index=True)
    title: str = Field(max_length=200)
    state: str = Field(default="running", max_length=16, index=True)
    started_at: datetime = Field(sa_column=instant())
    started_by_name: str = Field(max_length=120)
    stopped_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    alarm_code: str | None = Field(default=None, max_length=64, description="not written now: why")
    alarm_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_drill: bool = False


class SegmentRow(SQLModel, table=True):
    """One closed file. The hashes were made while it was written."""

    __tablename__ = "recording_segment"
    __table_args__ = (
        UniqueConstraint("recording_id", "file_name", name="recording_segment_once"),
        Index("recording_segment_in_order", "recording_id", "source", "sequence"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    recording_id: UUID = Field(foreign_key="recording.id")
    source: str = Field(max_length=80, description="programme, leg:ID or content:ID")
    name: str = Field(default="", max_length=200, description="the site's name")
    sequence: int
    file_name: str = Field(max_length=120)
    codec: str = Field(max_length=16)
    width: int
    height: int
    started_at: datetime = Field(sa_column=instant())
    duration_ms: int
    size_bytes: int
    head_bytes: int
    sha256: str = Field(max_length=64)
    sm3: str = Field(max_length=64)
    is_drill: bool = False


class BookmarkRow(SQLModel, table=True):
    """A moment somebody wants to find again; it stands on the incident's timeline, too."""

    __tablename__ = "recording_bookmark"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    recording_id: UUID = Field(foreign_key="recording.id", index=True)
    at: datetime = Field(sa_column=instant())
    text: str = Field(max_length=200)
    made_by_name: str = Field(max_length=120)
    is_drill: bool = False


class LiveOutputRow(SQLModel, table=True):
    """The programme given out while its consultation lasts."""

    __tablename__ = "live_output"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'stopped')", name="live_output_state_is_known"),
        CheckConstraint("kind IN ('hls', 'rtmp')", name="live_output_kind_is_known"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    consultation_id: UUID = Field(foreign_key="consultation.id", index=True)
    kind: str = Field(max_length=8)
    target: str = Field(
        default="", max_length=1000, description="rtmp: where to; it may hold a key"
    )
    delay_s: float = 0.0
    state: str = Field(default="running", max_length=16, index=True)
    started_at: datetime = Field(sa_column=instant())
    started_by_name: str = Field(max_length=120)
    stopped_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    is_flowing: bool = False
    alarm_code: str | None = Field(default=None, max_length=64)
    is_drill: bool = False
