"""Routes of the dispatch desk: plans side by side, choices by hand, recommendations, roads."""

from __future__ import annotations

import asyncio
from typing import Literal
from uuid import UUID

from aiohttp import web

import resource_dispatch as dispatch

from ..incidents import order_out
from ..incidents.timeline import open_incident
from ..security.permissions import Permission
from ..web.context import Context
from ..web.problems import EdgeError
from ..web.routing import Route, route
from . import repository
from .question import ask, desk_of, incident_ids
from .runner import PlanRunner
from .schemas import (
    AcceptedOut,
    AcceptIn,
    DispatchPlanOut,
    NewestPlanOut,
    OverrideIn,
    OverrideOut,
    OverridesOut,
    PlanIn,
    RecommendationOut,
    RecommendationsOut,
    RoadOut,
    RoadsOut,
    plan_out,
)
from .service import accept_lines, ask_plan, cancel_plan, lift_override, set_override
from .showing import slide_of
from .slide import draw
from .tables import DispatchPlanRow

MAX_ROAD_M = 5_000


@route(
    "POST",
    "/dispatch-plans",
    access=ask_plan,
    body=PlanIn,
    reply=DispatchPlanOut,
    status=201,
)
async def post_plan(ctx: Context[PlanIn]) -> DispatchPlanOut:
    """Ask for a plan over several incidents; its answers come by live event."""
    return plan_out(await ask_plan(ctx.work, ctx.service(PlanRunner), ctx.body))


@route("GET", "/dispatch-plans/newest", access=Permission.DISPATCH_PROPOSE, reply=NewestPlanOut)
async def get_newest_plan(ctx: Context[None]) -> NewestPlanOut:
    """The plan that this region's desk looked at last, drill or real (`?is_drill=1`)."""
    is_drill = bool(ctx.query_int("is_drill", 0, low=0, high=1))
    prefix = ctx.actor.region_prefix
    row = await repository.newest_plan(ctx.work.session, prefix, is_drill=is_drill)
    return NewestPlanOut(plan=None if row is None else plan_out(row))


async def plan_of(ctx: Context[None]) -> DispatchPlanRow:
    """The plan of the path, if the caller may see it."""
    row = await repository.plan(ctx.work.session, ctx.path_id("plan_id"))
    ctx.actor.require_region(row.region_code)
    return row


@route(
    "GET",
    "/dispatch-plans/{plan_id}",
    access=Permission.DISPATCH_PROPOSE,
    reply=DispatchPlanOut,
)
async def get_plan(ctx: Context[None]) -> DispatchPlanOut:
    """Read a plan with its answers side by side."""
    return plan_out(await plan_of(ctx))


@route("GET", "/dispatch-plans/{plan_id}/slide.png", access=Permission.DISPATCH_PROPOSE)
async def get_slide_png(ctx: Context[None]) -> web.Response:
    """One alternative (`?alternative=`) as a picture of 1920 x 1080, in Chinese."""
    return web.Response(body=await _slide(ctx, "png"), content_type="image/png")


@route("GET", "/dispatch-plans/{plan_id}/slide.jpg", access=Permission.DISPATCH_PROPOSE)
async def get_slide_jpeg(ctx: Context[None]) -> web.Response:
    """The same as JPEG."""
    return web.Response(body=await _slide(ctx, "jpeg"), content_type="image/jpeg")


async def _slide(ctx: Context[None], form: Literal["png", "jpeg"]) -> bytes:
    row = await plan_of(ctx)
    slide = await slide_of(
        ctx.work.session, row, ctx.query("alternative"), ctx.service(PlanRunner).roads()
    )
    return await asyncio.to_thread(draw, slide, form)


@route("POST", "/dispatch-plans/{plan_id}/cancel", access=cancel_plan, reply=DispatchPlanOut)
async def post_cancel(ctx: Context[None]) -> DispatchPlanOut:
    """Stop searching and take the best so far."""
    return plan_out(await cancel_plan(ctx.work, ctx.path_id("plan_id")))


@route(
    "POST",
    "/dispatch-plans/{plan_id}/accept",
    access=accept_lines,
    body=AcceptIn,
    reply=AcceptedOut,
)
async def post_accept(ctx: Context[AcceptIn]) -> AcceptedOut:
    """Issue the orders of the chosen lines of one alternative."""
    orders = await accept_lines(ctx.work, ctx.path_id("plan_id"), ctx.body)
    return AcceptedOut(orders=[order_out(order, ctx.work.now) for order in orders])


@route(
    "POST",
    "/dispatch-overrides",
    access=set_override,
    body=OverrideIn,
    reply=OverrideOut,
    status=201,
)
async def post_override(ctx: Context[OverrideIn]) -> OverrideOut:
    """Give a task to a team by hand; every later plan keeps it."""
    row = await set_override(ctx.work, ctx.body)
    return OverrideOut.model_validate(row, from_attributes=True)


@route("DELETE", "/dispatch-overrides/{override_id}", access=lift_override, status=204)
async def delete_override(ctx: Context[None]) -> None:
    """Lift a choice by hand."""
    await lift_override(ctx.work, ctx.path_id("override_id"))


@route(
    "GET",
    "/incidents/{incident_id}/dispatch-overrides",
    access=Permission.DISPATCH_PROPOSE,
    reply=OverridesOut,
)
async def get_overrides(ctx: Context[None]) -> OverridesOut:
    """Choices by hand that hold now."""
    incident = await open_incident(ctx.work, ctx.path_id("incident_id"), lock=False)
    rows = await repository.overrides(ctx.work.session, [incident.id])
    return OverridesOut(
        items=[OverrideOut.model_validate(row, from_attributes=True) for row in rows]
    )


@route(
    "GET",
    "/incidents/{incident_id}/tasks/{task_id}/recommended-teams",
    access=Permission.DISPATCH_PROPOSE,
    reply=RecommendationsOut,
)
async def get_recommended(ctx: Context[None]) -> RecommendationsOut:
    """Teams for this one task now, best first (`?plan_id=&alternative=`: beside that plan)."""
    incident = await open_incident(ctx.work, ctx.path_id("incident_id"), lock=False)
    runner, session = ctx.service(PlanRunner), ctx.work.session
    wish, incidents = PlanIn(incident_ids=[incident.id]), [incident]
    if ctx.query("plan_id"):
        row = await repository.plan(session, _uuid(ctx.query("plan_id")))
        ctx.actor.require_region(row.region_code)
        held = {**row.question, "previous_plan_id": row.id}
        held["previous_alternative"] = ctx.query("alternative") or None
        wish = PlanIn.model_validate(held)
        ids = [id_ for id_ in incident_ids(row.question) if id_ != incident.id]
        incidents += [await open_incident(ctx.work, id_, lock=False) for id_ in ids]
    asked = await ask(session, incidents, wish, runner.roads(), ctx.work.now, asking=runner.asking)
    rows = await asyncio.to_thread(
        lambda: dispatch.recommend(
            desk_of(asked, runner.roads()), ctx.path("task_id"), asked.previous
        )
    )
    return RecommendationsOut(items=[_recommendation(row) for row in rows])


def _recommendation(row: dispatch.Recommendation) -> RecommendationOut:
    return RecommendationOut(
        team_id=UUID(row.team_id),
        team_name=row.team_name,
        authority=row.authority,
        arrive_at=row.arrive_at,
        travel_minutes=-(-row.travel_s // 60),
        cost_more=row.cost_more,
        used_for=row.used_for,
        limits=[dispatch.words("constraints", name) for name in row.limits],
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise EdgeError("not_found") from error


def _degrees(ctx: Context[None], name: str) -> float:
    try:
        value = float(ctx.query(name))
    except ValueError as error:
        raise EdgeError("validation_failed", field=name) from error
    if not -180 <= value <= 180:
        raise EdgeError("validation_failed", field=name)
    return value


@route("GET", "/roads/nearest", access=Permission.DISPATCH_PROPOSE, reply=RoadsOut)
async def get_nearest_road(ctx: Context[None]) -> RoadsOut:
    """The road nearest to `?longitude=&latitude=`; empty when none is near."""
    roads = ctx.service(PlanRunner).roads()
    arc, metres = dispatch.nearest_arc(roads, _degrees(ctx, "longitude"), _degrees(ctx, "latitude"))
    return RoadsOut(items=[road_out(roads.graph, arc)] if metres <= MAX_ROAD_M else [])


@route("GET", "/roads/bridges", access=Permission.DISPATCH_PROPOSE, reply=RoadsOut)
async def get_bridges(ctx: Context[None]) -> RoadsOut:
    """Bridges that begin in `?west=&south=&east=&north=`, at most 500."""
    graph = ctx.service(PlanRunner).roads().graph
    west, south = _degrees(ctx, "west"), _degrees(ctx, "south")
    arcs = dispatch.bridges(graph, (west, south, _degrees(ctx, "east"), _degrees(ctx, "north")))
    return RoadsOut(items=[road_out(graph, arc) for arc in arcs])


def road_out(graph: dispatch.Graph, arc: tuple[int, int]) -> RoadOut:
    attributes = graph.edges[arc]
    ends = [graph.nodes[node] for node in arc]
    return RoadOut(
        arc=arc,
        name=attributes["name"],
        road_class=attributes["road_class"],
        is_bridge=attributes["is_bridge"],
        is_tunnel=attributes["is_tunnel"],
        length_m=attributes["length_m"],
        points=[(node["longitude"], node["latitude"]) for node in ends],
    )


ROUTES: list[Route] = [
    post_plan,
    get_newest_plan,
    get_plan,
    get_slide_png,
    get_slide_jpeg,
    post_cancel,
    post_accept,
    post_override,
    delete_override,
    get_overrides,
    get_recommended,
    get_nearest_road,
    get_bridges,
]
