"""申请发言, 发言列表: the queue of those who want to speak.

Whether granting closes the others' microphones is a setting of the consultation, taken when the
floor is granted. Whoever has the floor is heard although the desk muted it before; ending it
restores that mute, for it was never changed.
"""

from __future__ import annotations

from uuid import UUID

from ...security import Permission, Work, service_call
from .. import repository as rosters
from .. import roster
from ..errors import LocalConsultationError
from ..tables import ParticipantRow
from . import ordering, repository
from .ordering import Orders
from .tables import FloorRow


@service_call(permission=Permission.CONSULTATION_JOIN, audit="floor.request")
async def request_floor(work: Work, consultation_id: UUID) -> Orders:
    """申请发言 from a member's own page. Asking twice changes nothing."""
    orders = await ordering.take(work, consultation_id)
    await _ask(work, orders, await ordering.oneself(work, orders), "page")
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="floor.request_for")
async def request_floor_for(
    work: Work, consultation_id: UUID, site: UUID, origin: str = "desk"
) -> Orders:
    """The same for a site: by its keys (*9), or because it asked by telephone."""
    orders = await ordering.take(work, consultation_id)
    await _ask(work, orders, await ordering.member(work, orders, site), origin)
    return orders


async def _ask(work: Work, orders: Orders, member: ParticipantRow, origin: str) -> None:
    if await repository.floor_request(work.session, orders.row.id, member.id) is not None:
        return
    work.session.add(
        FloorRow(
            consultation_id=orders.row.id,
            participant_id=member.id,
            origin=origin,
            requested_at=work.now,
            is_drill=orders.row.is_drill,
        )
    )
    ordering.tell(work, orders, "floor", participant_id=str(member.id))
    await roster.note(work, orders.row, "floor_asked", name=member.name)


@service_call(permission=Permission.CONSULTATION_JOIN, audit="floor.withdraw")
async def withdraw_floor(work: Work, consultation_id: UUID) -> Orders:
    """The member takes its request back, or gives the floor back."""
    orders = await ordering.take(work, consultation_id)
    await _withdraw(work, orders, (await ordering.oneself(work, orders)).id)
    return orders


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="floor.withdraw_for")
async def withdraw_floor_for(work: Work, consultation_id: UUID, site: UUID) -> Orders:
    """The same by a site's keys (*0)."""
    orders = await ordering.take(work, consultation_id)
    await _withdraw(work, orders, site)
    return orders


async def _withdraw(work: Work, orders: Orders, site: UUID) -> None:
    request = await repository.floor_request(work.session, orders.row.id, site)
    if request is None:
        return
    request.state = "ended" if request.state == "granted" else "withdrawn"
    request.ended_at = work.now
    work.session.add(request)
    ordering.tell(work, orders, "floor", participant_id=str(site))


async def _request(work: Work, orders: Orders, site: UUID) -> tuple[FloorRow, ParticipantRow]:
    await ordering.require_desk_or_chair(work, orders)
    member = await rosters.participant(work.session, orders.row.id, site, lock=False)
    request = await repository.floor_request(work.session, orders.row.id, site)
    if request is None:
        raise LocalConsultationError("floor_not_requested", name=member.name)
    return request, member


@service_call(permission=Permission.CONSULTATION_JOIN, audit="floor.grant")
async def grant_floor(work: Work, consultation_id: UUID, site: UUID) -> Orders:
    """同意发言, by the desk or the chair. With the setting one speaks at a time.

    Raises `floor_not_requested`, PermissionDeniedError.
    """
    orders = await ordering.take(work, consultation_id)
    request, member = await _request(work, orders, site)
    is_exclusive = orders.control.floor_mutes_others
    if is_exclusive:
        for other in await repository.floor_queue(work.session, orders.row.id):
            if other.state == "granted" and other.id != request.id:
                other.state, other.ended_at = "ended", work.now
                work.session.add(other)
    request.state, request.is_exclusive, request.decided_at = "granted", is_exclusive, work.now
    work.session.add(request)
    ordering.tell(work, orders, "floor", participant_id=str(site))
    await roster.note(work, orders.row, "floor_granted", name=member.name)
    return orders


@service_call(permission=Permission.CONSULTATION_JOIN, audit="floor.refuse")
async def refuse_floor(work: Work, consultation_id: UUID, site: UUID) -> Orders:
    """拒绝发言, or 结束发言 of who has the floor. Raises `floor_not_requested`."""
    orders = await ordering.take(work, consultation_id)
    request, _member = await _request(work, orders, site)
    was_granted = request.state == "granted"
    request.state = "ended" if was_granted else "refused"
    request.decided_at = request.decided_at or work.now
    request.ended_at = work.now
    work.session.add(request)
    ordering.tell(work, orders, "floor", participant_id=str(site))
    return orders
