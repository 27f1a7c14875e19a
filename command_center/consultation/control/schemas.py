"""What the routes of the conference desk take and give."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from video_bridge.messages import Arrangement, SpeakerSwitch, View


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BroadcastIn(_In):
    participant_id: UUID | None = Field(
        default=None, description="the site that all watch; null: 广播多画面"
    )


class MemberChoiceIn(_In):
    participant_id: UUID


class WatchIn(_In):
    participant_id: UUID | None = Field(default=None, description="whom to watch; null: nobody")


class PollingIn(_In):
    participant_ids: list[UUID] = Field(
        default=[], max_length=400, description="in this order; empty: everybody with a picture"
    )
    interval_s: float = Field(default=15.0, ge=2, le=3600)
    view: View = "hall"


class SelfMuteIn(_In):
    is_muted: bool


class SignInIn(_In):
    note: str = Field(default="", max_length=200, description="who sits there")


class AttendanceIn(SignInIn):
    mark: Literal["present", "absent", "excused"]


class ExtendIn(_In):
    minutes: int = Field(ge=1, le=24 * 60)


class OverlayIn(_In):
    """Replaces the whole."""

    banner: str = Field(default="", max_length=60, description="横幅")
    message: str = Field(default="", max_length=120, description="短消息")
    message_until: AwareDatetime | None = Field(default=None, description="null: until taken away")
    clock: bool = Field(default=False, description="in the chair's view only")
    countdown_to: AwareDatetime | None = Field(default=None, description="chair's view only")
    names: bool = Field(default=True, description="名称字幕")


class DeskSettingsIn(_In):
    """null leaves a setting as it is."""

    floor_mutes_others: bool | None = None
    redial_limit: int | None = Field(default=None, ge=0, le=50)
    redial_pause_s: int | None = Field(default=None, ge=5, le=3600)
    ends_by_itself: bool | None = None


class PictureOut(BaseModel):
    """A view: how it is arranged and who sits where."""

    arrangement: Arrangement | None = None
    panes: int | None = None
    seats: list[UUID | None] | None = None
    speaker: SpeakerSwitch | None = None


class BroadcastOut(BaseModel):
    kind: Literal["site", "mosaic"]
    participant_id: UUID | None


class PollingOut(BaseModel):
    participant_ids: list[UUID]
    interval_s: float
    view: View
    participant_id: UUID | None = Field(description="whose turn it is")
    turned_at: AwareDatetime | None


class FloorRequestOut(BaseModel):
    participant_id: UUID
    state: Literal["waiting", "granted"]
    origin: str
    is_exclusive: bool
    requested_at: AwareDatetime
    decided_at: AwareDatetime | None


class AttendanceMarkOut(BaseModel):
    participant_id: UUID
    mark: Literal["present", "absent", "excused"]
    note: str
    marked_at: AwareDatetime
    marked_by: str


class AttendanceOut(BaseModel):
    began_at: AwareDatetime
    ended_at: AwareDatetime | None
    marks: list[AttendanceMarkOut]


class ControlOut(BaseModel):
    """What the desk has ordered."""

    is_locked: bool
    arrangement: Arrangement | None
    speaker: SpeakerSwitch | None
    chair_layout: PictureOut | None = Field(description="null: the chair sees what the halls see")
    chair_id: UUID | None
    chair_since: AwareDatetime | None
    broadcast: BroadcastOut | None
    roll_call_id: UUID | None
    polling: PollingOut | None
    floor: list[FloorRequestOut]
    floor_mutes_others: bool
    redial_limit: int
    redial_pause_s: int
    attendance: AttendanceOut | None
    overlay: OverlayIn
    ends_at: AwareDatetime | None
    ends_by_itself: bool


class AlarmOut(BaseModel):
    """A line that is bad, in plain words."""

    participant_id: UUID
    code: str
    text: str
    since: AwareDatetime


class FloorNameOut(BaseModel):
    participant_id: UUID
    name: str
    state: Literal["waiting", "granted"]


class OwnDeskOut(BaseModel):
    """What a member's own page needs to know of the desk."""

    participant_id: UUID
    microphone_muted: bool = Field(description="会控闭音 or its like is in force")
    muted_by: Literal["desk", "roll_call", "floor"] | None
    is_self_muted: bool
    chair_name: str | None
    is_chair: bool
    floor: Literal["waiting", "granted"] | None
    floor_place: int | None = Field(description="1: next")
    floor_queue: list[FloorNameOut] = Field(description="to the chair only")
    broadcast_name: str | None = Field(description="who is broadcast; empty: 多画面")
    is_called: bool = Field(description="点名: this member is to speak")
    is_attendance_running: bool
    has_signed_in: bool
    message: str
