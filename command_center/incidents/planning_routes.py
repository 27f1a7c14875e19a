"""Routes of plans: the library, and the plans proposed for an incident."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict

import plans

from ..security.permissions import Permission
from ..web.context import Context
from ..web.routing import Route, route
from . import repository
from .responses import facts_of


class ProposalOut(BaseModel):
    """A plan that fits, its score from 0 to 1 and why."""

    plan_id: UUID
    name: str
    score: float
    reasons: list[str]
    suggested_level: int | str | None
    tier: str


class ProposalsOut(BaseModel):
    items: list[ProposalOut]


def _level(level: plans.ResponseLevel | None) -> int | str | None:
    if level is None:
        return None
    return "standby" if level is plans.ResponseLevel.STANDBY else int(level.value)


@route(
    "GET",
    "/incidents/{incident_id}/plan-proposals",
    access=Permission.PLAN_READ,
    reply=ProposalsOut,
)
async def propose_plans(ctx: Context[None]) -> ProposalsOut:
    """The plans that fit, best first, each with its reasons."""
    incident = await repository.incident(ctx.work.session, ctx.path_id("incident_id"))
    ctx.actor.require_region(incident.region_code)
    facts = await facts_of(ctx.work, incident)
    in_force = await plans.plans_in_force(ctx.work.session)
    found = plans.propose(facts, in_force)
    return ProposalsOut(
        items=[
            ProposalOut(
                plan_id=p.plan.id,
                name=p.plan.name,
                score=round(p.score, 3),
                reasons=list(p.reasons),
                suggested_level=_level(p.suggested_level),
                tier=p.plan.tier,
            )
            for p in found
        ]
    )


class PlanHeadOut(BaseModel):
    """A plan as lists show it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    version: str
    name: str
    kind: str
    tier: str
    region_code: str
    event_types: list[str]
    status: str
    issued_by: str
    issued_on: date | None
    review_due: date | None
    is_demo: bool


class PlansOut(BaseModel):
    items: list[PlanHeadOut]


class ClauseOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    number: str
    title: str
    text: str


class LevelOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    tier: str
    level: str
    trigger_text: str
    declared_by: str
    expected_hours: int
    group_codes: list[str]
    notify: list[str]
    clause: str


class GroupOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    code: str
    name: str
    lead_unit: str
    members: list[str]
    duties: str
    clause: str


class CardOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    number: str
    group_code: str
    text: str
    responsible: str
    deadline_minutes: int
    depends_on: list[str]
    evidence: str
    clause: str
    least_level: str


class PlanOut(PlanHeadOut):
    """A plan, whole: the source's clauses beside the data drawn from them."""

    filing_number: str
    summary: str
    clauses: list[ClauseOut]
    levels: list[LevelOut]
    groups: list[GroupOut]
    cards: list[CardOut]


@route("GET", "/plans", access=Permission.PLAN_READ, reply=PlansOut)
async def list_plans(ctx: Context[None]) -> PlansOut:
    """The plans in force."""
    heads = await plans.list_plans(ctx.work.session)
    return PlansOut(items=[PlanHeadOut.model_validate(head) for head in heads])


@route("GET", "/plans/{plan_id}", access=Permission.PLAN_READ, reply=PlanOut)
async def get_plan(ctx: Context[None]) -> PlanOut:
    """One plan, whole."""
    return PlanOut.model_validate(await plans.get_plan(ctx.work.session, ctx.path_id("plan_id")))


ROUTES: list[Route] = [propose_plans, list_plans, get_plan]
