"""Routes of incidents: reports, clocks, timeline, responses, tasks, orders."""

from __future__ import annotations

from ..security.masking import shown_phone
from ..security.permissions import Permission
from ..web.context import Context, Credential
from ..web.routing import Route, route
from . import dispatching_routes, planning_routes, repository
from .closing import close_incident, finish_clock
from .orders import STEPS, step_order
from .reporting import Filed, add_report, file_report
from .responses import activate
from .schemas import (
    ActivateIn,
    ActivationOut,
    ClockDoneIn,
    ClockOut,
    CloseIn,
    IncidentAndReport,
    IncidentOut,
    IncidentsOut,
    NoteIn,
    OrderOut,
    OrdersOut,
    OrderStepIn,
    ReportIn,
    ReportsOut,
    TaskChangeIn,
    TaskOut,
    TasksOut,
    TimelineEntryOut,
    TimelineOut,
)
from .tables import IncidentRow
from .tasks import change_task
from .timeline import add_note
from .view import (
    clock_out,
    incident_out,
    order_out,
    report_out,
    response_out,
    shown,
    task_out,
    timeline_out,
)

READ = Permission.INCIDENT_READ
"""What every reading route of this room needs."""


async def visible(ctx: Context[None]) -> IncidentRow:
    """The incident of the path, if it is in the actor's region."""
    row = await repository.incident(ctx.work.session, ctx.path_id("incident_id"))
    ctx.actor.require_region(row.region_code)
    return row


async def _filed(ctx: Context[ReportIn], filed: Filed) -> IncidentAndReport:
    incident = await shown(ctx.work, filed.incident)
    return IncidentAndReport(incident=incident, report=report_out(filed.report, filed.snapshot))


@route("POST", "/incidents", access=file_report, body=ReportIn, reply=IncidentAndReport, status=201)
async def post_incident(ctx: Context[ReportIn]) -> IncidentAndReport:
    """File a first report; it makes the incident."""
    return await _filed(ctx, await file_report(ctx.work, ctx.body))


@route(
    "POST",
    "/incidents/{incident_id}/reports",
    access=add_report,
    body=ReportIn,
    reply=IncidentAndReport,
    status=201,
)
async def post_report(ctx: Context[ReportIn]) -> IncidentAndReport:
    """File a follow-up report."""
    return await _filed(ctx, await add_report(ctx.work, ctx.path_id("incident_id"), ctx.body))


@route("GET", "/incidents", access=READ, reply=IncidentsOut)
async def list_incidents(ctx: Context[None]) -> IncidentsOut:
    """Incidents of one's region, newest first."""
    state = ctx.query("state", "open")
    rows = await repository.incidents(
        ctx.work.session,
        region_prefix=ctx.actor.region_prefix,
        state=state if state in ("open", "closed", "all") else "open",
        limit=ctx.query_int("limit", 100, low=1, high=500),
    )
    ids = [row.id for row in rows]
    clocks = await repository.clocks(ctx.work.session, ids)
    responses = await repository.responses(ctx.work.session, ids)
    return IncidentsOut(items=[incident_out(row, clocks, responses, ctx.work.now) for row in rows])


@route("GET", "/incidents/{incident_id}", access=READ, reply=IncidentOut)
async def get_incident(ctx: Context[None]) -> IncidentOut:
    """One incident with its clocks and responses."""
    return await shown(ctx.work, await visible(ctx))


@route("GET", "/incidents/{incident_id}/reports", access=READ, reply=ReportsOut)
async def list_reports(ctx: Context[None]) -> ReportsOut:
    """All reports of an incident, first to last."""
    incident = await visible(ctx)
    snapshots = await repository.snapshots(ctx.work.session, incident.id)
    of = {snapshot.report_id: snapshot for snapshot in snapshots}
    rows = await repository.reports(ctx.work.session, incident.id)
    found = [report_out(row, of.get(row.id)) for row in rows]
    for report in found:
        report.reporter_phone = shown_phone(ctx.actor, report.reporter_phone)
    return ReportsOut(items=found)


@route("GET", "/incidents/{incident_id}/timeline", access=READ, reply=TimelineOut)
async def get_timeline(ctx: Context[None]) -> TimelineOut:
    """Every step with its person and time."""
    incident = await visible(ctx)
    rows = await repository.timeline(ctx.work.session, incident.id)
    return TimelineOut(items=[timeline_out(row) for row in rows])


@route(
    "POST",
    "/incidents/{incident_id}/timeline",
    access=add_note,
    body=NoteIn,
    reply=TimelineEntryOut,
    status=201,
)
async def post_note(ctx: Context[NoteIn]) -> TimelineEntryOut:
    """Add a remark to the timeline."""
    return timeline_out(await add_note(ctx.work, ctx.path_id("incident_id"), ctx.body.text))


@route(
    "POST",
    "/incidents/{incident_id}/clocks/{clock_id}/done",
    access=finish_clock,
    body=ClockDoneIn,
    reply=ClockOut,
)
async def post_clock_done(ctx: Context[ClockDoneIn]) -> ClockOut:
    """A reporting step was done; a late one needs its explanation."""
    row = await finish_clock(
        ctx.work,
        ctx.path_id("incident_id"),
        ctx.path_id("clock_id"),
        at=ctx.body.at,
        explanation=ctx.body.explanation,
    )
    return clock_out(row, ctx.work.now)


@route(
    "POST", "/incidents/{incident_id}/close", access=close_incident, body=CloseIn, reply=IncidentOut
)
async def post_close(ctx: Context[CloseIn]) -> IncidentOut:
    """End an incident."""
    row = await close_incident(ctx.work, ctx.path_id("incident_id"), ctx.body.grounds)
    return await shown(ctx.work, row)


@route(
    "POST",
    "/incidents/{incident_id}/responses",
    access=activate,
    body=ActivateIn,
    reply=ActivationOut,
    status=201,
)
async def post_response(ctx: Context[ActivateIn]) -> ActivationOut:
    """Activate a plan at a response level; its task cards appear."""
    activated = await activate(ctx.work, ctx.path_id("incident_id"), ctx.body)
    return ActivationOut(
        response=response_out(activated.response),
        tasks=[task_out(task, ctx.work.now) for task in activated.tasks],
    )


@route("GET", "/incidents/{incident_id}/tasks", access=READ, reply=TasksOut)
async def list_tasks(ctx: Context[None]) -> TasksOut:
    """The task cards of an incident."""
    incident = await visible(ctx)
    rows = await repository.tasks(ctx.work.session, incident.id)
    return TasksOut(items=[task_out(row, ctx.work.now) for row in rows])


@route(
    "PATCH",
    "/incidents/{incident_id}/tasks/{task_id}",
    access=change_task,
    body=TaskChangeIn,
    reply=TaskOut,
)
async def patch_task(ctx: Context[TaskChangeIn]) -> TaskOut:
    """Move a task card."""
    row = await change_task(ctx.work, ctx.path_id("incident_id"), ctx.path_id("task_id"), ctx.body)
    return task_out(row, ctx.work.now)


@route("GET", "/incidents/{incident_id}/orders", access=Permission.ORDER_READ, reply=OrdersOut)
async def list_orders(ctx: Context[None]) -> OrdersOut:
    """The orders of an incident."""
    incident = await visible(ctx)
    rows = await repository.orders(ctx.work.session, incident.id)
    return OrdersOut(items=[order_out(row, ctx.work.now) for row in rows])


def _step_route(action: str) -> Route:
    @route(
        "POST",
        f"/orders/{{order_id}}/{action}",
        access=step_order,
        body=OrderStepIn,
        reply=OrderOut,
        credential=Credential.EITHER,
    )
    async def post_step(ctx: Context[OrderStepIn]) -> OrderOut:
        """Make one step of an order; exactly one of many who press at once wins."""
        row = await step_order(ctx.work, ctx.path_id("order_id"), action, ctx.body.note)
        return order_out(row, ctx.work.now)

    return post_step


ROUTES: list[Route] = [
    post_incident,
    post_report,
    list_incidents,
    get_incident,
    list_reports,
    get_timeline,
    post_note,
    post_clock_done,
    post_close,
    post_response,
    list_tasks,
    patch_task,
    list_orders,
    *(_step_route(action) for action in STEPS),
    *planning_routes.ROUTES,
    *dispatching_routes.ROUTES,
]
