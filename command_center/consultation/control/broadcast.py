"""广播会场 and 广播多画面: all others are made to watch it, whoever joins later too."""

from __future__ import annotations

from uuid import UUID

from ...security import Permission, Work, service_call
from .. import roster
from ..errors import LocalConsultationError
from . import ordering
from .ordering import Orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="broadcast.start")
async def start_broadcast(work: Work, consultation_id: UUID, site: UUID | None) -> Orders:
    """Force one site, or with None the continuous presence, upon all.

    Raises `participant_absent`, `roll_call_running`.
    """
    orders = await ordering.take(work, consultation_id)
    control = orders.control
    if control.roll_call_id is not None:
        raise LocalConsultationError("roll_call_running")
    if site is None:
        control.broadcast, control.broadcast_id = "mosaic", None
        await roster.note(work, orders.row, "mosaic_broadcast")
    else:
        member = await ordering.present(work, orders, site)
        control.broadcast, control.broadcast_id = "site", member.id
        await roster.note(work, orders.row, "broadcast", name=member.name)
    shown = None if site is None else str(site)
    ordering.tell(work, orders, "broadcast", participant_id=shown)
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="broadcast.stop")
async def stop_broadcast(work: Work, consultation_id: UUID) -> Orders:
    """Everybody is free again to watch what they watched before."""
    orders = await ordering.take(work, consultation_id)
    if orders.control.broadcast is not None:
        orders.control.broadcast = orders.control.broadcast_id = None
        ordering.tell(work, orders, "broadcast_stopped")
        await roster.note(work, orders.row, "broadcast_stopped")
    return orders
