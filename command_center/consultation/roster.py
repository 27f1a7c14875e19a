"""Changing the roster within a unit of work, and telling everybody who may know.

The functions here are used by the operator's services, by members who join and by the switchboard.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sip_gateway.dial_plan import Outside

from ..database import new_id
from ..incidents.repository import incident as incident_of
from ..incidents.timeline import write as write_timeline
from ..security import Work
from . import repository
from .camera_url import camera_protocol
from .control.departure import give_up
from .errors import LocalConsultationError
from .model import MemberKind, ParticipantState, Protocol, Standing
from .numbering.plans import plan_of, refuse_nowhere
from .numbering.repository import site_of_number
from .numbers import telephone_number
from .persistence import Effort, effort_after
from .schemas import MemberIn
from .tables import ConsultationRow, ParticipantRow
from .transitions import Event, step
from .words import reason_text, word

PROTOCOLS = {
    MemberKind.SITE: Protocol.SIP,
    MemberKind.TEAM: Protocol.WEBRTC,
    MemberKind.PHONE: Protocol.WEBRTC,
    MemberKind.OPERATOR: Protocol.WEBRTC,
    MemberKind.TELEPHONE: Protocol.TELEPHONE,
}
NOTED = {
    ParticipantState.JOINED: "joined",
    ParticipantState.LEFT: "left",
    ParticipantState.FAILED: "failed",
    ParticipantState.OFFLINE: "offline",
}


def tell(work: Work, row: ConsultationRow, type_: str, body: dict[str, Any]) -> None:
    """Emit an event of this consultation."""
    work.emit(
        type_,
        body,
        incident_id=row.incident_id,
        consultation_id=row.id,
        region_code=row.region_code or None,
        is_drill=row.is_drill,
    )


def tell_participant(work: Work, row: ConsultationRow, participant: ParticipantRow) -> None:
    """`participant.updated`: enough to redraw its line on a roster."""
    tell(
        work,
        row,
        "participant.updated",
        {
            "participant_id": str(participant.id),
            "kind": participant.kind,
            "name": participant.name,
            "state": participant.state,
            "reason_code": participant.reason_code,
            "reason_text": reason_text(participant.reason_code),
            "microphone_muted": participant.microphone_muted,
            "speaker_muted": participant.speaker_muted,
            "is_self_muted": participant.is_self_muted,
            "watch_id": None if participant.watch_id is None else str(participant.watch_id),
            "is_removed": participant.removed_at is not None,
        },
    )


async def note(work: Work, row: ConsultationRow, key: str, **parts: object) -> None:
    """A timeline entry of the consultation's incident, if it has one."""
    if row.incident_id is None:
        return
    incident = await incident_of(work.session, row.incident_id)
    text = word("timeline", key, **parts)
    body = {"consultation_id": str(row.id)}
    write_timeline(work, incident, f"consultation.{key}", text, body)


async def apply(
    work: Work, row: ConsultationRow, participant: ParticipantRow, event: Event
) -> bool:
    """Move a participant on by one event; persists, tells and notes. Whether anything changed.

    The caller holds the participant's row lock.
    """
    before = Standing(ParticipantState(participant.state), participant.reason_code)
    after = step(before, event)
    gave_up = _follow_up(work, participant, event)
    if after == before and not gave_up:
        return False
    participant.state, participant.reason_code = after.state.value, after.reason_code
    participant.state_changed_at = work.now
    if after.state is ParticipantState.JOINED:
        participant.joined_at = work.now
    tell_participant(work, row, participant)
    if after.state is ParticipantState.LEFT:
        participant.is_self_muted = False
        await give_up(work.session, row, participant.id, work.now)
    key = "gave_up" if gave_up else NOTED.get(after.state)
    is_news = gave_up or after.state is not before.state
    if key is not None and is_news and (gave_up or participant.attempts <= 1):
        await note(
            work, row, key, name=participant.name, reason=reason_text(after.reason_code) or ""
        )
    return True


def _follow_up(work: Work, participant: ParticipantRow, event: Event) -> bool:
    """What the desk goes on to try; whether it gave up just now, after the tries asked for."""
    effort = Effort(
        participant.is_wanted,
        participant.attempts,
        participant.retry_at,
        participant.redial_limit,
        timedelta(seconds=participant.redial_pause_s),
    )
    following = effort_after(effort, Protocol(participant.protocol), event, work.now)
    participant.is_wanted, participant.attempts = following.is_wanted, following.attempts
    participant.retry_at, participant.redial_limit = following.retry_at, following.limit
    work.session.add(participant)
    return following.has_given_up and not effort.has_given_up


async def add_member(
    work: Work, row: ConsultationRow, member: MemberIn, *, rings_in: bool = False
) -> ParticipantRow:
    """Put a member on the roster, not yet called. A telephone that rings in has no number to dial.

    Raises LocalConsultationError: `member_incomplete`, `member_not_found`, `camera_url_refused`,
    `number_malformed`, `participant_present_already`.
    """
    participant = ParticipantRow(
        id=new_id(),
        consultation_id=row.id,
        ordinal=await repository.next_ordinal(work.session, row.id),
        kind=member.kind.value,
        protocol=PROTOCOLS.get(member.kind, Protocol.RTSP).value,
        name=member.name or "",
        state_changed_at=work.now,
        is_drill=row.is_drill,
    )
    if member.kind is MemberKind.SITE:
        await _fill_site(work, row, participant, member.site_id)
    elif member.kind is MemberKind.CAMERA:
        await _fill_camera(work, row, participant, member)
    elif member.kind is MemberKind.TEAM:
        await _fill_team(work, row, participant, member.team_id)
    elif member.kind is MemberKind.TELEPHONE:
        participant.name = member.name or ""
        if not rings_in:
            await _fill_telephone(work, row, participant, member)
    elif not participant.name:
        raise LocalConsultationError("member_incomplete", field="name")
    work.session.add(participant)
    await work.session.flush()
    return participant


async def _fill_telephone(
    work: Work, row: ConsultationRow, participant: ParticipantRow, member: MemberIn
) -> None:
    """A number that leads inside is a hall's: the hall is called, by whatever protocol it has."""
    participant.number = telephone_number(member.number)
    plan = await plan_of(work.session, row.region_code)
    led = refuse_nowhere(plan.outgoing(participant.number))
    if isinstance(led, Outside):
        participant.name = member.name or participant.number
        return
    site = await site_of_number(work.session, led.number)
    if site is None:
        raise LocalConsultationError("number_unknown", number=led.number)
    participant.number = None
    participant.kind = MemberKind.SITE.value
    participant.protocol = PROTOCOLS[MemberKind.SITE].value
    await _fill_site(work, row, participant, site.id)


async def _fill_site(
    work: Work, row: ConsultationRow, participant: ParticipantRow, site_id: UUID | None
) -> None:
    if site_id is None:
        raise LocalConsultationError("member_incomplete", field="site_id")
    found = await repository.site_addresses(work.session, [site_id])
    if not found:
        raise LocalConsultationError("member_not_found")
    if await repository.participant_of_site(work.session, row.id, site_id) is not None:
        raise LocalConsultationError("participant_present_already")
    site = found[0].site
    participant.site_id = site.id
    participant.name = participant.name or site.name
    if site.address_kind == "registered" and not found[0].is_registered:
        participant.state = ParticipantState.UNREGISTERED.value
        participant.reason_code = "not_registered"


async def _fill_camera(
    work: Work, row: ConsultationRow, participant: ParticipantRow, member: MemberIn
) -> None:
    if member.camera_id is None:
        if member.url is None or not participant.name:
            missing = "camera_id" if member.url is None else "name"
            raise LocalConsultationError("member_incomplete", field=missing)
        participant.url = member.url
        participant.protocol = camera_protocol(member.url).value
        return
    camera = await repository.camera(work.session, member.camera_id)
    if camera is None:
        raise LocalConsultationError("member_not_found")
    if await repository.participant_of_camera(work.session, row.id, camera.id) is not None:
        raise LocalConsultationError("participant_present_already")
    participant.camera_id = camera.id
    participant.protocol = camera_protocol(camera.url).value
    participant.name = participant.name or camera.name


async def _fill_team(
    work: Work, row: ConsultationRow, participant: ParticipantRow, team_id: UUID | None
) -> None:
    if team_id is None:
        raise LocalConsultationError("member_incomplete", field="team_id")
    team = await repository.team_for(work.session, team_id, is_drill=row.is_drill)
    if team is None:
        raise LocalConsultationError("member_not_found")
    playing_id, name = team
    if await repository.participant_of_team(work.session, row.id, playing_id) is not None:
        raise LocalConsultationError("participant_present_already")
    participant.team_id = playing_id
    participant.name = participant.name or name
