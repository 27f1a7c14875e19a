"""全体闭音, 取消全体闭音, 本端闭麦: whose microphone is closed by whom."""

from __future__ import annotations

from uuid import UUID

from ...security import Permission, Work, service_call
from .. import roster
from ..tables import ParticipantRow
from . import ordering, repository
from .ordering import Orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.mute_all")
async def mute_all(work: Work, consultation_id: UUID) -> Orders:
    """会控闭音 of everybody but the chair; nobody can undo it but the desk."""
    orders = await ordering.take(work, consultation_id)
    spared = orders.control.chair_id
    await repository.set_all_mutes(work.session, orders.row.id, muted=True, spared=spared)
    ordering.tell(work, orders, "muted_all")
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="consultation.unmute_all")
async def unmute_all(work: Work, consultation_id: UUID) -> Orders:
    """Every 会控闭音 is lifted; what members closed themselves stays closed."""
    orders = await ordering.take(work, consultation_id)
    await repository.set_all_mutes(work.session, orders.row.id, muted=False)
    ordering.tell(work, orders, "unmuted_all")
    return orders


@service_call(permission=Permission.CONSULTATION_JOIN, audit="participant.self_mute")
async def set_self_mute(work: Work, consultation_id: UUID, *, is_muted: bool) -> ParticipantRow:
    """本端闭麦 as the member's own page tells it: shown apart from 会控闭音, of no other effect."""
    orders = await ordering.take(work, consultation_id)
    member = await ordering.oneself(work, orders)
    work.concerns("participant", member.id, is_drill=member.is_drill, is_muted=is_muted)
    if member.is_self_muted != is_muted:
        member.is_self_muted = is_muted
        work.session.add(member)
        roster.tell_participant(work, orders.row, member)
    return member


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="participant.key_mute")
async def turn_self_mute(work: Work, consultation_id: UUID, site: UUID) -> bool:
    """本端闭麦 by a room's key, and open again. Whether it is closed now.

    A room's own switch tells us nothing, so this one closes it at the node; the desk does not
    open it, and the room itself does not open what the desk closed.
    """
    orders = await ordering.take(work, consultation_id)
    member = await ordering.present(work, orders, site)
    member.is_self_muted = not member.is_self_muted
    work.session.add(member)
    work.concerns("participant", member.id, is_drill=member.is_drill, is_muted=member.is_self_muted)
    roster.tell_participant(work, orders.row, member)
    return member.is_self_muted
