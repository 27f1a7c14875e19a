"""What the optimiser is asked: tasks of the incidents, teams where they are, roads as they are.

A team under orders starts from the place of its order, when that is done; so no answer can move an
order already given. A task that waits for ordered work may not begin before that is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import resource_dispatch as dispatch

from ..incidents import AskingRule, IncidentRow, OrderRow, teams_with_odds
from ..incidents.dispatching import WEIGHTS, dispatch_task
from ..incidents.repository import tasks, tasks_with_orders, tasks_with_stock
from . import repository
from .errors import RoadUnknownError
from .schemas import PlanIn


@dataclass(frozen=True, slots=True)
class Standing:
    """An order that holds now: where it leads, from when to when its team is bound."""

    order: OrderRow
    incident: IncidentRow
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, ready for the optimiser, with what its answers are shown beside."""

    tasks: list[dispatch.DispatchTask]
    teams: list[dispatch.DispatchTeam]
    homes: dict[str, dispatch.DispatchTeam]
    depots: list[dispatch.DispatchDepot]
    overrides: list[dispatch.DispatchChoice]
    previous: list[dispatch.DispatchChoice]
    standing: list[Standing]
    incident_of: dict[str, IncidentRow]
    weights: dispatch.Weights
    conditions: dispatch.RoadConditions
    now: datetime


async def ask(
    session: AsyncSession,
    incidents: Sequence[IncidentRow],
    wish: PlanIn,
    roads: dispatch.RoadNetwork,
    now: datetime,
    *,
    asking: AskingRule,
) -> Asked:
    """Gather the question. Raises RoadUnknownError and DispatchPlanNotFoundError."""
    is_drill = incidents[0].is_drill
    standing = await _standing(session, is_drill=is_drill)
    found: list[dispatch.DispatchTask] = []
    incident_of: dict[str, IncidentRow] = {}
    plumes = {p.incident_id: dispatch.Plume(p.wind_from_deg, p.radius_m) for p in wish.plumes}
    for incident in incidents:
        for task in await _tasks(session, incident, standing):
            found.append(replace(task, plume=plumes.get(incident.id)))
            incident_of[task.id] = incident
    homes = await teams_with_odds(session, now, asking, is_drill=is_drill)
    lost = {str(id_) for id_ in wish.lost_team_ids}
    teams = [_placed(team, standing, lost) for team in homes]
    served = {task.id for task in found if task.needs}
    known = {team.id for team in teams}
    held = await repository.overrides(session, [incident.id for incident in incidents])
    return Asked(
        tasks=found,
        teams=teams,
        homes={team.id: team for team in homes},
        depots=await dispatch.dispatch_depots(session, is_drill=is_drill),
        overrides=[
            dispatch.DispatchChoice(str(row.team_id), str(row.task_id), row.need)
            for row in held
            if str(row.task_id) in served and str(row.team_id) in known
        ],
        previous=await _previous(session, wish),
        standing=standing,
        incident_of=incident_of,
        weights=WEIGHTS[wish.objective],
        conditions=conditions_of(wish, roads),
        now=now,
    )


def conditions_of(wish: PlanIn, roads: dispatch.RoadNetwork) -> dispatch.RoadConditions:
    """The roads that the question takes for closed. Raises RoadUnknownError."""
    graph = roads.graph
    if unknown := [arc for arc in wish.closed_roads if not graph.has_edge(*arc)]:
        raise RoadUnknownError(arc=list(unknown[0]))
    conditions = dispatch.RoadConditions(dispatch.both_ways(graph, wish.closed_roads))
    for circle in wish.closed_circles:
        conditions = conditions.closing(
            dispatch.arcs_in_circle(graph, circle.longitude, circle.latitude, circle.radius_m)
        )
    return conditions


async def _standing(session: AsyncSession, *, is_drill: bool) -> list[Standing]:
    found = []
    spans = await dispatch.assignment_spans(session, is_drill=is_drill)
    for order, incident in await repository.active_orders(session, is_drill=is_drill):
        begins, ends = spans.get(order.id, (order.depart_at or order.issued_at, order.due_at))
        found.append(Standing(order, incident, begins, ends or begins))
    return found


async def _tasks(
    session: AsyncSession, incident: IncidentRow, standing: list[Standing]
) -> list[dispatch.DispatchTask]:
    rows = await tasks(session, incident.id)
    sent = await tasks_with_orders(session, incident.id)
    stocked = await tasks_with_stock(session, incident.id)
    ends = {s.order.task_id: s.ends_at for s in standing}
    number_to_id = {(row.plan_code, row.number): row.id for row in rows}
    names = {key: str(id_) for key, id_ in number_to_id.items()}
    found = []
    for row in rows:
        if row.state == "done":
            continue
        task = dispatch_task(
            row, incident, names, wants_team=row.id not in sent, has_stock=row.id in stocked
        )
        before = (number_to_id.get((row.plan_code, number)) for number in row.depends_on)
        waits = [ends[id_] for id_ in before if id_ in ends]
        if waits:
            task = replace(task, release_at=max(waits))
        if task.needs or task.materials:
            found.append(task)
    return found


def _placed(
    team: dispatch.DispatchTeam, standing: list[Standing], lost: set[str]
) -> dispatch.DispatchTeam:
    """The team where its last order leaves it; a lost one is there, but not available."""
    if team.id in lost:
        return replace(team, is_available=False)
    orders = [s for s in standing if str(s.order.team_id) == team.id]
    if not orders:
        return team
    last = max(orders, key=lambda s: s.ends_at)
    return replace(team, longitude=last.incident.longitude, latitude=last.incident.latitude)


async def _previous(session: AsyncSession, wish: PlanIn) -> list[dispatch.DispatchChoice]:
    if wish.previous_plan_id is None:
        return []
    row = await repository.plan(session, wish.previous_plan_id)
    answers: list[dict[str, Any]] = row.content.get("alternatives", [])
    chosen = [a for a in answers if a["name"] == wish.previous_alternative] or answers[:1]
    return [choice_of(line) for answer in chosen for line in answer["lines"]]


def choice_of(line: dict[str, Any]) -> dispatch.DispatchChoice:
    """A stored line as the plan before."""
    return dispatch.DispatchChoice(
        line["team_id"], line["task_id"], line["need"], datetime.fromisoformat(line["start_at"])
    )


def desk_of(asked: Asked, roads: dispatch.RoadNetwork) -> dispatch.Desk:
    """The question as the optimiser's desk; some tenths of a second, so not in a loop."""
    return dispatch.Desk(
        asked.tasks,
        asked.teams,
        asked.depots,
        roads.under(asked.conditions),
        asked.now,
        overrides=asked.overrides,
        weights=asked.weights,
    )


def incident_ids(row_question: dict[str, Any]) -> list[UUID]:
    return [UUID(str(id_)) for id_ in row_question["incident_ids"]]
