"""The dispatch desk's decisions: ask for a plan, accept lines of it, choose by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

import resource_dispatch as dispatch

from ..incidents import IncidentRow, OrderRow, open_incident, tell, write
from ..incidents.dispatching import chosen, issue, promise
from ..incidents.repository import task as task_of
from ..incidents.repository import tasks, tasks_with_orders
from ..incidents.words import word
from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .errors import (
    DispatchPlanNotReadyError,
    IncidentsMixedError,
    LineOrderedError,
    TeamUnknownError,
)
from .question import ask
from .runner import PlanRunner
from .schemas import AcceptIn, OverrideIn, PlanIn
from .tables import DispatchOverrideRow, DispatchPlanRow

STALE = timedelta(minutes=3)


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="dispatch_plan.ask")
async def ask_plan(work: Work, runner: PlanRunner, wish: PlanIn) -> DispatchPlanRow:
    """Store the question; the runner solves it in the background and tells when it is done."""
    incidents = [
        await open_incident(work, id_, lock=False) for id_ in dict.fromkeys(wish.incident_ids)
    ]
    if len({incident.is_drill for incident in incidents}) > 1:
        raise IncidentsMixedError()
    if wish.previous_plan_id is not None:
        before = await repository.plan(work.session, wish.previous_plan_id)
        work.actor.require_region(before.region_code)
    asked = await ask(work.session, incidents, wish, runner.roads(), work.now, asking=runner.asking)
    await repository.fail_stale(work.session, work.now - STALE)
    row = DispatchPlanRow(
        region_code=common_region(incident.region_code for incident in incidents),
        question=wish.model_dump(mode="json"),
        created_at=work.now,
        created_by=work.actor.name,
        is_drill=incidents[0].is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    work.concerns("dispatch_plan", row.id, is_drill=row.is_drill, question=row.question)
    runner.start(row.id, row.region_code, asked, wish.seconds, work.actor)
    return row


def common_region(codes: Iterable[str]) -> str:
    """The smallest division that holds them all: 440229 and 440232 -> 440200."""
    columns = takewhile(lambda digits: len(set(digits)) == 1, zip(*codes, strict=False))
    same = "".join(digits[0] for digits in columns)
    return same[: len(same) // 2 * 2][:6].ljust(6, "0")


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="dispatch_plan.finish")
async def finish(work: Work, plan_id: UUID, content: dict[str, Any]) -> None:
    """The runner's answers are there."""
    row = await repository.plan(work.session, plan_id, lock=True)
    row.state, row.finished_at = "ready", work.now
    row.content = {**content, "accepted": []}
    _tell_plan(work, row)
    work.concerns("dispatch_plan", row.id, is_drill=row.is_drill)


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="dispatch_plan.fail")
async def fail(work: Work, plan_id: UUID, why: str) -> None:
    """The runner gave up."""
    row = await repository.plan(work.session, plan_id, lock=True)
    row.state, row.finished_at = "failed", work.now
    _tell_plan(work, row)
    work.concerns("dispatch_plan", row.id, is_drill=row.is_drill, why=why)


def _tell_plan(work: Work, row: DispatchPlanRow) -> None:
    work.emit(
        "dispatch_plan.updated",
        {"id": str(row.id), "state": row.state},
        region_code=row.region_code,
        is_drill=row.is_drill,
    )


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="dispatch_plan.cancel")
async def cancel_plan(work: Work, plan_id: UUID) -> DispatchPlanRow:
    """Stop searching; the best so far becomes the answer."""
    row = await repository.plan(work.session, plan_id, lock=True)
    work.actor.require_region(row.region_code)
    if row.state == "solving":
        row.state = "cancelling"
        _tell_plan(work, row)
    work.concerns("dispatch_plan", row.id, is_drill=row.is_drill)
    return row


@service_call(permission=Permission.DISPATCH_CONFIRM, audit="dispatch_plan.accept")
async def accept_lines(work: Work, plan_id: UUID, wish: AcceptIn) -> list[OrderRow]:
    """Issue orders for these lines of one alternative and promise the stock, all or nothing.

    Lines may be accepted one after another. Raises DispatchPlanNotReadyError, LineOrderedError,
    ProposalLinesUnknownError and the dispatch room's `team_taken` and `stock_short`.
    """
    row = await repository.plan(work.session, plan_id, lock=True)
    work.actor.require_region(row.region_code)
    found = [a for a in row.content.get("alternatives", []) if a["name"] == wish.alternative]
    if row.state != "ready" or not found:
        raise DispatchPlanNotReadyError()
    lines = chosen(found[0]["lines"], wish.line_ids)
    loads = chosen(found[0]["materials"], wish.material_ids)
    done = set(row.content.get("accepted", []))
    orders: list[OrderRow] = []
    for incident_id in dict.fromkeys(item["incident_id"] for item in (*lines, *loads)):
        incident = await open_incident(work, UUID(incident_id))
        cards = {card.id: card for card in await tasks(work.session, incident.id)}
        sent = await tasks_with_orders(work.session, incident.id)
        for line in (one for one in lines if one["incident_id"] == incident_id):
            if UUID(line["task_id"]) in sent or line["id"] in done:
                raise LineOrderedError(task=line["task_text"])
            orders.append(await issue(work, incident, line, cards))
        for load in (one for one in loads if one["incident_id"] == incident_id):
            if load["id"] not in done:
                await promise(work, incident, load)
    accepted = [*done, *(item["id"] for item in (*lines, *loads))]
    row.content = {**row.content, "accepted": sorted(set(accepted))}
    _tell_plan(work, row)
    numbers = [order.number for order in orders]
    work.concerns("dispatch_plan", row.id, is_drill=row.is_drill, orders=numbers)
    return orders


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="dispatch_override.set")
async def set_override(work: Work, wish: OverrideIn) -> DispatchOverrideRow:
    """A person's choice of team for a task: every later plan keeps it until it is lifted."""
    incident = await open_incident(work, wish.incident_id, lock=False)
    card = await task_of(work.session, incident.id, wish.task_id)
    teams = await dispatch.dispatch_teams(work.session, work.now, is_drill=incident.is_drill)
    names = {team.id: team.name for team in teams}
    if str(wish.team_id) not in names:
        raise TeamUnknownError()
    await repository.lift(work.session, card.id, wish.need, at=work.now, by=work.actor.name)
    row = DispatchOverrideRow(
        incident_id=incident.id,
        task_id=card.id,
        need=wish.need,
        team_id=wish.team_id,
        team_name=names[str(wish.team_id)],
        set_at=work.now,
        set_by=work.actor.name,
        is_drill=incident.is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    text = word("timeline", "override_set", task=f"{card.number} {card.text}", team=row.team_name)
    _tell_override(work, incident, row, text, "set")
    return row


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="dispatch_override.lift")
async def lift_override(work: Work, override_id: UUID) -> None:
    """The optimiser may choose again. Raises OverrideNotFoundError."""
    row = await repository.override(work.session, override_id)
    incident = await open_incident(work, row.incident_id, lock=False)
    card = await task_of(work.session, incident.id, row.task_id)
    row.lifted_at, row.lifted_by = work.now, work.actor.name
    text = word(
        "timeline", "override_lifted", task=f"{card.number} {card.text}", team=row.team_name
    )
    _tell_override(work, incident, row, text, "lifted")


def _tell_override(
    work: Work, incident: IncidentRow, row: DispatchOverrideRow, text: str, state: str
) -> None:
    body = {"id": str(row.id), "task_id": str(row.task_id), "state": state}
    write(work, incident, f"dispatch.override_{state}", text, body)
    tell(work, incident, "dispatch_override.updated", body)
    work.concerns("dispatch_override", row.id, is_drill=row.is_drill, team=row.team_name)
