"""Taking an order of the desk: lock the consultation, change its orders, tell everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ...security import Permission, Work
from ...security.actor import ActorKind
from ...security.errors import PermissionDeniedError
from .. import repository as rosters
from .. import roster
from ..errors import LocalConsultationError
from ..model import ParticipantState
from ..service import open_consultation_row
from ..tables import ConsultationRow, ParticipantRow
from . import repository
from .tables import ControlRow

HERE = frozenset({ParticipantState.JOINED.value, ParticipantState.LOST.value})


@dataclass(frozen=True, slots=True)
class Orders:
    """A consultation, locked, with what the desk ordered so far."""

    row: ConsultationRow
    control: ControlRow


async def take(work: Work, consultation_id: UUID) -> Orders:
    """Raises `consultation_not_found`, `consultation_closed`."""
    row = await open_consultation_row(work, consultation_id)
    return Orders(row, await repository.control_of(work.session, row))


def tell(work: Work, orders: Orders, what: str, **detail: Any) -> None:
    """Store the orders and tell every page what changed; the audit row gets the detail too."""
    work.session.add(orders.control)
    body = {"id": str(orders.row.id), "what": what, **detail}
    roster.tell(work, orders.row, "consultation.updated", body)
    work.concerns("consultation", orders.row.id, is_drill=orders.row.is_drill, **detail)


async def member(work: Work, orders: Orders, participant_id: UUID) -> ParticipantRow:
    """Somebody on the roster, locked. Raises `participant_not_found`."""
    return await rosters.participant(work.session, orders.row.id, participant_id)


async def present(work: Work, orders: Orders, participant_id: UUID) -> ParticipantRow:
    """Somebody who is in. Raises `participant_not_found`, `participant_absent`."""
    found = await member(work, orders, participant_id)
    if found.state not in HERE:
        raise LocalConsultationError("participant_absent", name=found.name)
    return found


async def oneself(work: Work, orders: Orders) -> ParticipantRow:
    """The caller's own line on the roster. Raises `participant_not_found`."""
    actor = work.actor
    if actor.kind is ActorKind.FIELD_TEAM:
        if actor.participant_id is None:
            raise LocalConsultationError("participant_not_found")
        return await member(work, orders, actor.participant_id)
    found = None
    if actor.kind is ActorKind.USER:
        found = await rosters.participant_of_user(work.session, orders.row.id, UUID(actor.id))
    if found is None:
        raise LocalConsultationError("participant_not_found")
    return found


async def require_desk_or_chair(work: Work, orders: Orders) -> None:
    """The desk's operators and whoever holds the chair. Raises PermissionDeniedError."""
    if work.actor.may(Permission.CONSULTATION_CONTROL):
        return
    chair = orders.control.chair_id
    if chair is not None and (await oneself(work, orders)).id == chair:
        return
    raise PermissionDeniedError(permission=Permission.CONSULTATION_CONTROL.value)
