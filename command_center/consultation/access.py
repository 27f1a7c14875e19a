"""How people and clients come in by themselves: join links and media sessions (WHIP, WHEP)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from ..database import new_id
from ..security import Permission, Work, service_call
from ..security.actor import Actor, ActorKind
from ..security.sessions import issue_join_token
from . import repository, roster
from .control import repository as orders
from .control.lock import may_enter
from .errors import LocalConsultationError
from .model import MemberKind, ParticipantState, Protocol
from .schemas import JoinTokenIn, MemberIn
from .service import open_consultation_row
from .tables import ConsultationRow, ParticipantRow
from .transitions import Left, Refused, Started


class Direction(StrEnum):
    """What a session carries: both ways, only in (WHIP) or only out (WHEP)."""

    BOTH = "session"
    PUBLISH = "whip"
    PLAY = "whep"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the media node needs to add the leg."""

    consultation_id: UUID
    participant_id: UUID
    leg_id: str
    title: str
    name: str
    publish: bool
    play: bool
    is_drill: bool
    replaces: str | None


@dataclass(frozen=True, slots=True)
class Link:
    token: str
    participant_id: UUID
    expires_at: datetime


@service_call(permission=Permission.JOIN_TOKEN_ISSUE, audit="join_token.make")
async def make_link(work: Work, consultation_id: UUID, wish: JoinTokenIn) -> Link:
    """A join link for a member on the roster, or for a new one with a name.

    Raises `member_incomplete` without either, `participant_not_found`.
    """
    row = await open_consultation_row(work, consultation_id)
    if wish.participant_id is not None:
        participant = await repository.participant(
            work.session, consultation_id, wish.participant_id
        )
    else:
        member = MemberIn(kind=MemberKind.PHONE, name=wish.name)
        participant = await roster.add_member(work, row, member)
        roster.tell_participant(work, row, participant)
    expires_at = work.now + timedelta(minutes=wish.expires_minutes)
    token = await issue_join_token(
        work,
        consultation_id=row.id,
        name=wish.name or participant.name,
        expires_at=expires_at,
        participant_id=participant.id,
        team_id=participant.team_id,
        publish=wish.publish,
        play=wish.play,
        is_drill=row.is_drill,
    )
    work.concerns("participant", participant.id, is_drill=row.is_drill)
    return Link(token, participant.id, expires_at)


async def _own_participant(work: Work, row: ConsultationRow, actor: Actor) -> ParticipantRow:
    """The caller's line on the roster; a user at the console gets one at the first joining."""
    if actor.kind is ActorKind.FIELD_TEAM:
        if actor.participant_id is None:
            raise LocalConsultationError("participant_not_found")
        return await repository.participant(work.session, row.id, actor.participant_id)
    user_id = UUID(actor.id)
    found = await repository.participant_of_user(work.session, row.id, user_id)
    if found is not None:
        return found
    member = MemberIn(kind=MemberKind.OPERATOR, name=actor.name or actor.id)
    participant = await roster.add_member(work, row, member)
    participant.user_id = user_id
    return participant


def require_direction(actor: Actor, direction: Direction) -> None:
    """Raises `publish_not_allowed` or `play_not_allowed`."""
    if direction is Direction.PUBLISH and not actor.can_publish:
        raise LocalConsultationError("publish_not_allowed")
    if direction is Direction.PLAY and not actor.can_play:
        raise LocalConsultationError("play_not_allowed")


@service_call(permission=Permission.CONSULTATION_JOIN, audit="session.join")
async def begin_session(work: Work, consultation_id: UUID, direction: Direction) -> Ticket:
    """Mint the caller's leg; the one before it is replaced. The node is asked after the commit.

    Raises `consultation_not_found`, `consultation_closed`, `publish_not_allowed`,
    `play_not_allowed`.
    """
    row = await open_consultation_row(work, consultation_id)
    actor = work.actor
    require_direction(actor, direction)
    participant = await _own_participant(work, row, actor)
    if not may_enter(
        is_locked=await orders.is_locked(work.session, row.id),
        kind=MemberKind(participant.kind),
        state=ParticipantState(participant.state),
    ):
        raise LocalConsultationError("consultation_locked", name=participant.name)
    if Protocol(participant.protocol) is not Protocol.WEBRTC:
        participant.protocol = Protocol.WEBRTC.value  # a hall or camera that comes by a link
        participant.is_wanted = False
    leg_id = str(new_id())
    if direction is Direction.PLAY:
        replaces, participant.viewer_leg_id = participant.viewer_leg_id, leg_id
    else:
        replaces, participant.leg_id = participant.leg_id, leg_id
    if direction is not Direction.PLAY or participant.leg_id is None:
        await roster.apply(work, row, participant, Started())
    work.session.add(participant)
    work.concerns("participant", participant.id, is_drill=row.is_drill, leg_id=leg_id)
    return Ticket(
        consultation_id=row.id,
        participant_id=participant.id,
        leg_id=leg_id,
        title=row.title,
        name=participant.name,
        publish=direction is not Direction.PLAY and actor.can_publish,
        play=direction is not Direction.PUBLISH and actor.can_play,
        is_drill=row.is_drill,
        replaces=replaces,
    )


@service_call(permission=Permission.CONSULTATION_JOIN, audit="session.fail")
async def fail_session(work: Work, ticket: Ticket, reason_code: str) -> None:
    """The node refused the offer: the member is shown as failed, if nothing newer came."""
    participant = await repository.participant_of_leg(work.session, ticket.leg_id)
    if participant is None:
        return
    row = await repository.consultation(work.session, participant.consultation_id)
    if participant.viewer_leg_id == ticket.leg_id:
        participant.viewer_leg_id = None
        if participant.leg_id is not None:
            work.session.add(participant)
            return
    participant.leg_id = None
    await roster.apply(work, row, participant, Refused(reason_code))
    work.concerns("participant", participant.id, is_drill=row.is_drill, reason=reason_code)


async def session_owner(work: Work, consultation_id: UUID, leg_id: str) -> ParticipantRow:
    """The participant of a session, if it is the caller's own or the caller may end others'.

    Raises `session_not_found`, also for others' sessions.
    """
    row = await repository.participant_of_leg(work.session, leg_id)
    actor = work.actor
    if row is None or row.consultation_id != consultation_id:
        raise LocalConsultationError("session_not_found")
    if actor.kind is ActorKind.FIELD_TEAM:
        is_own = actor.participant_id == row.id
    else:
        is_own = str(row.user_id) == actor.id
    if not is_own:
        raise LocalConsultationError("session_not_found")
    return row


@service_call(permission=Permission.CONSULTATION_JOIN, audit="session.trickle")
async def check_trickle(work: Work, consultation_id: UUID, leg_id: str) -> None:
    """Whether the caller may add candidates to this session. Raises `session_not_found`."""
    await session_owner(work, consultation_id, leg_id)


@service_call(permission=Permission.CONSULTATION_JOIN, audit="session.end")
async def end_session(work: Work, consultation_id: UUID, leg_id: str) -> None:
    """The member leaves. Raises `session_not_found`."""
    participant = await session_owner(work, consultation_id, leg_id)
    row = await repository.consultation(work.session, consultation_id)
    if participant.viewer_leg_id == leg_id:
        participant.viewer_leg_id = None
    else:
        participant.leg_id = None
    work.session.add(participant)
    has_no_leg = participant.leg_id is None and participant.viewer_leg_id is None
    if has_no_leg and participant.state != ParticipantState.LEFT.value:
        await roster.apply(work, row, participant, Left("hung_up"))
    work.concerns("participant", participant.id, is_drill=row.is_drill)
