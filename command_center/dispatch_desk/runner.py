"""`PlanRunner`: solves plans beside the requests, tells how far it is, stores the answers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

import resource_dispatch as dispatch

from ..incidents import AskingRule
from ..security import Actor, Desk
from . import repository
from .content import answers_content, orders_content
from .errors import DispatchPlanNotFoundError
from .question import Asked, desk_of

POLL_S = 0.25
Push = Callable[[dict[str, Any], str], Awaitable[None]]
_log = structlog.get_logger("command_center.dispatch_desk")


class PlanRunner:
    """The solver processes, the roads and the plans being solved. Owner: the web process.

    `push` is called with progress that nobody keeps and the region that may see it.
    """

    def __init__(
        self,
        desk: Desk,
        pool: dispatch.SolverPool,
        roads: Callable[[], dispatch.RoadNetwork],
        push: Push | None = None,
        asking: AskingRule | None = None,
    ) -> None:
        self._desk = desk
        self._pool = pool
        self.roads = roads
        self.push = push
        self.asking = asking or AskingRule()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, plan_id: UUID, region: str, asked: Asked, seconds: float, actor: Actor) -> None:
        """Solve in the background; the row must be committed or about to be."""
        run = _Run(self, plan_id, region, asked, seconds)
        task = asyncio.create_task(self._solve(run, actor))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up what is being solved."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _solve(self, run: _Run, actor: Actor) -> None:
        from .service import fail, finish

        try:
            await self._committed(run.plan_id)
            content = await run.content(self._pool, self._desk)
            async with self._desk.work(actor) as work:
                await finish(work, run.plan_id, content)
        except Exception as error:  # noqa: BLE001 (the outermost loop: nobody waits for ever)
            _log.exception("dispatch_plan_failed", plan=str(run.plan_id))
            with contextlib.suppress(SQLAlchemyError, OSError):
                async with self._desk.work(actor) as work:
                    await fail(work, run.plan_id, type(error).__name__)

    async def _committed(self, plan_id: UUID) -> None:
        """The request that asks commits after it has started us."""
        for _ in range(200):
            async with self._desk.database.session() as session:
                if await repository.plan_state(session, plan_id) is not None:
                    return
            await asyncio.sleep(0.05)
        raise DispatchPlanNotFoundError()


class _Run:
    """One plan being solved."""

    def __init__(
        self, runner: PlanRunner, plan_id: UUID, region: str, asked: Asked, seconds: float
    ) -> None:
        self.plan_id = plan_id
        self._runner = runner
        self._region = region
        self._asked = asked
        self._seconds = seconds
        self._best: dict[str, dispatch.Progress] = {}
        self._begun = time.monotonic()

    async def content(self, pool: dispatch.SolverPool, desk: Desk) -> dict[str, Any]:
        """The answers, however the search ends."""
        asked, roads = self._asked, self._runner.roads()
        cancel = asyncio.Event()
        watch = asyncio.create_task(self._watch(desk, cancel))
        try:
            replanner = await asyncio.to_thread(
                lambda: dispatch.Replanner(desk_of(asked, roads), asked.previous)
            )
            answers = await replanner.run(
                pool, seconds=self._seconds, cancel=cancel, hear=self._hear
            )
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        return await asyncio.to_thread(
            lambda: {
                "alternatives": answers_content(asked, answers),
                "orders": orders_content(asked, roads),
            }
        )

    def _hear(self, progress: dispatch.Progress) -> None:
        self._best[progress.name] = progress

    async def _watch(self, desk: Desk, cancel: asyncio.Event) -> None:
        """Tell how far it is, and hear of a cancel, whichever web process took it."""
        while True:
            await asyncio.sleep(POLL_S)
            if self._runner.push is not None:
                await self._runner.push(self._progress(), self._region)
            with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
                async with desk.database.session() as session:
                    if await repository.plan_state(session, self.plan_id) == "cancelling":
                        cancel.set()

    def _progress(self) -> dict[str, Any]:
        return {
            "plan_id": str(self.plan_id),
            "elapsed_s": round(time.monotonic() - self._begun, 2),
            "seconds": self._seconds,
            "best": [
                {"name": p.name, "cost": p.cost, "unserved": p.unserved}
                for p in self._best.values()
            ],
        }
