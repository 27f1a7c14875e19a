"""What the wires' reports mean for a roster: translations between words and rows, without state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sip_gateway.messages import CallChanged, CallState, ConferenceAsked
from video_bridge import messages as node_words

from . import reconcile as r
from . import repository
from .model import SIGNALLED, MemberKind, ParticipantState, Protocol, Seat
from .transitions import (
    Event,
    Left,
    NodeGone,
    Refused,
    WentAway,
    from_gateway,
    from_node,
    from_node_of_room,
)

NodeEvent = node_words.LegUp | node_words.LegLost | node_words.LegClosed


@dataclass(frozen=True, slots=True)
class Compare:
    """A snapshot was taken: look for what was missed."""

    taken_at: datetime
    node_restarted: bool


@dataclass(frozen=True, slots=True)
class NodeAway:
    """The node was gone some seconds ago: if it still is, that is shown."""


@dataclass(frozen=True, slots=True)
class Key:
    """A room pressed a key."""

    leg_id: str
    key: str


Told = NodeEvent | CallChanged | ConferenceAsked | Compare | NodeAway | Key


def legs_of(conference: node_words.ConferenceStats | None) -> dict[str, r.NodeLeg]:
    if conference is None:
        return {}
    return {
        leg.leg_id: r.NodeLeg(
            leg.leg_id,
            leg.state,
            leg.microphone_muted,
            leg.speaker_muted,
            leg.view,
            leg.watch or "",
            leg.link,
            leg.max_bitrate_bps,
        )
        for leg in conference.legs
    }


def seat_of(member: repository.Member) -> Seat:
    row = member.row
    return Seat(
        participant_id=row.id,
        consultation_id=row.consultation_id,
        kind=MemberKind(row.kind),
        protocol=Protocol(row.protocol),
        name=row.name,
        state=ParticipantState(row.state),
        leg_id=row.leg_id,
        is_wanted=row.is_wanted,
        url=member.url,
        account=member.account,
        uri=member.uri,
        backup_uri=member.backup_uri,
        srtp_policy=member.srtp_policy,
        bridge_role=member.bridge_role,
        ordinal=row.ordinal,
        ladder=tuple(member.ladder),
        number=row.number,
        microphone_muted=row.microphone_muted,
        speaker_muted=row.speaker_muted,
        is_self_muted=row.is_self_muted,
        attempts=row.attempts,
        retry_at=row.retry_at,
        viewer_leg_id=row.viewer_leg_id,
        changed_at=row.state_changed_at,
        watch_id=row.watch_id,
        link=member.link,
        max_bitrate_bps=member.max_bitrate_bps,
    )


def ends_leg(told: NodeEvent | CallChanged, protocol: Protocol) -> bool:
    """Whether the leg is over: of a room only its call says so."""
    if isinstance(told, CallChanged):
        return told.state is CallState.ENDED
    return isinstance(told, node_words.LegClosed) and protocol not in SIGNALLED


def meaning(told: NodeEvent | CallChanged, protocol: Protocol, state: str) -> Event | None:
    if isinstance(told, CallChanged):
        event = from_gateway(told)
        is_resumed = state in (ParticipantState.LOST.value, ParticipantState.JOINED.value)
        return None if is_resumed and told.state is CallState.DIALLING else event
    if protocol in SIGNALLED:
        return from_node_of_room(told, ParticipantState(state))
    return from_node(told)


def is_ending(event: Event) -> bool:
    return isinstance(event, WentAway | Refused | NodeGone | Left)
