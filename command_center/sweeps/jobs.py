"""What a worker does with a study: make its draws, and take up what a dead worker left.

A job names a few draws. It may run twice - a worker that dies is found by its missing heartbeat
and its job is given to another - so draws already stored are passed over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import asdict
from uuid import UUID

import procrastinate
import structlog
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.utils import utcnow

import resource_dispatch as dispatch

from ..security.actor import SYSTEM
from ..security.work import Desk
from . import repository
from .schemas import SweepIn
from .service import QUEUE, TASK, fail_sweep, keep_draws, team_of

HEARTBEAT_S = 3.0
STALLED_S = 12.0
LOOK_S = 4.0
POLL_S = 5.0
_log = structlog.get_logger("command_center.sweeps")


def job_app(
    database_url: str, desk: Desk, roads: Callable[[], dispatch.RoadNetwork]
) -> procrastinate.App:
    """The queue with its one task. `database_url` is libpq's."""
    connector = PsycopgConnector(
        conninfo=database_url,
        kwargs={"options": f"-c search_path={repository.SCHEMA}"},
        min_size=1,
        max_size=4,
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=TASK, queue=QUEUE)
    async def draw(sweep_id: str, lost_pct: int, first: int, count: int) -> None:
        numbers = range(first, first + count)
        try:
            await _make_draws(desk, roads, UUID(sweep_id), lost_pct, numbers)
        except dispatch.DispatchError as error:
            _log.exception("sweep_failed", sweep=sweep_id)
            async with desk.work(SYSTEM) as work:
                await fail_sweep(work, UUID(sweep_id), error.code)

    return app


async def _make_draws(
    desk: Desk,
    roads: Callable[[], dispatch.RoadNetwork],
    sweep_id: UUID,
    lost_pct: int,
    numbers: range,
) -> None:
    async with desk.database.session() as session:
        row = await repository.sweep(session, sweep_id)
        made = await repository.numbers_made(session, sweep_id, lost_pct)
    wish = SweepIn.model_validate(row.question)
    study = dispatch.Study(
        wish.incidents, wish.tasks_each, wish.closures, wish.golden_minutes, wish.seed
    )
    teams = [team_of(stored) for stored in row.teams]
    results = []
    for number in numbers:
        if number in made:
            continue
        async with desk.database.session() as session:
            if (await repository.sweep(session, sweep_id)).state != "running":
                break

        def draw(number: int = number) -> dispatch.Draw:
            return dispatch.draw_once(
                study, teams, roads(), row.created_at, number=number, lost_pct=lost_pct
            )

        results.append(asdict(await asyncio.to_thread(draw)))
    if results:
        async with desk.work(SYSTEM) as work:
            await keep_draws(work, sweep_id, results)


async def work_off(app: procrastinate.App, stopping: asyncio.Event) -> None:
    """Work off jobs until `stopping`; the job in hand is finished by whoever takes it up."""
    async with app.open_async():
        keeper = asyncio.create_task(_take_up_stalled(app))
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=1,
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL_S,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_S,
                shutdown_graceful_timeout=1.0,
                delete_jobs="successful",
            )
        )
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({worker, stop, keeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stop, keeper, worker):
                task.cancel()
            await asyncio.gather(stop, keeper, return_exceptions=True)
            with contextlib.suppress(asyncio.CancelledError):
                await worker


async def _take_up_stalled(app: procrastinate.App) -> None:
    """Give jobs of workers without a heartbeat back to the queue."""
    while True:
        await asyncio.sleep(LOOK_S)
        with contextlib.suppress(ConnectorException):
            stalled = await app.job_manager.get_stalled_jobs(
                queue=QUEUE, seconds_since_heartbeat=STALLED_S
            )
            for job in stalled:
                _log.warning("sweep_job_taken_up", job=job.id)
                await app.job_manager.retry_job(job, retry_at=utcnow())
