"""Routes of coverage studies."""

from __future__ import annotations

import asyncio

import resource_dispatch as dispatch

from ..security.permissions import Permission
from ..web.context import Context
from ..web.routing import Route, route
from . import repository
from .schemas import SweepIn, SweepOut, SweepResultOut, SweepsOut
from .service import cancel_sweep, draw_of, start_sweep
from .tables import SweepRow


@route("POST", "/sweeps", access=start_sweep, body=SweepIn, reply=SweepOut, status=201)
async def post_sweep(ctx: Context[SweepIn]) -> SweepOut:
    """Ask for a coverage study; workers make its draws, `sweep.updated` tells how far it is."""
    return sweep_out(await start_sweep(ctx.work, ctx.body), 0)


@route("GET", "/sweeps", access=Permission.DISPATCH_PROPOSE, reply=SweepsOut)
async def get_sweeps(ctx: Context[None]) -> SweepsOut:
    """The region's studies, newest first."""
    found = await repository.sweeps(ctx.work.session, ctx.actor.region_prefix)
    return SweepsOut(items=[sweep_out(row, made) for row, made in found])


@route("GET", "/sweeps/{sweep_id}", access=Permission.DISPATCH_PROPOSE, reply=SweepResultOut)
async def get_sweep(ctx: Context[None]) -> SweepResultOut:
    """A study with its tables, as far as it is."""
    row = await repository.sweep(ctx.work.session, ctx.path_id("sweep_id"))
    ctx.actor.require_region(row.region_code)
    stored = await repository.draws(ctx.work.session, row.id)
    golden = int(row.question["golden_minutes"])
    tables = await asyncio.to_thread(
        lambda: dispatch.summary([draw_of(one) for one in stored], golden)
    )
    return SweepResultOut.model_validate({**sweep_out(row, len(stored)).model_dump(), **tables})


@route("POST", "/sweeps/{sweep_id}/cancel", access=cancel_sweep, reply=SweepOut)
async def post_cancel(ctx: Context[None]) -> SweepOut:
    """Make no further draws; those made stay."""
    row = await cancel_sweep(ctx.work, ctx.path_id("sweep_id"))
    return sweep_out(row, await repository.made(ctx.work.session, row.id))


def sweep_out(row: SweepRow, made: int) -> SweepOut:
    """A stored study without its draws."""
    return SweepOut.model_validate(
        {**row.model_dump(exclude={"teams"}), "team_count": len(row.teams), "made": made}
    )


ROUTES: list[Route] = [post_sweep, get_sweeps, get_sweep, post_cancel]
