"""What a consultation is made of, independent of database and wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, get_args
from uuid import UUID

from sip_gateway.messages import BridgeRole, SrtpPolicy
from video_bridge.messages import Link


class MemberKind(StrEnum):
    """Who takes part."""

    SITE = "site"  # a hall with a room system
    TEAM = "team"  # a rescue team's phone
    CAMERA = "camera"
    PHONE = "phone"  # anybody with a join link
    OPERATOR = "operator"  # a logged-in user at the console
    TELEPHONE = "telephone"  # an ordinary telephone, sound only


class Protocol(StrEnum):
    WEBRTC = "webrtc"
    SIP = "sip"
    RTSP = "rtsp"
    SYNTHETIC = "synthetic"
    TELEPHONE = "telephone"


class AddressState(StrEnum):
    """How a proposed member can be reached now."""

    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    STATIC = "static"
    CAMERA = "camera"
    PHONE_LINK = "phone_link"


class ParticipantState(StrEnum):
    """未入会, 呼叫中, 振铃, 在会, 中断, 离线, 入会失败, 未注册, 已离会."""

    NOT_JOINED = "not_joined"
    DIALLING = "dialling"
    RINGING = "ringing"
    JOINED = "joined"
    LOST = "lost"
    OFFLINE = "offline"
    FAILED = "failed"
    UNREGISTERED = "unregistered"
    LEFT = "left"


ABSENT = frozenset(
    {
        ParticipantState.NOT_JOINED,
        ParticipantState.OFFLINE,
        ParticipantState.FAILED,
        ParticipantState.UNREGISTERED,
        ParticipantState.LEFT,
    }
)
SIGNALLED = frozenset({Protocol.SIP, Protocol.TELEPHONE})  # reached by the gateway
PULLED = frozenset({Protocol.RTSP, Protocol.SYNTHETIC})  # reached by the node


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one participant stands."""

    state: ParticipantState
    reason_code: str | None = None


def link_of(word: str | None) -> Link:
    """A site's line as the directory has it; a word nobody knows is the internet."""
    return next((link for link in get_args(Link) if link == word), "internet")


def srtp_policy_of(word: str | None) -> SrtpPolicy | None:
    """How a site's media are encrypted as the directory has it; None: as the gateway is set."""
    return SrtpPolicy(word) if word else None


def bridge_role_of(word: str | None) -> BridgeRole | None:
    """What a site is beside a hall, as the directory has it."""
    return BridgeRole(word) if word else None


@dataclass(frozen=True, slots=True)
class Seat:
    """What the desk must know of a participant to give it a leg; ids as on the wires."""

    participant_id: UUID
    consultation_id: UUID
    kind: MemberKind
    protocol: Protocol
    name: str
    state: ParticipantState
    leg_id: str | None
    is_wanted: bool
    url: str | None = None
    account: str | None = None
    uri: str | None = None
    backup_uri: str | None = None  # the hall's other line
    srtp_policy: SrtpPolicy | None = None  # None: as the gateway is set
    bridge_role: BridgeRole | None = None  # it is another MCU and no hall
    ordinal: int = 0  # its place on the roster
    ladder: tuple[Mapping[str, Any], ...] = ()  # whom to ring when nobody answers there
    number: str | None = None
    microphone_muted: bool = False
    speaker_muted: bool = False
    is_self_muted: bool = False
    attempts: int = 0
    retry_at: datetime | None = None
    viewer_leg_id: str | None = None
    changed_at: datetime | None = None
    watch_id: UUID | None = None
    link: Link = "internet"
    max_bitrate_bps: int | None = None  # its line's cap; None: as its kind has it
