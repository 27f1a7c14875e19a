"""The words of the gateway's control wire (same framing as the media node's).

Requests `call.dial`, `call.hangup`, `snapshot`, `source.pardon`; events `call.state`,
`registration`, `call.dtmf`, `source.banned`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CallState(StrEnum):
    DIALLING = "dialling"
    RINGING = "ringing"
    CONNECTED = "connected"
    ENDED = "ended"


class CallResult(StrEnum):
    """How a call ended: typed, so that the roster can say it in plain words."""

    HUNG_UP = "hung_up"  # the far end left
    REMOVED = "removed"  # we hung up
    CANCELLED = "cancelled"  # we gave up before it answered
    BUSY = "busy"  # 486, 600
    DECLINED = "declined"  # 603, 403
    NO_ANSWER = "no_answer"  # rang, not taken (480, 408 after ringing)
    UNREACHABLE = "unreachable"  # no response at all, transport error
    NOT_REGISTERED = "not_registered"  # the account has no contact now
    NOT_FOUND = "not_found"  # 404, 604
    NO_COMMON_CODEC = "no_common_codec"  # 488, 606
    AUTHENTICATION_FAILED = "authentication_failed"
    MEDIA_FAILED = "media_failed"  # the media node refused or closed the leg
    PROTOCOL_ERROR = "protocol_error"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dial(Body):
    """Dial a member into a conference. `leg_id` is minted by the caller and names the call too."""

    type: Literal["call.dial"] = "call.dial"
    leg_id: str
    conference_id: str
    account: str | None = Field(default=None, description="registered account to dial")
    uri: str | None = Field(default=None, description="static address, sip:room@10.1.2.3:5060")
    number: str | None = Field(default=None, description="telephone number, through the trunk")
    name: str = Field(max_length=120, description="caption of the site")
    caller_name: str = Field(default="应急会商", max_length=120)
    caller_number: str = Field(default="9000", max_length=32)
    audio_only: bool = False
    ring_timeout_s: float = Field(default=45.0, gt=0, le=300)


class HangUp(Body):
    type: Literal["call.hangup"] = "call.hangup"
    leg_id: str


class SnapshotGet(Body):
    type: Literal["snapshot"] = "snapshot"


class CallChanged(Body):
    """Event: a call changed state. For dial-in `incoming` is true, `account` the caller."""

    type: Literal["call.state"] = "call.state"
    leg_id: str
    conference_id: str
    state: CallState
    incoming: bool = False
    account: str | None = None
    remote: str = ""
    result: CallResult | None = Field(default=None, description="with ENDED only")
    sip_status: int | None = None
    codecs: list[str] = []


class RegistrationChanged(Body):
    type: Literal["registration"] = "registration"
    account: str
    is_registered: bool
    contact: str | None = None
    user_agent: str | None = None


class DtmfPressed(Body):
    """Event: a room pressed a key and told it by INFO (keys inside RTP come from the node)."""

    type: Literal["call.dtmf"] = "call.dtmf"
    leg_id: str
    conference_id: str
    digit: str


class SourceBanned(Body):
    """Event: an address was shut out for scanning, spraying passwords or flooding: an alarm."""

    type: Literal["source.banned"] = "source.banned"
    host: str
    offence: str
    ban_s: float


class SourcePardon(Body):
    """Request: let a banned address speak again."""

    type: Literal["source.pardon"] = "source.pardon"
    host: str


class GatewaySnapshot(Body):
    calls: list[CallChanged] = []
    registrations: list[RegistrationChanged] = []
    banned: list[str] = []
    counters: dict[str, int] = Field(
        default={}, description="since the start, e.g. malformed messages by code"
    )
