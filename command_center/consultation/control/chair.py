"""申请主席, 释放主席, 收回主席: one chair token a consultation.

A second request is refused while the token is held and names the holder; the operator may give it
to a site and take it back at any time.
"""

from __future__ import annotations

from uuid import UUID

from ...security import Permission, Work, service_call
from .. import repository as rosters
from .. import roster
from ..errors import LocalConsultationError
from ..tables import ParticipantRow
from . import ordering
from .ordering import Orders


@service_call(permission=Permission.CONSULTATION_JOIN, audit="chair.request")
async def request_chair(work: Work, consultation_id: UUID) -> Orders:
    """A member asks for the token. Raises `chair_held` with the holder's name."""
    orders = await ordering.take(work, consultation_id)
    await _give(work, orders, await ordering.oneself(work, orders))
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="chair.appoint")
async def appoint_chair(work: Work, consultation_id: UUID, site: UUID) -> Orders:
    """The operator asks for a site. Raises `chair_held`: take it back first."""
    orders = await ordering.take(work, consultation_id)
    await _give(work, orders, await ordering.member(work, orders, site))
    return orders


async def _give(work: Work, orders: Orders, member: ParticipantRow) -> None:
    control = orders.control
    if control.chair_id == member.id:
        return
    if control.chair_id is not None:
        holder = await rosters.participant(
            work.session, orders.row.id, control.chair_id, lock=False
        )
        raise LocalConsultationError("chair_held", holder=holder.name)
    control.chair_id, control.chair_since = member.id, work.now
    ordering.tell(work, orders, "chair", participant_id=str(member.id))
    await roster.note(work, orders.row, "chair", name=member.name)


@service_call(permission=Permission.CONSULTATION_JOIN, audit="chair.release")
async def release_chair(work: Work, consultation_id: UUID) -> Orders:
    """The holder gives it back. Raises `chair_not_held`."""
    orders = await ordering.take(work, consultation_id)
    member = await ordering.oneself(work, orders)
    if orders.control.chair_id != member.id:
        raise LocalConsultationError("chair_not_held")
    await _end(work, orders, "chair_released")
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="chair.take_back")
async def take_back_chair(work: Work, consultation_id: UUID) -> Orders:
    """收回主席: whoever holds it."""
    orders = await ordering.take(work, consultation_id)
    if orders.control.chair_id is not None:
        await _end(work, orders, "chair_taken_back")
    return orders


async def _end(work: Work, orders: Orders, key: str) -> None:
    control = orders.control
    control.chair_id = control.chair_since = None
    if control.polling is not None and control.polling["view"] == "chair":
        control.polling = control.polling_id = control.polling_turned_at = None
    ordering.tell(work, orders, key)
    await roster.note(work, orders.row, key)
