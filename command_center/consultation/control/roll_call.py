"""点名: the called site is broadcast, every other microphone but the chair's is closed.

Only who is called is stored. Views and mutes follow (`staging`), so cancelling restores all of them
exactly, also those that the desk changed meanwhile.
"""

from __future__ import annotations

from uuid import UUID

from ...security import Permission, Work, service_call
from .. import roster
from . import ordering
from .ordering import Orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="roll_call.start")
async def start_roll_call(work: Work, consultation_id: UUID, site: UUID) -> Orders:
    """Call a site, or the next one. Raises `participant_absent`."""
    orders = await ordering.take(work, consultation_id)
    member = await ordering.present(work, orders, site)
    orders.control.roll_call_id = member.id
    ordering.tell(work, orders, "roll_call", participant_id=str(member.id))
    await roster.note(work, orders.row, "roll_call", name=member.name)
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="roll_call.stop")
async def stop_roll_call(work: Work, consultation_id: UUID) -> Orders:
    """取消点名: every view and every microphone is as it was."""
    orders = await ordering.take(work, consultation_id)
    if orders.control.roll_call_id is not None:
        orders.control.roll_call_id = None
        ordering.tell(work, orders, "roll_call_stopped")
        await roster.note(work, orders.row, "roll_call_stopped")
    return orders
