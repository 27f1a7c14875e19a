"""What the consultation routes take and give."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from video_bridge.messages import Arrangement, Link, SpeakerSwitch, View

from ..incidents.schemas import OrderOut
from .control.schemas import AlarmOut, ControlOut, OwnDeskOut
from .line_in_use import Line, Signalling
from .model import AddressState, MemberKind, ParticipantState, Protocol


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MemberIn(_In):
    """A member to bring in. A site, team or camera is named by its id, others by name."""

    kind: MemberKind
    site_id: UUID | None = None
    team_id: UUID | None = None
    camera_id: UUID | None = None
    name: str | None = Field(default=None, min_length=1, max_length=120)
    number: str | None = Field(default=None, max_length=32, description="telephone")
    url: str | None = Field(default=None, max_length=2000, description="a camera not on file")
    # as a proposal gave them; carried along by clients, of no effect
    ref: str | None = Field(default=None, max_length=120)
    address_state: AddressState | None = None
    reason: str | None = Field(default=None, max_length=500)
    chosen: bool | None = None


class OpenIn(_In):
    title: str = Field(min_length=1, max_length=200)
    members: list[MemberIn] = Field(default=[], max_length=400)


class LayoutIn(_In):
    """多画面 of one view; `arrangement` wins over `panes`."""

    view: View = "hall"
    arrangement: Arrangement | None = None
    panes: int | None = Field(default=None, ge=1, le=25)
    seats: list[UUID | None] | None = Field(default=None, max_length=25)
    speaker: SpeakerSwitch | None = Field(
        default=None, description="声控切换: the loudest site takes the first pane; null: off"
    )


class JoinTokenIn(_In):
    participant_id: UUID | None = None
    name: str | None = Field(default=None, min_length=1, max_length=120)
    publish: bool = True
    play: bool = True
    expires_minutes: int = Field(default=720, ge=1, le=7 * 24 * 60)


class ProposedMemberOut(BaseModel):
    ref: str
    kind: MemberKind
    name: str
    site_id: UUID | None
    team_id: UUID | None
    camera_id: UUID | None
    address_state: AddressState
    reason: str
    chosen: bool
    number: str | None = None


class ProposalOut(BaseModel):
    title: str
    members: list[ProposedMemberOut]


class DirectionOut(BaseModel):
    """One direction of a leg: video where there is video, else sound."""

    codec: str | None = None
    bitrate_bps: int = 0
    loss_pct: float = 0.0
    jitter_ms: float | None = None
    round_trip_ms: float | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    audio_codec: str | None = None
    audio_loss_pct: float | None = None


class ParticipantStatsOut(DirectionOut):
    """What comes from the member on top, and both directions below."""

    level_dbov: int | None = None
    in_: DirectionOut | None = Field(default=None, alias="in")
    out: DirectionOut | None = None

    model_config = ConfigDict(serialize_by_alias=True)


class ParticipantOut(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)
    id: UUID
    kind: MemberKind
    name: str
    protocol: Protocol
    state: ParticipantState
    reason_code: str | None
    reason_text: str | None
    microphone_muted: bool = Field(description="会控闭音, as the desk set it")
    muted_by: Literal["desk", "roll_call", "floor"] | None = Field(
        default=None, description="who keeps its microphone closed now"
    )
    is_self_muted: bool = Field(default=False, description="本端闭麦, as its own page tells")
    speaker_muted: bool
    watch_id: UUID | None = Field(default=None, description="观看会场: whom it watches")
    attempts: int = Field(default=0, description="tries that failed since it was called")
    redial_limit: int = Field(default=0, description="further tries that were asked for")
    retry_at: AwareDatetime | None = None
    has_given_up: bool = Field(default=False, description="no further try: see the reason")
    in_picture: bool
    joined_at: AwareDatetime | None
    stats: ParticipantStatsOut | None
    join_url: str | None = None
    site_id: UUID | None = None
    team_id: UUID | None = None
    camera_id: UUID | None = None
    signalling: Signalling | None = Field(default=None, description="of the call it has now")
    link: Link | None = Field(default=None, description="what kind of line the hall has")
    line: Line | None = Field(default=None, description="which of its lines its call uses")


class LayoutOut(BaseModel):
    panes: int | None
    seats: list[UUID | None] | None
    arrangement: Arrangement | None = None
    speaker: SpeakerSwitch | None = None


class ConsultationOut(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)  # for the figures' `in`
    id: UUID
    number: str
    dial_number: str
    pin: str | None = Field(default=None, description="told to those who control it")
    title: str
    incident_id: UUID | None
    state: str
    is_drill: bool
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    layout: LayoutOut
    control: ControlOut
    alarms: list[AlarmOut] = []
    participants: list[ParticipantOut]


class ConsultationsOut(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)
    items: list[ConsultationOut]


class JoinTokenOut(BaseModel):
    token: str
    join_url: str
    qr_svg: str
    expires_at: AwareDatetime
    participant_id: UUID


class JoinedConsultationOut(BaseModel):
    id: UUID
    title: str
    is_drill: bool
    state: str


class JoinPageOut(BaseModel):
    consultation: JoinedConsultationOut
    name: str
    kind: str
    publish: bool
    play: bool
    state: ParticipantState | None = Field(
        default=None, description="left with reason `removed`: the desk hung up, do not come back"
    )
    reason_code: str | None = None
    desk: OwnDeskOut | None = Field(default=None, description="of a member on the roster")
    orders: list[OrderOut]
