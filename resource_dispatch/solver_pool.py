"""Runs solvers outside the event loop, each in a process of its own that can be killed (F17).

The greedy plan is made here at once, so there is always an answer; workers only ever improve it.
What a worker says is judged again here before it counts. Answers come within the time asked and
`GRACE_S`, whatever the workers do.
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
from .optimiser.order import LENGTH_BYTES, SolveOrder
from .optimiser.problem import Plan, Problem, Weights
from .optimiser.result import Result
from .optimiser.solve import solve
from .optimiser.stop import MaxSeconds
from .phrases import Reason
from .proposals import Desk
from .requests import DispatchDepot, DispatchLock, DispatchTask, DispatchTeam, Proposal
from .roads import RoadNetwork

GRACE_S = 0.4
SPARES = 2
COMMAND = (sys.executable, "-m", "resource_dispatch.worker")
Improved = Callable[[Plan, Evaluation], None]


class SolverPool:
    """Starts solver processes and keeps warm spares. Owner: the web process; `close()` it."""

    def __init__(
        self, command: Sequence[str] = COMMAND, *, grace_s: float = GRACE_S, spares: int = SPARES
    ) -> None:
        self._command = (*command, str(os.getpid()))
        self._grace_s = grace_s
        self._spares_wanted = spares
        self._spares: list[_Worker] = []
        self._running: set[_Worker] = set()
        self._is_open = True

    async def start(self) -> None:
        """Have spares warming up, so that a question need not wait for imports."""
        while self._is_open and len(self._spares) < self._spares_wanted:
            self._spares.append(await self._spawn())

    async def warm(self) -> None:
        """Return when every spare is ready to solve."""
        await self.start()
        await asyncio.gather(*(asyncio.shield(worker.ready) for worker in self._spares))

    async def close(self) -> None:
        """Kill every process of this pool."""
        self._is_open = False
        for worker in (*self._running, *self._spares):
            await worker.kill()
        self._spares = []

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
        """As `propose`, with the solver in a worker.

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
        processes: int = 1,
        start: Plan | None = None,
        cancel: asyncio.Event | None = None,
        on_improved: Improved | None = None,
    ) -> tuple[Result, Reason | None]:
        """The best result within `seconds`, and why it is not the workers' last word, if so.

        `processes` workers search from `seed`, `seed` + 1 and so on; the best of them counts.
        """
        begun = time.monotonic()
        first = await asyncio.to_thread(solve, problem, MaxSeconds(0.0), seed, start=start)
        if problem.visits == 0 or problem.teams == 0 or seconds <= 0:
            return first, None
        if on_improved is not None:
            on_improved(first.plan, first.evaluation)
        best = _Best(problem, first, on_improved)
        due = begun + seconds
        notes = await asyncio.gather(
            *(
                self._run(SolveOrder(problem, due, seed + k, first.plan), best, cancel)
                for k in range(processes)
            )
        )
        note = None if None in notes else notes[0]
        return replace(best.result, runtime_s=time.monotonic() - begun), note

    async def _run(
        self, order: SolveOrder, best: _Best, cancel: asyncio.Event | None
    ) -> Reason | None:
        worker = self._spares.pop(0) if self._spares else await self._spawn()
        self._running.add(worker)
        left = order.due + self._grace_s - time.monotonic()
        note: Reason | None = Reason("solver", "died")
        try:
            async with asyncio.timeout(left):
                note = await self._hear(worker, order, best, cancel)
                return note
        except TimeoutError:
            code = "timed_out" if worker.is_ready else "not_ready"
            return Reason("solver", code, {"seconds": max(1, round(left))})
        finally:
            self._running.discard(worker)
            if note is None and self._is_open and len(self._spares) < self._spares_wanted:
                self._spares.append(worker)  # warm still: the next question need not wait
            else:
                await worker.kill()
                await self.start()

    async def _spawn(self) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024 * 1024,
            start_new_session=True,
        )
        return _Worker(process)

    async def _hear(
        self, worker: _Worker, order: SolveOrder, best: _Best, cancel: asyncio.Event | None
    ) -> Reason | None:
        """Feed the order and take plans until the worker is done, dies or is cancelled."""
        talk = asyncio.create_task(worker.talk(order, best))
        waits: set[asyncio.Task[bool]] = {talk}
        if cancel is not None:
            waits.add(asyncio.create_task(cancel.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if talk.done():
                return None if talk.result() else Reason("solver", "died")
            return Reason("solver", "cancelled")
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


class _Worker:
    """One solver process; `ready` is done when it has said that it is warm, or ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.ready: asyncio.Task[bytes] = asyncio.create_task(self._first_line())
        self._has_talked = False

    @property
    def is_ready(self) -> bool:
        return self.ready.done()

    async def _first_line(self) -> bytes:
        assert self.process.stdout is not None  # noqa: S101 (a pipe, see _spawn)
        return await self.process.stdout.readline()

    async def talk(self, order: SolveOrder, best: _Best) -> bool:
        """True when the worker said that it is done."""
        process = self.process
        assert process.stdin is not None and process.stdout is not None  # noqa: S101
        try:
            pickled = pickle.dumps(order)
            process.stdin.write(len(pickled).to_bytes(LENGTH_BYTES) + pickled)
            await process.stdin.drain()
            first = b"" if self._has_talked else await asyncio.shield(self.ready)
            self._has_talked = True
            if first and best.take(first):
                return True
            async for line in process.stdout:
                if best.take(line):
                    return True
        except (ConnectionError, ValueError, KeyError, TypeError):
            return False
        return False

    async def kill(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        self.ready.cancel()
        await asyncio.gather(self.ready, return_exceptions=True)


class _Best:
    """The best judged result so far, of all workers."""

    def __init__(self, problem: Problem, first: Result, on_improved: Improved | None) -> None:
        self.problem = problem
        self.result = first
        self._on_improved = on_improved

    def take(self, line: bytes) -> bool:
        """Judge one line of a worker; True when it was its last."""
        said = json.loads(line)
        if "ready" in said:
            return False
        plan = Plan(tuple(tuple(int(v) for v in route) for route in said["plan"]))
        judged = evaluate(self.problem, plan)
        if judged.is_feasible and judged.objective < self.result.objective:
            self.result = replace(self.result, plan=plan, evaluation=judged, solver="improved")
            if self._on_improved is not None:
                self._on_improved(plan, judged)
        if not said.get("done"):
            return False
        bounds = [b for b in (self.result.bound, said["bound"]) if b is not None]
        is_its = judged.objective == self.result.objective
        self.result = replace(
            self.result,
            solver=str(said["solver"]) if is_its else self.result.solver,
            bound=max(bounds, default=None),
            iterations=self.result.iterations + int(said["iterations"]),
        )
        return True
