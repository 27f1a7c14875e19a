"""What the operator does with a consultation. Calls and legs follow by the switchboard, which reads
what is wanted after each commit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ..database import new_id
from ..incidents.tables import IncidentRow
from ..incidents.timeline import open_incident
from ..incidents.timeline import tell as tell_incident
from ..security import Permission, Work, service_call
from ..security.actor import Actor, ActorKind
from . import repository, roster
from .control.departure import forget
from .control.repository import control_of
from .errors import LocalConsultationError
from .model import ABSENT, PULLED, SIGNALLED, MemberKind, ParticipantState, Protocol
from .numbers import consultation_number
from .schemas import MemberIn
from .tables import ConsultationRow, ParticipantRow
from .transitions import FoundUnregistered, Left, Started

DIALLED = SIGNALLED | PULLED


def require_sight(actor: Actor, row: ConsultationRow) -> None:
    """Raises LocalConsultationError(`consultation_not_found`): others' rows are not betrayed."""
    if actor.kind is ActorKind.FIELD_TEAM:
        if actor.consultation_id != row.id:
            raise LocalConsultationError("consultation_not_found")
    elif row.region_code and not actor.covers(row.region_code):
        raise LocalConsultationError("consultation_not_found")


async def open_consultation_row(work: Work, consultation_id: UUID) -> ConsultationRow:
    """Locked, visible to the actor and open. Raises `consultation_not_found`, `..._closed`."""
    row = await repository.consultation(work.session, consultation_id, lock=True)
    require_sight(work.actor, row)
    if row.state != "open":
        raise LocalConsultationError("consultation_closed")
    return row


def _actor_id(actor: Actor) -> UUID | None:
    return UUID(actor.id) if actor.kind is ActorKind.USER else None


@service_call(permission=Permission.CONSULTATION_OPEN, audit="consultation.open")
async def open_consultation(
    work: Work, incident_id: UUID, title: str, members: Sequence[MemberIn]
) -> ConsultationRow:
    """Open the incident's consultation and call its members.

    Raises `consultation_open_already` (with its id) and what `roster.add_member` raises: nothing
    is stored then.
    """
    incident = await open_incident(work, incident_id)
    running = await repository.open_of_incident(work.session, incident_id)
    if running is not None:
        raise LocalConsultationError(
            "consultation_open_already", consultation_id=str(running.id), number=running.number
        )
    row = await begin(work, title, members, region_code=incident.region_code, incident=incident)
    work.concerns("consultation", row.id, is_drill=row.is_drill, number=row.number)
    return row


async def begin(
    work: Work,
    title: str,
    members: Sequence[MemberIn],
    *,
    region_code: str,
    incident: IncidentRow | None = None,
    dial_number: str | None = None,
    is_drill: bool = False,
) -> ConsultationRow:
    """Within a service call: a new consultation, its members called.

    `dial_number` was announced before (a reservation), else the next one is taken. An incident's
    consultation is a drill when the incident is.
    """
    is_drill = is_drill if incident is None else incident.is_drill
    number, dial = await repository.next_numbers(work.session, is_drill=is_drill)
    row = ConsultationRow(
        id=new_id(),
        number=consultation_number(number, work.now, is_drill=is_drill),
        dial_number=dial_number or str(dial),
        title=title,
        incident_id=None if incident is None else incident.id,
        region_code=region_code,
        opened_at=work.now,
        opened_by=_actor_id(work.actor),
        is_drill=is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    for member in members:
        if member.kind is not MemberKind.OPERATOR:
            _want(await roster.add_member(work, row, member))
    if incident is not None:
        incident.consultation_id = row.id
        incident.updated_at = work.now
        work.session.add(incident)
        tell_incident(work, incident, "incident.updated", {"id": str(incident.id)})
    roster.tell(work, row, "consultation.opened", {"id": str(row.id), "title": title})
    await roster.note(
        work,
        row,
        "opened",
        title=title,
        number=row.number,
        dial_number=row.dial_number,
        count=len(members),
    )
    return row


def _want(participant: ParticipantRow) -> bool:
    """Call a member that can be called; False: it waits (phones, unregistered rooms)."""
    is_absent_room = participant.state == ParticipantState.UNREGISTERED.value
    if Protocol(participant.protocol) not in DIALLED or is_absent_room:
        return False
    participant.is_wanted = True
    participant.leg_id = str(new_id())
    participant.attempts, participant.retry_at = 0, None
    participant.state, participant.reason_code = ParticipantState.DIALLING.value, None
    return True


async def _changed(work: Work, consultation_id: UUID, participant_id: UUID) -> ParticipantRow:
    participant = await repository.participant(work.session, consultation_id, participant_id)
    work.concerns("participant", participant.id, is_drill=participant.is_drill)
    return participant


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="participant.invite")
async def invite(work: Work, consultation_id: UUID, member: MemberIn) -> ParticipantRow:
    """Put a further member on the roster and call it (邀请)."""
    row = await open_consultation_row(work, consultation_id)
    participant = await roster.add_member(work, row, member)
    _want(participant)
    work.session.add(participant)
    roster.tell_participant(work, row, participant)
    work.concerns("participant", participant.id, is_drill=row.is_drill)
    return participant


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="participant.dial")
async def dial(work: Work, consultation_id: UUID, participant_id: UUID) -> ParticipantRow:
    """Call or call again. A member that is in or being called stays as it is.

    Raises `participant_not_dialled` for members that join by themselves.
    """
    row = await open_consultation_row(work, consultation_id)
    participant = await _changed(work, consultation_id, participant_id)
    if Protocol(participant.protocol) not in DIALLED:
        raise LocalConsultationError("participant_not_dialled")
    await _call(work, row, participant)
    return participant


async def _call(
    work: Work,
    row: ConsultationRow,
    participant: ParticipantRow,
    redial: tuple[int, int] = (0, 0),
) -> None:
    """`redial`: how many further tries, how many seconds apart."""
    is_absent = ParticipantState(participant.state) in ABSENT
    if not is_absent and participant.state != ParticipantState.LOST.value:
        return
    participant.attempts, participant.retry_at = 0, None
    participant.redial_limit, participant.redial_pause_s = redial
    if await _is_unregistered(work, participant):
        participant.is_wanted = redial[0] > 0  # it is called as soon as it registers
        await roster.apply(work, row, participant, FoundUnregistered("not_registered"))
        return
    participant.is_wanted = True
    participant.leg_id = str(new_id())
    await roster.apply(work, row, participant, Started())


async def _is_unregistered(work: Work, participant: ParticipantRow) -> bool:
    if participant.site_id is None:
        return False
    found = await repository.site_addresses(work.session, [participant.site_id])
    return bool(found) and found[0].site.address_kind == "registered" and not found[0].is_registered


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.call_absent")
async def call_absent(work: Work, consultation_id: UUID) -> ConsultationRow:
    """呼叫全部未入会: call every member that can be called and is not in.

    Who cannot be reached is redialled as often as the consultation's settings say.
    """
    row = await open_consultation_row(work, consultation_id)
    control = await control_of(work.session, row)
    redial = (control.redial_limit, control.redial_pause_s)
    for participant in await repository.participants(work.session, consultation_id):
        is_absent = ParticipantState(participant.state) in ABSENT
        if is_absent and Protocol(participant.protocol) in DIALLED:
            locked = await repository.participant(work.session, consultation_id, participant.id)
            await _call(work, row, locked, redial)
    work.concerns("consultation", row.id, is_drill=row.is_drill)
    return row


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="participant.hang_up")
async def hang_up(work: Work, consultation_id: UUID, participant_id: UUID) -> ParticipantRow:
    """挂断: end its leg; it stays on the roster."""
    row = await open_consultation_row(work, consultation_id)
    participant = await _changed(work, consultation_id, participant_id)
    await _end(work, row, participant)
    return participant


async def _end(work: Work, row: ConsultationRow, participant: ParticipantRow) -> None:
    participant.leg_id = participant.viewer_leg_id = None
    if ParticipantState(participant.state) not in ABSENT:
        await roster.apply(work, row, participant, Left("removed"))
    participant.is_wanted, participant.retry_at = False, None
    participant.redial_limit = 0
    work.session.add(participant)


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="participant.mute")
async def set_mutes(
    work: Work,
    consultation_id: UUID,
    participant_id: UUID,
    *,
    microphone_muted: bool | None = None,
    speaker_muted: bool | None = None,
) -> ParticipantRow:
    """会控闭音 (microphone) and 静音 (speaker); None leaves as it is. Holds for later legs too."""
    row = await open_consultation_row(work, consultation_id)
    participant = await _changed(work, consultation_id, participant_id)
    if microphone_muted is not None:
        participant.microphone_muted = microphone_muted
    if speaker_muted is not None:
        participant.speaker_muted = speaker_muted
    work.session.add(participant)
    roster.tell_participant(work, row, participant)
    return participant


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="participant.remove")
async def remove(work: Work, consultation_id: UUID, participant_id: UUID) -> None:
    """删除: end its leg and take it off the roster."""
    row = await open_consultation_row(work, consultation_id)
    participant = await _changed(work, consultation_id, participant_id)
    await _end(work, row, participant)
    await forget(work.session, row, participant.id, work.now)
    participant.removed_at = work.now
    if row.seats is not None:
        row.seats = [None if seat == str(participant.id) else seat for seat in row.seats]
        work.session.add(row)
    roster.tell_participant(work, row, participant)


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.close")
async def close_consultation(work: Work, consultation_id: UUID) -> ConsultationRow:
    """散会: every leg ends. Links no longer join, but a team goes on with its orders by them.

    Closing a closed one changes nothing.
    """
    row = await repository.consultation(work.session, consultation_id, lock=True)
    require_sight(work.actor, row)
    work.concerns("consultation", row.id, is_drill=row.is_drill, number=row.number)
    if row.state != "open":
        return row
    row.state, row.closed_at, row.closed_by = "closed", work.now, _actor_id(work.actor)
    for participant in await repository.participants(work.session, consultation_id):
        locked = await repository.participant(work.session, consultation_id, participant.id)
        locked.leg_id = locked.viewer_leg_id = None
        locked.is_wanted, locked.retry_at = False, None
        if ParticipantState(locked.state) not in ABSENT:
            locked.state = ParticipantState.LEFT.value
            locked.reason_code = "conference_closed"
            locked.state_changed_at = work.now
        work.session.add(locked)
    if row.incident_id is not None:
        await _free_incident(work, row)
    roster.tell(work, row, "consultation.closed", {"id": str(row.id)})
    await roster.note(work, row, "closed", number=row.number)
    work.session.add(row)
    return row


async def _free_incident(work: Work, row: ConsultationRow) -> None:
    """The incident may open another consultation; it goes on pointing at this one until then."""
    from ..incidents.repository import incident

    found = await incident(work.session, row.incident_id or row.id)
    tell_incident(work, found, "incident.updated", {"id": str(found.id)})
