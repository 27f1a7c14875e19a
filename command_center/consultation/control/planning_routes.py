"""Routes of templates (模板) and reservations (预约)."""

from __future__ import annotations

from typing import Any

from ...security import Permission
from ...web import Context, route
from ..schemas import MemberIn
from ..words import reason_text
from . import repository, reservation, templates
from .planning_schemas import (
    ReservationIn,
    ReservationOut,
    ReservationsOut,
    TemplateIn,
    TemplateOut,
    TemplatesOut,
)
from .tables import ReservationRow, TemplateRow

_READ = Permission.CONSULTATION_READ


def _members(stored: list[dict[str, Any]]) -> list[MemberIn]:
    return [MemberIn.model_validate(member) for member in stored]


def template_out(row: TemplateRow) -> TemplateOut:
    return TemplateOut(
        id=row.id,
        name=row.name,
        title=row.title,
        members=_members(row.members),
        orders=row.orders,
        made_at=row.made_at,
        is_drill=row.is_drill,
    )


def reservation_out(row: ReservationRow) -> ReservationOut:
    return ReservationOut.model_validate(
        {
            **row.model_dump(exclude={"orders", "made_by", "region_code", "members"}),
            "members": _members(row.members),
            "reason_text": reason_text(row.reason_code),
        }
    )


@route("GET", "/consultation-templates", access=_READ, reply=TemplatesOut)
async def list_templates(ctx: Context[None]) -> TemplatesOut:
    """Templates of one's region, by name."""
    rows = await repository.templates(ctx.work.session, region_prefix=ctx.actor.region_prefix)
    return TemplatesOut(items=[template_out(row) for row in rows])


@route(
    "POST",
    "/consultation-templates",
    access=templates.make_template,
    body=TemplateIn,
    reply=TemplateOut,
    status=201,
)
async def post_template(ctx: Context[TemplateIn]) -> TemplateOut:
    """Save members and orders under a name."""
    return template_out(await templates.make_template(ctx.work, ctx.body))


@route("DELETE", "/consultation-templates/{template_id}", access=templates.remove_template)
async def delete_template(ctx: Context[None]) -> None:
    """Take a template away."""
    await templates.remove_template(ctx.work, ctx.path_id("template_id"))


@route("GET", "/consultation-reservations", access=_READ, reply=ReservationsOut)
async def list_reservations(ctx: Context[None]) -> ReservationsOut:
    """Reservations of one's region, the next one first."""
    state = ctx.query("state", "waiting")
    known = ("waiting", "opened", "cancelled", "failed", "all")
    rows = await repository.reservations(
        ctx.work.session,
        region_prefix=ctx.actor.region_prefix,
        state=state if state in known else "waiting",
        limit=ctx.query_int("limit", 50, low=1, high=200),
    )
    return ReservationsOut(items=[reservation_out(row) for row in rows])


@route(
    "POST",
    "/consultation-reservations",
    access=reservation.reserve,
    body=ReservationIn,
    reply=ReservationOut,
    status=201,
)
async def post_reservation(ctx: Context[ReservationIn]) -> ReservationOut:
    """Reserve a consultation; its dial number is known at once."""
    row = await reservation.reserve(ctx.work, ctx.body)
    await ctx.work.session.flush()
    return reservation_out(row)


@route(
    "DELETE",
    "/consultation-reservations/{reservation_id}",
    access=reservation.cancel_reservation,
    reply=ReservationOut,
)
async def delete_reservation(ctx: Context[None]) -> ReservationOut:
    """Cancel it."""
    found = await reservation.cancel_reservation(ctx.work, ctx.path_id("reservation_id"))
    return reservation_out(found)


@route(
    "POST",
    "/consultation-reservations/{reservation_id}/open",
    access=reservation.open_reservation,
    reply=ReservationOut,
)
async def post_open(ctx: Context[None]) -> ReservationOut:
    """Open it before its time."""
    found = await reservation.open_reservation(ctx.work, ctx.path_id("reservation_id"))
    return reservation_out(found)


ROUTES = [
    list_templates,
    post_template,
    delete_template,
    list_reservations,
    post_reservation,
    delete_reservation,
    post_open,
]
