"""预约: a consultation at its time, its members dialled by itself, its number known before.

The leading switchboard opens what is due; a reservation missed while everything was down is opened
as soon as it is up again, unless its time is over altogether.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from ...incidents.errors import IncidentError
from ...incidents.timeline import open_incident
from ...security import SYSTEM, Desk, Permission, Work, service_call
from .. import repository as rosters
from ..errors import ConsultationError, LocalConsultationError
from ..schemas import MemberIn
from ..service import begin
from . import repository
from .planning_schemas import ReservationIn
from .tables import ReservationRow
from .templates import actor_id, apply_orders, member_json, tell_planning, visible_template

_log = structlog.get_logger("command_center.reservation")


@service_call(permission=Permission.CONSULTATION_OPEN, audit="reservation.make")
async def reserve(work: Work, wish: ReservationIn) -> ReservationRow:
    """Raises `reservation_in_the_past`, `template_not_found`, and what an incident's reading
    raises."""
    if wish.starts_at < work.now - timedelta(minutes=1):
        raise LocalConsultationError("reservation_in_the_past")
    members, orders = [member_json(member) for member in wish.members], {}
    region_code, is_drill = work.actor.region_code, wish.is_drill
    if wish.template_id is not None:
        template = await visible_template(work, wish.template_id)
        members += [member for member in template.members if member not in members]
        orders, is_drill = template.orders, is_drill or template.is_drill
    if wish.incident_id is not None:
        incident = await open_incident(work, wish.incident_id)
        region_code, is_drill = incident.region_code, incident.is_drill
    _number, dial = await rosters.next_numbers(work.session, is_drill=is_drill)
    row = ReservationRow(
        title=wish.title,
        starts_at=wish.starts_at,
        minutes=wish.minutes,
        incident_id=wish.incident_id,
        template_id=wish.template_id,
        region_code=region_code,
        dial_number=str(dial),
        members=members,
        orders=orders,
        ends_by_itself=wish.ends_by_itself,
        made_at=work.now,
        made_by=actor_id(work),
        is_drill=is_drill,
    )
    work.session.add(row)
    _tell(work, row)
    return row


def _tell(work: Work, row: ReservationRow) -> None:
    tell_planning(work, "reservation.updated", row.id, row.region_code, is_drill=row.is_drill)
    work.concerns("reservation", row.id, is_drill=row.is_drill, dial_number=row.dial_number)


async def visible_reservation(work: Work, reservation_id: UUID) -> ReservationRow:
    """Raises `reservation_not_found`, also for those of other regions."""
    row = await repository.reservation(work.session, reservation_id)
    if row.region_code and not work.actor.covers(row.region_code):
        raise LocalConsultationError("reservation_not_found")
    return row


@service_call(permission=Permission.CONSULTATION_OPEN, audit="reservation.cancel")
async def cancel_reservation(work: Work, reservation_id: UUID) -> ReservationRow:
    """Raises `reservation_not_found`, `reservation_over`."""
    row = await visible_reservation(work, reservation_id)
    if row.state != "waiting":
        raise LocalConsultationError("reservation_over")
    row.state = "cancelled"
    work.session.add(row)
    _tell(work, row)
    return row


@service_call(permission=Permission.CONSULTATION_OPEN, audit="reservation.open")
async def open_reservation(work: Work, reservation_id: UUID) -> ReservationRow:
    """Open it now: at its time by the switchboard, or earlier by the desk.

    Raises `reservation_over`, `consultation_open_already`, and what opening raises.
    """
    row = await visible_reservation(work, reservation_id)
    if row.state != "waiting":
        raise LocalConsultationError("reservation_over")
    incident = None
    if row.incident_id is not None:
        incident = await open_incident(work, row.incident_id)
        running = await rosters.open_of_incident(work.session, incident.id)
        if running is not None:
            raise LocalConsultationError("consultation_open_already", number=running.number)
    members = await _still_known(work, [MemberIn.model_validate(m) for m in row.members])
    opened = await begin(
        work,
        row.title,
        members,
        region_code=row.region_code,
        incident=incident,
        dial_number=row.dial_number,
        is_drill=row.is_drill,
    )
    control = await repository.control_of(work.session, opened)
    apply_orders(control, row.orders, opened)
    control.ends_at = opened.opened_at + timedelta(minutes=row.minutes)
    control.ends_by_itself = row.ends_by_itself
    row.state, row.consultation_id = "opened", opened.id
    work.session.add(control)
    work.session.add(row)
    _tell(work, row)
    return row


async def _still_known(work: Work, members: Sequence[MemberIn]) -> list[MemberIn]:
    """Without sites, teams and cameras that are no longer on file: the others shall meet."""
    sites = {m.site_id for m in members if m.site_id is not None}
    found = {s.site.id for s in await rosters.site_addresses(work.session, sites)}
    kept = []
    for member in members:
        is_gone = member.site_id is not None and member.site_id not in found
        if member.camera_id is not None:
            is_gone = await rosters.camera(work.session, member.camera_id) is None
        if member.team_id is not None:
            is_gone = await rosters.team_name(work.session, member.team_id) is None
        if not is_gone:
            kept.append(member)
    return kept


async def open_due(desk: Desk) -> None:
    """Open every reservation whose time has come; one that cannot be opened says why."""
    async with desk.database.session() as session:
        due = await repository.due_reservations(session, desk.clock())
    for reservation_id in due:
        try:
            async with desk.work(SYSTEM) as work:
                row = await repository.reservation(work.session, reservation_id)
                if work.now > row.starts_at + timedelta(minutes=row.minutes):
                    raise LocalConsultationError("reservation_missed")
                await open_reservation(work, reservation_id)
        except (ConsultationError, IncidentError) as error:  # another try would not change it
            _log.warning("reservation_failed", id=str(reservation_id), code=error.code)
            async with desk.work(SYSTEM) as work:
                await fail_reservation(work, reservation_id, error.code)


@service_call(permission=Permission.CONSULTATION_OPEN, audit="reservation.fail")
async def fail_reservation(work: Work, reservation_id: UUID, code: str) -> None:
    """It could not be opened: shown with its reason, not tried again."""
    row = await repository.reservation(work.session, reservation_id)
    if row.state == "waiting":
        row.state, row.reason_code = "failed", code
        work.session.add(row)
        _tell(work, row)
