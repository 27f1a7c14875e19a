"""The words of the gateway's control wire (same framing as the media node's).

Requests `call.dial`, `call.hangup`, `content.decide`, `content.revoke`, `content.offer`,
`conference.tell`, `conference.decide`, `snapshot`, `source.pardon`; events `call.state`,
`registration`, `call.dtmf`, `conference.asked`, `content.requested`, `content.released`,
`self_test.done`, `source.banned`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SrtpPolicy(StrEnum):
    """Whether a room's media are encrypted."""

    OFF = "off"
    PREFERRED = "preferred"  # where the room can
    REQUIRED = "required"  # or there is no call


class BridgeRole(StrEnum):
    """What a site is where it is no room but another MCU: over us, or below us."""

    UPPER = "upper"  # we are one terminal of its conference, and obey it
    LOWER = "lower"  # it is one terminal of ours


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
    NOT_ENCRYPTED = "not_encrypted"  # we agreed on no encryption, and one end demands it
    AUTHENTICATION_FAILED = "authentication_failed"
    MEDIA_FAILED = "media_failed"  # the media node refused or closed the leg
    NODE_AT_CAPACITY = "node_at_capacity"  # the media node carries no leg more
    PROTOCOL_ERROR = "protocol_error"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rung(Body):
    """Where to call next: another line of the same room, or the telephone of who is on duty."""

    account: str | None = None
    uri: str | None = None
    number: str | None = None
    is_same_room: bool = Field(
        default=False,
        description="tried when the room cannot be reached, and in the call when its line is cut",
    )
    audio_only: bool = False
    ring_timeout_s: float = Field(default=45.0, gt=0, le=300)


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
    srtp_policy: SrtpPolicy | None = Field(
        default=None, description="of this room's media; None: as the gateway is set"
    )
    bridge_role: BridgeRole | None = Field(
        default=None, description="H.323: the site is an MCU; None: a room"
    )
    ladder: list[Rung] = Field(
        default=[], max_length=6, description="where to call while nobody took it, in this order"
    )


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
    remote_host: str = Field(default="", description="the address its signalling comes from")
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


class ContentRequested(Body):
    """Event: a room asks to present (BFCP FloorRequest, H.239 presentationTokenRequest).

    It is answered by one `content.decide`. A room that asks again while it holds or waits is told
    what it was told before. A room asks once its content line is negotiated, so that the leg of
    the same id sends content when the token is granted.
    """

    type: Literal["content.requested"] = "content.requested"
    leg_id: str
    conference_id: str
    can_wait: bool = Field(
        default=False, description="BFCP: queue it behind the holder; H.239 has no queue"
    )


class ContentReleased(Body):
    """Event: the room gives the token back or asks no more (BFCP FloorRelease, H.239 release)."""

    type: Literal["content.released"] = "content.released"
    leg_id: str
    conference_id: str


class ContentDecide(Body):
    """Request: the answer to `content.requested`, perhaps sent more than once.

    Granted: BFCP Granted, H.239 acknowledge. Not granted with a place in the queue: BFCP Pending
    with that position, H.239 reject (it has no queue) and, once granted later, nothing. Not
    granted without a place: BFCP Denied, H.239 reject. Unknown leg: `call_unknown`.
    """

    type: Literal["content.decide"] = "content.decide"
    leg_id: str
    granted: bool
    queue_place: int | None = Field(default=None, ge=1, description="1: next; None: not queued")
    holder: str = Field(default="", max_length=120, description="who presents, as the room may say")


class ContentRevoke(Body):
    """Request: the token was taken back (BFCP Revoked, H.239 release and owner from the bridge).

    The room stops sending; it does not answer with `content.released`. A room without the token
    or gone: nothing to do.
    """

    type: Literal["content.revoke"] = "content.revoke"
    leg_id: str


class ContentOffer(Body):
    """Request: another's content comes to this room (`on`), or has ended.

    The gateway opens or closes the room's content line towards it, where it has one; a room
    without one sees content in its main picture and nothing is to be done. Idempotent. `holder`
    is who presents (BFCP FloorStatus).
    """

    type: Literal["content.offer"] = "content.offer"
    leg_id: str
    on: bool
    holder: str = Field(default="", max_length=120)


class ConferenceOrder(StrEnum):
    """What a room may ask or order by H.243; `terminal_id` names whom it is about."""

    CHAIR = "chair"
    CHAIR_RELEASE = "chair_release"
    FLOOR = "floor"
    BROADCAST = "broadcast"  # of the terminal; without one: of itself
    BROADCAST_END = "broadcast_end"
    WATCH = "watch"  # the room itself wants to see the terminal
    WATCH_END = "watch_end"
    DROP = "drop"


class ConferenceAsked(Body):
    """Event: a room or a bridge asks for something by H.243. Answered by `conference.decide`."""

    type: Literal["conference.asked"] = "conference.asked"
    leg_id: str
    conference_id: str
    order: ConferenceOrder
    terminal_id: str | None = None


class ConferenceDecide(Body):
    """Request: whether it was done. A room that is gone, or did not ask: nothing to do."""

    type: Literal["conference.decide"] = "conference.decide"
    leg_id: str
    order: ConferenceOrder
    granted: bool


class ConferenceTerminal(Body):
    """A member as H.243 knows it; `number` is its own as long as the conference lasts."""

    id: str
    number: int = Field(ge=1, le=192)
    name: str = Field(max_length=120)
    leg_id: str | None = Field(default=None, description="None: not in now")


class ConferenceTell(Body):
    """Request: what H.323 rooms are told of their conference, whole each time.

    The gateway sends each room what is new to it. `shown` is whom all are made to see;
    `is_forced`: that or the mosaic is broadcast, and bridges below us are ordered to broadcast us.
    """

    type: Literal["conference.tell"] = "conference.tell"
    conference_id: str
    terminals: list[ConferenceTerminal] = Field(default=[], max_length=192)
    chair: str | None = None
    shown: str | None = None
    is_forced: bool = False
    floor: list[str] = Field(default=[], description="who waits for the floor, in order")


class SelfTestDone(Body):
    """Event: what a hall's self-test found, each time it changes and once more at its end."""

    type: Literal["self_test.done"] = "self_test.done"
    leg_id: str
    account: str
    codes: list[str] = Field(description="good, or what is wrong: no_picture, no_sound, quiet, ...")
    loss_pct: float = 0.0
    video: str = Field(default="", description="1280x720 H264")
    audio: str = ""
    is_final: bool = False


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
    contents: list[str] = Field(
        default=[], description="legs whose rooms hold the content token or wait for it"
    )
    counters: dict[str, int] = Field(
        default={}, description="since the start, e.g. malformed messages by code"
    )
