"""观看会场: a member watches one site alone. While something is broadcast only the chair may.

What was chosen stays stored meanwhile, so that free viewing returns when the broadcast stops.
"""

from __future__ import annotations

from uuid import UUID

from ...security import Permission, Work, service_call
from .. import roster
from ..errors import LocalConsultationError
from ..tables import ParticipantRow
from . import ordering
from .ordering import Orders


@service_call(permission=Permission.CONSULTATION_JOIN, audit="view.watch")
async def watch(
    work: Work, consultation_id: UUID, watcher: UUID | None, site: UUID | None
) -> ParticipantRow:
    """`watcher` None is the caller itself; the desk may choose for anybody. `site` None ends it.

    Raises `participant_absent`, `view_is_forced`, PermissionDeniedError.
    """
    orders = await ordering.take(work, consultation_id)
    if watcher is None:
        member = await ordering.oneself(work, orders)
    else:
        work.actor.require(Permission.CONSULTATION_CONTROL)
        member = await ordering.member(work, orders, watcher)
    if site is not None:
        if site == member.id:
            raise LocalConsultationError("watch_oneself")
        if _is_forced(orders, member):
            raise LocalConsultationError("view_is_forced")
        await ordering.present(work, orders, site)
    member.watch_id = site
    work.session.add(member)
    roster.tell_participant(work, orders.row, member)
    work.concerns("participant", member.id, is_drill=member.is_drill, site=str(site))
    return member


def _is_forced(orders: Orders, member: ParticipantRow) -> bool:
    control = orders.control
    is_forced = control.broadcast is not None or control.roll_call_id is not None
    return is_forced and control.chair_id != member.id
