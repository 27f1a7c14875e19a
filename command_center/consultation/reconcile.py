"""What has to be done so that node and gateway hold what the roster says: pure.

The roster in the database is what is wanted; the mirror is what node and gateway are known to hold.
`commands_for` names the difference, `missed_events` what happened while nobody looked. Both are
idempotent: applied twice they ask for nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sip_gateway.messages import BridgeRole, CallChanged, CallState, ConferenceTell
from video_bridge.messages import CloseReason, LegState, LegView, Link

from .control.assembly import assembly_of, has_h323
from .control.staging import Scene, Words, closed_by, sight, words_for
from .model import PULLED, SIGNALLED, ParticipantState, Protocol, Seat
from .transitions import Entered, Event, FellSilent, NodeGone, Rang, WentAway

SETTLING = timedelta(seconds=2)  # a snapshot may be older than a change made while it was taken
REJOINING = timedelta(seconds=30)  # how long a phone that was told to rejoin counts as lost


@dataclass(frozen=True, slots=True)
class NodeLeg:
    """A leg as the node holds it."""

    leg_id: str
    state: LegState
    microphone_muted: bool = False
    speaker_muted: bool = False
    view: LegView = "hall"
    watch: str = ""
    link: Link = "internet"
    max_bitrate_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Mirror:
    """What node and gateway hold of one consultation. A link that is down is trusted in nothing."""

    is_node_up: bool = False
    is_gateway_up: bool = False
    is_conference_open: bool = False
    legs: Mapping[str, NodeLeg] = field(default_factory=dict)
    calls: Mapping[str, CallChanged] = field(default_factory=dict)
    told: Mapping[str, Words] = field(default_factory=dict)  # as last sent; absent: unknown
    told_rooms: ConferenceTell | None = None  # what H.323 rooms were told last
    ended: frozenset[str] = frozenset()  # legs that are over, though the roster may not say so yet


@dataclass(frozen=True, slots=True)
class Wanted:
    """One consultation as the database has it."""

    consultation_id: UUID
    title: str
    is_open: bool
    is_drill: bool
    members: Sequence[Seat]
    scene: Scene = field(default_factory=Scene)
    notes: Mapping[ParticipantState, str] = field(default_factory=dict)
    dial_number: str = ""
    next_change: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether a turn of polling or the meeting's own end has come, or who is shown left."""
        if not self.is_open:
            return False
        shown = self.scene.polling_id
        is_gone = self.scene.roll_call_id is None and any(
            member.participant_id == shown and member.state not in HERE for member in self.members
        )
        return is_gone or (self.next_change is not None and self.next_change <= now)


@dataclass(frozen=True, slots=True)
class OpenConference:
    pass


@dataclass(frozen=True, slots=True)
class CloseConference:
    pass


@dataclass(frozen=True, slots=True)
class Attempt:
    """Mint a new leg for a member whose time to be tried again has come."""

    member: Seat


@dataclass(frozen=True, slots=True)
class PullCamera:
    member: Seat


@dataclass(frozen=True, slots=True)
class DialRoom:
    member: Seat


@dataclass(frozen=True, slots=True)
class EndCall:
    leg_id: str


@dataclass(frozen=True, slots=True)
class RemoveLeg:
    leg_id: str
    reason: CloseReason


@dataclass(frozen=True, slots=True)
class MuteLeg:
    leg_id: str
    microphone_muted: bool
    speaker_muted: bool


@dataclass(frozen=True, slots=True)
class TurnLeg:
    """Send it this view, or the one leg that it watches."""

    leg_id: str
    view: LegView
    watch: str


@dataclass(frozen=True, slots=True)
class RateLeg:
    """What is known of its line: where it starts and what it may take."""

    leg_id: str
    link: Link
    max_bitrate_bps: int | None


@dataclass(frozen=True, slots=True)
class TellRooms:
    """What H.323 rooms are told of the conference."""

    words: ConferenceTell


@dataclass(frozen=True, slots=True)
class Tell:
    """What the whole conference shows: remembered under its key."""

    key: str
    words: Words


Command = (
    OpenConference
    | CloseConference
    | Attempt
    | PullCamera
    | DialRoom
    | EndCall
    | RemoveLeg
    | MuteLeg
    | TurnLeg
    | RateLeg
    | Tell
    | TellRooms
)


def commands_for(wanted: Wanted, mirror: Mirror, now: datetime) -> list[Command]:
    """The commands that bring node and gateway to what is wanted, in the order to send them."""
    if not wanted.is_open:
        return _closing(mirror)
    commands: list[Command] = []
    if mirror.is_node_up and not mirror.is_conference_open:
        commands.append(OpenConference())
    ours = {member.leg_id for member in wanted.members if member.leg_id is not None}
    ours |= {member.viewer_leg_id for member in wanted.members if member.viewer_leg_id is not None}
    commands += _orphans(mirror, ours)
    watchable = {m.participant_id: m.leg_id for m in wanted.members if m.leg_id in mirror.legs}
    for member in wanted.members:
        commands += _for_member(member, mirror, now)
        commands += _for_its_legs(member, wanted.scene, mirror, watchable)
    if mirror.is_node_up:
        words = words_for(
            wanted.scene,
            str(wanted.consultation_id),
            wanted.members,
            mirror.legs.keys(),
            wanted.notes,
        )
        commands += [Tell(key, said) for key, said in words.items() if mirror.told.get(key) != said]
    if mirror.is_gateway_up and has_h323(mirror.calls.values()):
        told = assembly_of(wanted.scene, str(wanted.consultation_id), wanted.members)
        commands += [TellRooms(told)] if mirror.told_rooms != told else []
    return commands


def _closing(mirror: Mirror) -> list[Command]:
    commands: list[Command] = []
    if mirror.is_gateway_up:
        commands += [EndCall(leg_id) for leg_id in mirror.calls]
    if mirror.is_node_up and mirror.is_conference_open:
        commands.append(CloseConference())
    return commands


def _orphans(mirror: Mirror, ours: set[str]) -> list[Command]:
    """Legs and calls that no member owns any more: replaced, removed or left behind."""
    commands: list[Command] = []
    if mirror.is_gateway_up:
        commands += [EndCall(leg_id) for leg_id in mirror.calls if leg_id not in ours]
    if mirror.is_node_up:
        commands += [
            RemoveLeg(leg_id, CloseReason.REPLACED)
            for leg_id in mirror.legs
            if leg_id not in ours and leg_id not in mirror.calls
        ]
    return commands


def _for_member(member: Seat, mirror: Mirror, now: datetime) -> list[Command]:
    leg_id = member.leg_id
    if leg_id is None:
        is_due = member.retry_at is not None and member.retry_at <= now
        reachable = mirror.is_node_up
        if member.protocol in SIGNALLED:
            reachable = reachable and mirror.is_gateway_up
        return [Attempt(member)] if member.is_wanted and is_due and reachable else []
    if leg_id in mirror.legs and mirror.is_node_up:
        return []
    if not member.is_wanted or leg_id in mirror.ended:
        return []
    if member.protocol in PULLED and mirror.is_node_up:
        return [PullCamera(member)]
    if member.protocol in SIGNALLED and _may_dial(member, mirror):
        return [DialRoom(member)]
    return []


def _for_its_legs(
    member: Seat, scene: Scene, mirror: Mirror, watchable: Mapping[UUID, str | None]
) -> list[Command]:
    """Mutes and views of legs that the node holds: whatever the scene makes of them."""
    if not mirror.is_node_up:
        return []
    me = member.participant_id
    view, site = _sight(member, scene)
    watch = "" if site is None else watchable.get(site) or ""
    is_closed = closed_by(scene, me, is_muted=member.microphone_muted) is not None
    is_closed |= member.is_self_muted and member.protocol in SIGNALLED  # by its key
    commands: list[Command] = []
    leg = mirror.legs.get(member.leg_id or "")
    asked = (is_closed, member.speaker_muted)
    if leg is not None and asked != (leg.microphone_muted, leg.speaker_muted):
        commands.append(MuteLeg(leg.leg_id, *asked))
    line = (member.link, member.max_bitrate_bps)
    if leg is not None and line != (leg.link, leg.max_bitrate_bps):
        commands.append(RateLeg(leg.leg_id, *line))
    for leg_id in (member.leg_id, member.viewer_leg_id):
        held = mirror.legs.get(leg_id or "")
        if held is not None and (held.view, held.watch) != (view, watch):
            commands.append(TurnLeg(held.leg_id, view, watch))
    return commands


def _sight(member: Seat, scene: Scene) -> tuple[LegView, UUID | None]:
    """A bridge above is never sent its own picture back."""
    if member.bridge_role is BridgeRole.UPPER:
        return "rest", member.watch_id if scene.is_viewing_free else None
    return sight(scene, member.participant_id, member.watch_id)


HERE = frozenset({ParticipantState.JOINED, ParticipantState.LOST})
_HAD_A_CALL = frozenset({ParticipantState.JOINED, ParticipantState.LOST, ParticipantState.RINGING})


def _may_dial(member: Seat, mirror: Mirror) -> bool:
    is_idle = member.leg_id not in mirror.calls
    has_no_call = member.state not in _HAD_A_CALL
    return mirror.is_gateway_up and mirror.is_node_up and is_idle and has_no_call


def without_node(members: Sequence[Seat]) -> list[tuple[Seat, Event]]:
    """What is shown of everybody who was in when the node has been away for too long."""
    is_in = [member for member in members if member.state is ParticipantState.JOINED]
    return [(member, NodeGone("media_node_unreachable")) for member in is_in]


def missed_events(
    members: Sequence[Seat], mirror: Mirror, *, taken_at: datetime, node_restarted: bool
) -> list[tuple[Seat, Event]]:
    """What a snapshot tells of members whose state was last seen before it was taken."""
    found: list[tuple[Seat, Event]] = []
    for member in members:
        if member.changed_at is not None and member.changed_at > taken_at - SETTLING:
            continue
        event = _missed(member, mirror, taken_at, node_restarted=node_restarted)
        if event is not None:
            found.append((member, event))
    return found


_IN = frozenset({ParticipantState.JOINED, ParticipantState.LOST, ParticipantState.RINGING})
_COMING = frozenset({ParticipantState.DIALLING, ParticipantState.RINGING})


def _missed(
    member: Seat, mirror: Mirror, taken_at: datetime, *, node_restarted: bool
) -> Event | None:
    if member.leg_id is None:
        return _never_came_back(member, taken_at)
    call = mirror.calls.get(member.leg_id)
    if member.protocol in SIGNALLED and mirror.is_gateway_up and call is None:
        return WentAway("gateway_restarted") if member.state in _IN else None
    if not mirror.is_node_up:
        return None
    leg = mirror.legs.get(member.leg_id)
    if leg is None and call is not None:
        is_in = member.state is ParticipantState.JOINED
        return NodeGone("node_restarted") if is_in and node_restarted else None
    if leg is None:
        return _leg_is_missing(member, node_restarted=node_restarted)
    if call is not None and call.state is CallState.RINGING:
        return Rang() if member.state is ParticipantState.DIALLING else None
    if leg.state is LegState.LOST and member.state is ParticipantState.JOINED:
        return FellSilent("no_media")
    is_answered = call is None or call.state is CallState.CONNECTED
    if leg.state is LegState.UP and is_answered and member.state is not ParticipantState.JOINED:
        return Entered()
    return None


def _never_came_back(member: Seat, taken_at: datetime) -> Event | None:
    """A phone that was told to rejoin and did not."""
    if member.protocol is not Protocol.WEBRTC or member.viewer_leg_id is not None:
        return None
    is_awaited = member.state in _IN or member.state in _COMING
    since = member.changed_at
    is_overdue = since is not None and since < taken_at - REJOINING
    return WentAway("connection_lost") if is_awaited and is_overdue else None


def _leg_is_missing(member: Seat, *, node_restarted: bool) -> Event | None:
    is_in = member.state in _IN
    if member.protocol is Protocol.WEBRTC:
        is_in = is_in or member.state in _COMING
    if not is_in:
        return None
    return NodeGone("node_restarted") if node_restarted else WentAway("connection_lost")
