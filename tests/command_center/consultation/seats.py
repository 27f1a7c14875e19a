"""Builders for the tests of this room."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from command_center.consultation.control.staging import Scene, words_for
from command_center.consultation.model import MemberKind, ParticipantState, Protocol, Seat
from command_center.consultation.reconcile import Mirror, NodeLeg, Wanted
from sip_gateway.messages import CallChanged, CallState
from video_bridge.messages import LegState

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
CONSULTATION = UUID(int=1)


def seat(number: int, protocol: Protocol = Protocol.SYNTHETIC, **changes: Any) -> Seat:
    kinds = {
        Protocol.SYNTHETIC: MemberKind.CAMERA,
        Protocol.RTSP: MemberKind.CAMERA,
        Protocol.SIP: MemberKind.SITE,
        Protocol.WEBRTC: MemberKind.PHONE,
        Protocol.TELEPHONE: MemberKind.TELEPHONE,
    }
    values: dict[str, Any] = {
        "participant_id": UUID(int=number),
        "consultation_id": CONSULTATION,
        "kind": kinds[protocol],
        "protocol": protocol,
        "name": f"member {number}",
        "state": ParticipantState.DIALLING,
        "leg_id": f"leg-{number}",
        "is_wanted": True,
        **changes,
    }
    return Seat(**values)


def wanted(*members: Seat, **changes: Any) -> Wanted:
    values: dict[str, Any] = {
        "consultation_id": CONSULTATION,
        "title": "会商",
        "is_open": True,
        "is_drill": False,
        "members": members,
        **changes,
    }
    return Wanted(**values)


def mirror(*legs: str, calls: tuple[str, ...] = (), **changes: Any) -> Mirror:
    """Both wires up, the conference open, these legs up and these calls connected."""
    values: dict[str, Any] = {
        "is_node_up": True,
        "is_gateway_up": True,
        "is_conference_open": True,
        "legs": {leg: NodeLeg(leg, LegState.UP) for leg in legs},
        "calls": {
            leg: CallChanged(leg_id=leg, conference_id="c", state=CallState.CONNECTED)
            for leg in calls
        },
        "told": words_for(Scene(), str(CONSULTATION), (), (), {}),
        **changes,
    }
    return Mirror(**values)
