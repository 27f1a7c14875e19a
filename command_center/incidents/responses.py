"""Activating a response: a person, a tier, a level and its grounds; task cards follow.

Each tier declares its own level and several run at once (突发事件应对法 2024, arts. 71-72). Raising
or lowering a tier's level of one plan ends the response before and adds the cards that are new.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

import plans
from plans import ResponseLevel

from ..onemap import nearest_other_city
from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .errors import LevelNotInPlanError, ResponseExistsError
from .schemas import ActivateIn
from .tables import IncidentRow, ResponseRow, TaskRow
from .timeline import open_incident, tell, write
from .view import shown
from .words import word


@dataclass(frozen=True, slots=True)
class Activated:
    response: ResponseRow
    tasks: list[TaskRow]


async def facts_of(work: Work, incident: IncidentRow) -> plans.Facts:
    """The incident's facts as plans see them, with how near the next city is."""
    beyond = nearest_other_city(incident.longitude, incident.latitude)
    return plans.facts_from_incident(
        (await shown(work, incident)).model_dump(mode="json"),
        border_city_km=None if beyond is None else round(beyond[1], 1),
    )


@service_call(permission=Permission.RESPONSE_ACTIVATE, audit="response.activate")
async def activate(work: Work, incident_id: UUID, wish: ActivateIn) -> Activated:
    """Declare a response level. Raises ResponseExistsError when this tier has it already,
    LevelNotInPlanError, and the plans room's `plan_not_found`, `plan_not_in_force`."""
    incident = await open_incident(work, incident_id)
    plan = await plans.get_plan(work.session, wish.plan_id)
    level = ResponseLevel(str(wish.level))
    if plan.levels and plan.level_rule(wish.tier, level) is None:
        raise LevelNotInPlanError(tier=wish.tier, level=str(wish.level))
    for earlier in await repository.responses(work.session, [incident.id]):
        if earlier.plan_id == plan.id and earlier.tier == wish.tier and earlier.ended_at is None:
            if earlier.level == level.value:
                raise ResponseExistsError()
            earlier.ended_at = work.now
    await work.session.flush()
    response = ResponseRow(
        incident_id=incident.id,
        plan_id=plan.id,
        plan_name=plan.name,
        tier=wish.tier,
        level=level.value,
        declared_by=work.actor.name,
        declared_by_id=work.actor.id,
        grounds=wish.grounds,
        from_at=work.now,
        expected_until=work.now + timedelta(hours=wish.expected_hours),
        is_drill=incident.is_drill,
    )
    work.session.add(response)
    await work.session.flush()
    tasks = await _add_tasks(work, incident, plan, response, level)
    incident.plan_id = incident.plan_id or plan.id
    incident.updated_at = work.now
    _tell(work, incident, response, tasks)
    await work.session.flush()
    work.concerns(
        "response", response.id, is_drill=incident.is_drill, tier=wish.tier, level=level.value
    )
    return Activated(response, tasks)


async def _add_tasks(
    work: Work, incident: IncidentRow, plan: plans.Plan, response: ResponseRow, level: ResponseLevel
) -> list[TaskRow]:
    """The plan's cards that the incident does not have yet, dated from now."""
    existing = await repository.tasks(work.session, incident.id)
    already = [task.number for task in existing if task.plan_code == plan.code]
    cards = plans.instantiate(
        plan,
        level,
        work.now,
        tier=response.tier,
        facts=await facts_of(work, incident),
        already=already,
    )
    rows = [
        TaskRow(
            incident_id=incident.id,
            response_id=response.id,
            plan_code=card.plan_code,
            number=card.number,
            group_code=card.group_code,
            group_name=card.group_name,
            text=card.text,
            responsible=card.responsible,
            due_at=card.due_at,
            depends_on=list(card.depends_on),
            evidence=card.evidence,
            clause=card.clause,
            skills=list(card.skills),
            crew_needed=card.crew_needed,
            work_minutes=card.work_minutes,
            severity=card.severity,
            needs=[asdict(need) for need in card.needs],
            is_drill=incident.is_drill,
        )
        for card in cards
    ]
    work.session.add_all(rows)
    await work.session.flush()
    return rows


def _tell(work: Work, incident: IncidentRow, response: ResponseRow, tasks: list[TaskRow]) -> None:
    text = word(
        "timeline",
        "response_activated",
        tier=word("tier", response.tier),
        level=word("level", response.level),
        plan=response.plan_name,
        grounds=response.grounds,
    )
    body = {"response_id": str(response.id), "tasks": len(tasks)}
    write(work, incident, "response.activated", text, body)
    tell(work, incident, "response.activated", body)
    tell(work, incident, "incident.updated", {"plan_id": str(response.plan_id)})
