"""Routes of plans: the library, and the plans proposed for an incident."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

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


ROUTES: list[Route] = [propose_plans]
