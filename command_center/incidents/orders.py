"""Orders on their way: issued -> received -> accepted -> arrived -> done, or declined.

Every step is one conditional UPDATE, so that of many people who press at once exactly one wins;
the others are told who. Only a request for help (商请) may be declined, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from resource_dispatch import release_team

from ..security.actor import Actor, ActorKind
from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .errors import (
    OrderIsBindingError,
    OrderNotFoundError,
    OrderStateConflictError,
    ReasonMissingError,
)
from .tables import IncidentRow, OrderRow
from .timeline import write
from .words import word


@dataclass(frozen=True, slots=True)
class Step:
    """From which states, to which state, and which time and name it writes."""

    from_states: frozenset[str]
    to_state: str
    mark: str


STEPS: dict[str, Step] = {
    "receive": Step(frozenset({"issued"}), "received", "received"),
    "accept": Step(frozenset({"issued", "received"}), "accepted", "accepted"),
    "arrive": Step(frozenset({"accepted"}), "accepted", "arrived"),
    "done": Step(frozenset({"accepted"}), "done", "done"),
    "decline": Step(frozenset({"issued", "received"}), "declined", "declined"),
}


def check_reach(actor: Actor, order: OrderRow) -> None:
    """A field team reaches its own orders only, a desk those of its region.

    Raises OrderNotFoundError either way: others' orders are not betrayed.
    """
    if actor.kind is ActorKind.FIELD_TEAM:
        if actor.team_id is None or actor.team_id != order.team_id:
            raise OrderNotFoundError()
    elif not actor.covers(order.region_code):
        raise OrderNotFoundError()


def winner_of(order: OrderRow) -> str:
    """Who made the last step."""
    names = (
        order.done_by,
        order.declined_by,
        order.arrived_by,
        order.accepted_by,
        order.received_by,
        order.issued_by,
    )
    return next(name for name in names if name)


def _values(
    step: Step, order: OrderRow, now: datetime, name: str, note: str | None
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": step.to_state,
        f"{step.mark}_at": now,
        f"{step.mark}_by": name,
    }
    if step.mark == "accepted" and order.received_at is None:
        values |= {"received_at": now, "received_by": name}
    if note:
        values["note"] = note
    return values


@service_call(permission=Permission.ORDER_ACT, audit="order.step")
async def step_order(work: Work, order_id: UUID, action: str, note: str | None = None) -> OrderRow:
    """Make one step (`receive`, `accept`, `arrive`, `done`, `decline`).

    Raises OrderStateConflictError naming the winner, OrderIsBindingError, ReasonMissingError,
    OrderNotFoundError.
    """
    step = STEPS[action]
    order = await repository.order(work.session, order_id)
    check_reach(work.actor, order)
    if action == "decline":
        if order.kind != "request":
            raise OrderIsBindingError()
        if not note:
            raise ReasonMissingError()
    values = _values(step, order, work.now, work.actor.name, note)
    won = await repository.move_order(
        work.session, order_id, allowed=step.from_states, values=values
    )
    await work.session.refresh(order)
    if not won:
        raise OrderStateConflictError(winner=winner_of(order), state=order.state)
    if order.state in ("done", "declined"):
        await release_team(work.session, order_id=order.id, at=work.now)
    incident = await repository.incident(work.session, order.incident_id)
    text = word(
        "timeline",
        f"order_{step.mark}",
        number=order.number,
        team=order.team_name,
        note=note or "",
    )
    write(work, incident, f"order.{step.mark}", text, {"order_id": str(order.id)})
    tell_order(work, incident, order)
    work.concerns("order", order.id, is_drill=order.is_drill, action=action, number=order.number)
    return order


def tell_order(work: Work, incident: IncidentRow, order: OrderRow) -> None:
    """The desks of the region and the team's phone are told."""
    work.emit(
        "order.updated",
        {"id": str(order.id), "number": order.number, "state": order.state},
        incident_id=incident.id,
        region_code=incident.region_code,
        team_id=order.team_id,
        is_drill=order.is_drill,
    )
