"""Runs solvers outside the event loop, each in a process of its own that can be killed (F17).

The greedy plan is made here at once, so there is always an answer; a worker only ever improves it.
What a worker says is judged again here before it counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from .optimiser.evaluate import Evaluation, evaluate
from .optimiser.order import SolveOrder
from .optimiser.problem import Plan, Problem, Weights
from .optimiser.result import Result
from .optimiser.solve import solve
from .optimiser.stop import MaxSeconds
from .phrases import Reason
from .proposals import Desk
from .requests import DispatchDepot, DispatchLock, DispatchTask, DispatchTeam, Proposal
from .roads import RoadNetwork

GRACE_S = 2.5
COMMAND = (sys.executable, "-m", "resource_dispatch.worker")
Improved = Callable[[Plan, Evaluation], None]


class SolverPool:
    """Starts solver processes and keeps one warm spare. Owner: the web process; `close()` it."""

    def __init__(
        self, command: Sequence[str] = COMMAND, *, grace_s: float = GRACE_S, keep_spare: bool = True
    ) -> None:
        self._command = (*command, str(os.getpid()))
        self._grace_s = grace_s
        self._keep_spare = keep_spare
        self._spare: asyncio.subprocess.Process | None = None
        self._running: set[asyncio.subprocess.Process] = set()

    async def start(self) -> None:
        """Warm up a spare, so that the first question need not wait for imports."""
        if self._keep_spare and self._spare is None:
            self._spare = await self._spawn()

    async def close(self) -> None:
        """Kill every process of this pool."""
        for process in (*self._running, *([self._spare] if self._spare else [])):
            await _kill(process)
        self._spare = None

    async def propose(
        self,
        tasks: Sequence[DispatchTask],
        teams: Sequence[DispatchTeam],
        depots: Sequence[DispatchDepot],
        roads: RoadNetwork,
        now: datetime,
        *,
        seconds: float = 1.0,
        seed: int = 0,
        locks: Sequence[DispatchLock] = (),
        weights: Weights | None = None,
        cancel: asyncio.Event | None = None,
    ) -> Proposal:
        """As `propose`, with the solver in a worker; answers within `seconds` + grace + overhead.

        On time-out, crash or `cancel` the best plan so far is worded, with `note` saying why.
        """

        def prepare() -> Desk:
            return Desk(tasks, teams, depots, roads, now, locks=locks, weights=weights)

        desk = await asyncio.to_thread(prepare)
        result, note = await self.solve(desk.problem, seconds=seconds, seed=seed, cancel=cancel)
        return await asyncio.to_thread(desk.proposal, result, note)

    async def solve(
        self,
        problem: Problem,
        *,
        seconds: float = 1.0,
        seed: int = 0,
        cancel: asyncio.Event | None = None,
        on_improved: Improved | None = None,
    ) -> tuple[Result, Reason | None]:
        """The best result within `seconds`, and why it is not the worker's last word, if so."""
        begun = time.monotonic()
        first = await asyncio.to_thread(solve, problem, MaxSeconds(0.0), seed)
        if problem.visits == 0 or problem.teams == 0 or seconds <= 0:
            return first, None
        if on_improved is not None:
            on_improved(first.plan, first.evaluation)
        best = _Best(problem, first, on_improved)
        process, self._spare = self._spare or await self._spawn(), None
        self._running.add(process)
        note: Reason | None = None
        try:
            async with asyncio.timeout(seconds + self._grace_s):
                note = await self._hear(process, SolveOrder(problem, seconds, seed), best, cancel)
        except TimeoutError:
            limit = round(seconds + self._grace_s)
            note = Reason("solver", "timed_out", {"seconds": limit})
        finally:
            await _kill(process)
            self._running.discard(process)
            await self.start()
        return replace(best.result, runtime_s=time.monotonic() - begun), note

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024 * 1024,
            start_new_session=True,
        )

    async def _hear(
        self,
        process: asyncio.subprocess.Process,
        order: SolveOrder,
        best: _Best,
        cancel: asyncio.Event | None,
    ) -> Reason | None:
        """Feed the order and take plans until the worker is done, dies or is cancelled."""
        talk = asyncio.create_task(self._talk(process, order, best))
        waits: set[asyncio.Task[bool]] = {talk}
        if cancel is not None:
            waits.add(asyncio.create_task(_set(cancel)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if talk.done():
                return None if talk.result() else Reason("solver", "died")
            return Reason("solver", "cancelled")
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _talk(
        self, process: asyncio.subprocess.Process, order: SolveOrder, best: _Best
    ) -> bool:
        """True when the worker said that it is done."""
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 (PIPE above)
        try:
            process.stdin.write(pickle.dumps(order))
            await process.stdin.drain()
            process.stdin.close()
            async for line in process.stdout:
                if best.take(line):
                    return True
        except (ConnectionError, ValueError, KeyError, TypeError):
            return False
        return False


class _Best:
    """The best judged result so far."""

    def __init__(self, problem: Problem, first: Result, on_improved: Improved | None) -> None:
        self.problem = problem
        self.result = first
        self._on_improved = on_improved

    def take(self, line: bytes) -> bool:
        """Judge one line of the worker; True when it was its last."""
        said = json.loads(line)
        plan = Plan(tuple(tuple(int(v) for v in route) for route in said["plan"]))
        judged = evaluate(self.problem, plan)
        if judged.is_feasible and judged.objective < self.result.objective:
            self.result = replace(self.result, plan=plan, evaluation=judged, solver="improved")
            if self._on_improved is not None:
                self._on_improved(plan, judged)
        if not said.get("done"):
            return False
        self.result = replace(
            self.result,
            solver=str(said["solver"]),
            bound=said["bound"],
            iterations=int(said["iterations"]),
        )
        return True


async def _set(event: asyncio.Event) -> bool:
    return await event.wait()


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
