"""Dispatch: the optimiser proposes teams and materials, a person confirms, orders go out.

A proposal changes nothing. Confirming takes the chosen teams' time and the stock, or fails whole:
the database decides that no team is in two places (F14).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import resource_dispatch as dispatch

from ..database.ids import new_id
from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .asking import AskingRule, teams_with_odds
from .errors import ProposalLinesUnknownError, ProposalUsedError
from .orders import tell_order
from .schemas import ConfirmIn
from .tables import (
    DRILL_ORDER_NUMBERS,
    ORDER_NUMBERS,
    DispatchProposalRow,
    IncidentRow,
    OrderRow,
    TaskRow,
)
from .timeline import open_incident, tell, write
from .words import word

SOLVE_S = 1.5
WEIGHTS: dict[str, dispatch.Weights] = {
    "fast": replace(dispatch.Weights(), coverage=0),
    "balanced": dispatch.Weights(),
    "cover": replace(dispatch.Weights(), coverage=7_200),
}


class Dispatcher:
    """The solver processes and the roads; built by the composition root."""

    def __init__(
        self,
        pool: dispatch.SolverPool,
        roads: Callable[[], dispatch.RoadNetwork],
        asking: AskingRule | None = None,
    ) -> None:
        self.pool = pool
        self.roads = roads
        self.asking = asking or AskingRule()


@dataclass(frozen=True, slots=True)
class _Question:
    tasks: list[dispatch.DispatchTask]
    teams: list[dispatch.DispatchTeam]
    depots: list[dispatch.DispatchDepot]


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="dispatch.propose")
async def propose(
    work: Work, dispatcher: Dispatcher, incident_id: UUID, objective: str | None
) -> DispatchProposalRow:
    """Ask the optimiser for the tasks that nobody has been sent to yet."""
    incident = await open_incident(work, incident_id, lock=False)
    question = await _question(work, incident, dispatcher.asking)
    found = await dispatcher.pool.propose(
        question.tasks,
        question.teams,
        question.depots,
        dispatcher.roads(),
        work.now,
        seconds=SOLVE_S,
        weights=WEIGHTS[objective or "balanced"],
    )
    row = DispatchProposalRow(
        incident_id=incident.id,
        solver=found.solver,
        created_at=work.now,
        created_by=work.actor.name,
        content=_content(found, work.now),
        is_drill=incident.is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    body = {
        "proposal_id": str(row.id),
        "lines": len(found.lines),
        "unassigned": len(found.unassigned),
    }
    text = word("timeline", "dispatch_proposed", **body)
    write(work, incident, "dispatch.proposed", text, body)
    tell(work, incident, "dispatch.proposed", body)
    work.concerns("dispatch_proposal", row.id, is_drill=row.is_drill, solver=row.solver)
    return row


async def _question(work: Work, incident: IncidentRow, asking: AskingRule) -> _Question:
    rows = await repository.tasks(work.session, incident.id)
    sent = await repository.tasks_with_orders(work.session, incident.id)
    stocked = await repository.tasks_with_stock(work.session, incident.id)
    number_to_id = {(row.plan_code, row.number): str(row.id) for row in rows}
    tasks = [
        dispatch_task(
            row, incident, number_to_id, wants_team=row.id not in sent, has_stock=row.id in stocked
        )
        for row in rows
        if row.state != "done"
    ]
    return _Question(
        tasks=[task for task in tasks if task.needs or task.materials],
        teams=await teams_with_odds(work.session, work.now, asking, is_drill=incident.is_drill),
        depots=await dispatch.dispatch_depots(work.session, is_drill=incident.is_drill),
    )


def dispatch_task(
    row: TaskRow,
    incident: IncidentRow,
    number_to_id: dict[tuple[str, str], str],
    *,
    wants_team: bool,
    has_stock: bool,
) -> dispatch.DispatchTask:
    """A task card as the optimiser sees it, at the incident's place."""
    needs: tuple[dispatch.Need, ...] = ()
    if wants_team and row.crew_needed > 0:
        needs = (
            dispatch.Need(
                skills=frozenset(row.skills),
                min_crew=row.crew_needed,
                duration_s=row.work_minutes * 60,
            ),
        )
    materials: tuple[dispatch.MaterialNeed, ...] = ()
    if not has_stock:
        materials = tuple(
            dispatch.MaterialNeed(n["item"], int(n["quantity"]), n.get("unit", ""))
            for n in row.needs
        )
    before = (number_to_id.get((row.plan_code, number)) for number in row.depends_on)
    return dispatch.DispatchTask(
        id=str(row.id),
        text=f"{row.number} {row.text}",
        longitude=incident.longitude,
        latitude=incident.latitude,
        needs=needs,
        severity=row.severity,
        golden_at=row.due_at,
        predecessors=tuple(id_ for id_ in before if id_ is not None),
        materials=materials,
    )


def _content(found: dispatch.Proposal, now: datetime) -> dict[str, Any]:
    """The proposal as plain JSON; each line and load gets an id to be chosen by."""
    return {
        "lines": [_line(line, now) for line in found.lines],
        "materials": [_load(load) for load in found.materials],
        "unassigned": [
            {"task_id": u.task_id, "task_text": u.task_text, "reason": u.reason.text()}
            for u in found.unassigned
        ],
        "note": found.note.text() if found.note else None,
        "terms": dict(found.terms),
        "gap": found.gap,
    }


def _line(line: dispatch.ProposalLine, now: datetime) -> dict[str, Any]:
    runner_up = None
    if line.runner_up is not None:
        minutes = round((line.runner_up.arrive_at - now).total_seconds() / 60)
        runner_up = word(
            "dispatch", "runner_up", team=line.runner_up.team_name, minutes=max(0, minutes)
        )
    return {
        "id": str(new_id()),
        "task_id": line.task_id,
        "task_text": line.task_text,
        "team_id": line.team_id,
        "team_name": line.team_name,
        "skills": list(line.skills),
        "crew": line.crew,
        "authority": line.authority,
        "depart_at": line.depart_at.isoformat(),
        "arrive_at": line.arrive_at.isoformat(),
        "finish_at": line.finish_at.isoformat(),
        "travel_minutes": line.travel_minutes,
        "distance_km": round(line.distance_m / 1000, 1),
        "route": [list(point) for point in line.route],
        "reason": line.reason.text(),
        "runner_up": runner_up,
        "fallback": line.fallback.text() if line.fallback else None,
    }


def _load(load: dispatch.MaterialLine) -> dict[str, Any]:
    return {
        "id": str(new_id()),
        "task_id": load.task_id,
        "depot_id": load.depot_id,
        "depot_name": load.depot_name,
        "item": load.item,
        "quantity": load.quantity,
        "unit": load.unit,
        "arrive_at": load.arrive_at.isoformat(),
        "route": [list(point) for point in load.route],
    }


@service_call(permission=Permission.DISPATCH_CONFIRM, audit="dispatch.confirm")
async def confirm(work: Work, proposal_id: UUID, wish: ConfirmIn) -> list[OrderRow]:
    """Issue orders for the chosen lines and promise the chosen stock, all or nothing.

    Without `material_ids` all materials are taken. Raises ProposalUsedError,
    ProposalLinesUnknownError and the dispatch room's `team_taken` and `stock_short`.
    """
    proposal = await repository.proposal(work.session, proposal_id, lock=True)
    incident = await open_incident(work, proposal.incident_id, lock=False)
    if proposal.state != "proposed":
        raise ProposalUsedError(winner=proposal.confirmed_by or "")
    lines = chosen(proposal.content["lines"], wish.line_ids)
    loads = chosen(proposal.content["materials"], wish.material_ids)
    proposal.state = "confirmed"
    proposal.confirmed_at, proposal.confirmed_by = work.now, work.actor.name
    tasks = {row.id: row for row in await repository.tasks(work.session, incident.id)}
    orders = [await issue(work, incident, line, tasks, proposal.id) for line in lines]
    for load in loads:
        await promise(work, incident, load)
    work.concerns(
        "dispatch_proposal",
        proposal.id,
        is_drill=proposal.is_drill,
        orders=[order.number for order in orders],
    )
    return orders


async def promise(work: Work, incident: IncidentRow, load: dict[str, Any]) -> None:
    """Promise the stock of one load within a service call. Raises the room's `stock_short`."""
    await dispatch.reserve_stock(
        work.session,
        depot_id=UUID(load["depot_id"]),
        item=load["item"],
        quantity=load["quantity"],
        incident_id=incident.id,
        task_id=UUID(load["task_id"]),
        reserved_by=work.actor.name,
        is_drill=incident.is_drill,
    )


def chosen(items: list[dict[str, Any]], ids: Iterable[str] | None) -> list[dict[str, Any]]:
    """The items with these ids, all for None. Raises ProposalLinesUnknownError."""
    if ids is None:
        return items
    wanted = set(ids)
    if unknown := wanted - {item["id"] for item in items}:
        raise ProposalLinesUnknownError(unknown=sorted(unknown)[:10])
    return [item for item in items if item["id"] in wanted]


async def issue(
    work: Work,
    incident: IncidentRow,
    line: dict[str, Any],
    tasks: dict[UUID, TaskRow],
    proposal_id: UUID | None = None,
) -> OrderRow:
    """Issue the order of one line within a service call. Raises the room's `team_taken`."""
    sequence = DRILL_ORDER_NUMBERS if incident.is_drill else ORDER_NUMBERS
    count = await repository.next_number(work.session, sequence)
    prefix = "DRL-ORD" if incident.is_drill else "ORD"
    task = tasks.get(UUID(line["task_id"]))
    finish_at = datetime.fromisoformat(line["finish_at"])
    order = OrderRow(
        number=f"{prefix}-{work.now.year}-{count:04d}",
        incident_id=incident.id,
        proposal_id=proposal_id,
        line_id=line["id"],
        task_id=UUID(line["task_id"]),
        task_text=line["task_text"],
        team_id=UUID(line["team_id"]),
        team_name=line["team_name"],
        kind=line["authority"],
        issued_at=work.now,
        issued_by=work.actor.name,
        depart_at=datetime.fromisoformat(line["depart_at"]),
        due_at=finish_at if task is None else max(finish_at, task.due_at),
        region_code=incident.region_code,
        is_drill=incident.is_drill,
    )
    work.session.add(order)
    await work.session.flush()
    await dispatch.assign_team(
        work.session,
        team_id=order.team_id,
        incident_id=incident.id,
        starts_at=datetime.fromisoformat(line["depart_at"]),
        ends_at=finish_at,
        task_id=order.task_id,
        order_id=order.id,
        is_drill=incident.is_drill,
    )
    key = "order_issued" if order.kind == "order" else "request_issued"
    text = word("timeline", key, number=order.number, team=order.team_name, task=order.task_text)
    write(work, incident, "order.issued", text, {"order_id": str(order.id)})
    tell_order(work, incident, order)
    return order
