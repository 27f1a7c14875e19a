"""会前点名(签到): who is there before the meeting begins; another thing than 点名发言.

A member signs in from its page or by keys (*1), or the desk ticks it off after asking.
"""

from __future__ import annotations

from uuid import UUID

from ...security import Permission, Work, service_call
from .. import roster
from ..errors import LocalConsultationError
from ..tables import ParticipantRow
from . import ordering, repository
from .ordering import Orders
from .tables import AttendanceRow


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="attendance.begin")
async def begin_attendance(work: Work, consultation_id: UUID) -> Orders:
    """A new roll; the one before is forgotten (its audit rows stay)."""
    orders = await ordering.take(work, consultation_id)
    await repository.forget_roll(work.session, orders.row.id)
    control = orders.control
    control.attendance_began_at, control.attendance_ended_at = work.now, None
    ordering.tell(work, orders, "attendance")
    await roster.note(work, orders.row, "attendance")
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="attendance.end")
async def end_attendance(work: Work, consultation_id: UUID) -> Orders:
    """The roll stays to be read. Raises `attendance_not_running`."""
    orders = await _running(work, consultation_id)
    orders.control.attendance_ended_at = work.now
    marks = await repository.roll(work.session, orders.row.id)
    present = sum(mark.mark == "present" for mark in marks)
    ordering.tell(work, orders, "attendance_ended", present=present)
    await roster.note(work, orders.row, "attendance_ended", present=present)
    return orders


async def _running(work: Work, consultation_id: UUID) -> Orders:
    orders = await ordering.take(work, consultation_id)
    control = orders.control
    if control.attendance_began_at is None or control.attendance_ended_at is not None:
        raise LocalConsultationError("attendance_not_running")
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="attendance.mark")
async def mark_attendance(
    work: Work, consultation_id: UUID, site: UUID, mark: str, text: str
) -> Orders:
    """Tick off one member: present, absent or excused, with who sits there."""
    orders = await _running(work, consultation_id)
    await _write(work, orders, await ordering.member(work, orders, site), mark, text)
    return orders


@service_call(permission=Permission.CONSULTATION_JOIN, audit="attendance.sign_in")
async def sign_in(work: Work, consultation_id: UUID, text: str) -> Orders:
    """签到 by the member itself. Raises `attendance_not_running`."""
    orders = await _running(work, consultation_id)
    await _write(work, orders, await ordering.oneself(work, orders), "present", text)
    return orders


async def _write(work: Work, orders: Orders, member: ParticipantRow, mark: str, text: str) -> None:
    await work.session.merge(
        AttendanceRow(
            consultation_id=orders.row.id,
            participant_id=member.id,
            mark=mark,
            note=text,
            marked_at=work.now,
            marked_by=work.actor.name[:120],
            is_drill=orders.row.is_drill,
        )
    )
    ordering.tell(work, orders, "attendance", participant_id=str(member.id), mark=mark)
