"""What rooms and bridges ask and order by H.243, done by the same services as the desk's buttons.

Any room may ask for the chair and the floor and choose whom it watches. Who holds the chair, and a
bridge above us, may broadcast a site and hang one up; nobody else is obeyed.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from sip_gateway.messages import (
    BridgeRole,
    ConferenceAsked,
    ConferenceDecide,
    ConferenceOrder,
)
from video_bridge import WireClient

from ...directory.tables import SiteRow
from ...security import Actor, ActorKind, Desk, Work
from ...security.errors import SecurityError
from .. import repository as rosters
from ..errors import ConsultationError
from ..service import hang_up
from ..tables import ParticipantRow
from . import broadcast, chair, floor, ordering, repository, watching

_log = structlog.get_logger("command_center.room_orders")


class RoomOrders:
    """The orders of one consultation's rooms."""

    def __init__(self, desk: Desk, consultation_id: UUID, gateway: WireClient) -> None:
        self._desk, self._id, self._gateway = desk, consultation_id, gateway

    async def asked(self, asked: ConferenceAsked) -> None:
        """Do it or not, and say so. Raises VideoBridgeError when the gateway went away."""
        try:
            granted = await self._obey(asked)
        except (ConsultationError, SecurityError) as error:
            _log.info("room_order_refused", order=asked.order.value, code=error.code)
            granted = False
        decision = ConferenceDecide(leg_id=asked.leg_id, order=asked.order, granted=granted)
        body = decision.model_dump(mode="json", exclude={"type"})
        await self._gateway.request(decision.type, body, timeout_s=5.0)

    async def _obey(self, asked: ConferenceAsked) -> bool:
        async with self._desk.database.session() as session:
            member = await rosters.participant_of_leg(session, asked.leg_id)
        if member is None or member.consultation_id != self._id:
            return False
        actor = Actor(id=f"room:{member.id}"[:64], name=member.name, kind=ActorKind.SYSTEM)
        target = UUID(asked.terminal_id) if asked.terminal_id else None
        async with self._desk.work(actor) as work:
            return await _do(work, member, asked.order, target)


async def _do(
    work: Work, member: ParticipantRow, order: ConferenceOrder, target: UUID | None
) -> bool:
    """False for what this member may not. Raises what the services raise."""
    id_ = member.consultation_id
    match order:
        case ConferenceOrder.CHAIR:
            await chair.appoint_chair(work, id_, member.id)
        case ConferenceOrder.FLOOR:
            await floor.request_floor_for(work, id_, member.id, "room")
        case ConferenceOrder.WATCH | ConferenceOrder.WATCH_END:
            await watching.watch(work, id_, member.id, target)
        case _:
            return await _command(work, member, order, target)
    return True


async def _command(
    work: Work, member: ParticipantRow, order: ConferenceOrder, target: UUID | None
) -> bool:
    """What the chair or a bridge above may."""
    id_ = member.consultation_id
    row = await rosters.consultation(work.session, id_)
    control = await repository.control_of(work.session, row)
    is_chair = control.chair_id == member.id
    is_above = await _is_above(work, member)
    if not (is_chair or is_above):
        return False
    match order:
        case ConferenceOrder.CHAIR_RELEASE if is_chair:
            await chair.take_back_chair(work, id_)
        case ConferenceOrder.BROADCAST:
            await broadcast.start_broadcast(work, id_, target or member.id)
        case ConferenceOrder.BROADCAST_END if is_chair or control.broadcast_id == member.id:
            await broadcast.stop_broadcast(work, id_)
        case ConferenceOrder.DROP if target is not None:
            await ordering.present(work, await ordering.take(work, id_), target)
            await hang_up(work, id_, target)
        case _:
            return False
    return True


async def _is_above(work: Work, member: ParticipantRow) -> bool:
    site = await work.session.get(SiteRow, member.site_id) if member.site_id else None
    return site is not None and site.bridge_role == BridgeRole.UPPER
