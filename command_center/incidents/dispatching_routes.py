"""Routes of dispatch: propose, read a proposal, confirm it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from ..security.permissions import Permission
from ..web.context import Context
from ..web.routing import Route, route
from . import repository
from .dispatching import Dispatcher, confirm, propose
from .errors import ProposalNotFoundError
from .schemas import ConfirmIn, DispatchIn, OrderOut
from .tables import DispatchProposalRow
from .view import order_out


class LineOut(BaseModel):
    id: str
    task_id: UUID
    task_text: str
    team_id: UUID
    team_name: str
    skills: list[str]
    crew: int
    authority: str
    depart_at: datetime
    arrive_at: datetime
    travel_minutes: int
    distance_km: float
    route: list[tuple[float, float]]
    reason: str
    runner_up: str | None
    fallback: str | None = None


class LoadOut(BaseModel):
    id: str
    task_id: UUID
    depot_id: UUID
    depot_name: str
    item: str
    quantity: int
    unit: str
    arrive_at: datetime
    route: list[tuple[float, float]]


class UnassignedOut(BaseModel):
    task_id: UUID
    task_text: str
    reason: str


class DispatchProposalOut(BaseModel):
    """What the optimiser proposes; nothing is ordered yet."""

    id: UUID
    incident_id: UUID
    state: str
    created_at: datetime
    solver: str
    note: str | None
    lines: list[LineOut]
    materials: list[LoadOut]
    unassigned: list[UnassignedOut]

    @classmethod
    def of(cls, row: DispatchProposalRow) -> DispatchProposalOut:
        return cls.model_validate({**row.content, **row.model_dump(exclude={"content"})})


class ConfirmedOut(BaseModel):
    orders: list[OrderOut]


@route(
    "POST",
    "/incidents/{incident_id}/dispatch-proposals",
    access=propose,
    body=DispatchIn,
    reply=DispatchProposalOut,
    status=201,
)
async def post_proposal(ctx: Context[DispatchIn]) -> DispatchProposalOut:
    """Ask the optimiser for teams and materials."""
    row = await propose(
        ctx.work, ctx.service(Dispatcher), ctx.path_id("incident_id"), ctx.body.objective
    )
    return DispatchProposalOut.of(row)


@route(
    "GET",
    "/incidents/{incident_id}/dispatch-proposals/{proposal_id}",
    access=Permission.INCIDENT_READ,
    reply=DispatchProposalOut,
)
async def get_proposal(ctx: Context[None]) -> DispatchProposalOut:
    """Read a proposal again."""
    incident = await repository.incident(ctx.work.session, ctx.path_id("incident_id"))
    ctx.actor.require_region(incident.region_code)
    row = await repository.proposal(ctx.work.session, ctx.path_id("proposal_id"))
    if row.incident_id != incident.id:
        raise ProposalNotFoundError()
    return DispatchProposalOut.of(row)


@route(
    "POST",
    "/dispatch-proposals/{proposal_id}/confirm",
    access=confirm,
    body=ConfirmIn,
    reply=ConfirmedOut,
)
async def post_confirm(ctx: Context[ConfirmIn]) -> ConfirmedOut:
    """Issue the orders of the chosen lines."""
    orders = await confirm(ctx.work, ctx.path_id("proposal_id"), ctx.body)
    return ConfirmedOut(orders=[order_out(order, ctx.work.now) for order in orders])


ROUTES: list[Route] = [post_proposal, get_proposal, post_confirm]
