"""The solver pool keeps its promise when the solver does not (F17)."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from resource_dispatch import (
    Desk,
    DispatchChoice,
    MaxIterations,
    Need,
    Progress,
    Replanner,
    SolverPool,
)
from resource_dispatch.optimiser import Plan, solve
from tests.harness.processes import crowding

from .province import NOW, roads, task, team

TASKS = [task(f"K{k}", k, Need(frozenset({"search"}))) for k in range(6)]
LOADED_MACHINE_S = 4.0  # wording a proposal waits for its turn beside other tests
READY = '{"ready": true}'
SLEEP = "time.sleep(600)"
TEAMS = [team(f"T{k}", k + 10, "search") for k in range(12)]


async def test_workers_improve_and_leave_nothing_behind() -> None:
    """The answer comes from the workers' solvers within the time, and closing ends them all."""
    pool = SolverPool()
    try:
        await pool.warm()
        used = {worker.process.pid for worker in pool._spares}
        proposal = await pool.propose(TASKS, TEAMS, [], roads(), NOW, seconds=5.0)
        assert proposal.note is None
        assert len(proposal.lines) == len(TASKS)
        before = [DispatchChoice(li.team_id, li.task_id, 0, li.start_at) for li in proposal.lines]
        lost = [one for one in TEAMS if one.id != before[0].team_id]
        assert {worker.process.pid for worker in pool._spares} == used, "a warm worker stays"
        replanner = Replanner(Desk(TASKS, lost, [], roads(), NOW), before)
        heard: list[Progress] = []
        answers = await replanner.run(pool, seconds=5.0, hear=heard.append)
        assert [a.name for a in answers] == ["insert_only", "balanced", "free"]
        assert {progress.name for progress in heard} == {"balanced", "free"}
        kept = {(li.task_id, li.team_id) for li in answers[0].proposal.lines}
        gone = before[0].team_id
        assert {(c.task_id, c.team_id) for c in before if c.team_id != gone} <= kept
        assert answers[2].cost <= answers[1].cost <= answers[0].cost
        processes = [worker.process for worker in (*pool._spares, *pool._running)]
    finally:
        await pool.close()
    assert processes
    assert all(process.returncode is not None for process in processes)


async def test_hung_solver_is_killed_and_the_plan_so_far_comes_in_time() -> None:
    """F17: a solver that never answers costs half a second, and the reason is told."""
    hang = (sys.executable, "-S", "-c", f"import time; print('{READY}', flush=True); {SLEEP}")
    pool = SolverPool(hang, spares=0)
    begun = time.monotonic()
    proposal = await pool.propose(TASKS, TEAMS, [], roads(), NOW, seconds=0.2)
    assert time.monotonic() - begun < 0.2 + 0.5 + LOADED_MACHINE_S
    assert proposal.note is not None
    assert proposal.note.code == "timed_out"
    assert len(proposal.lines) == len(TASKS)


async def test_solver_that_hangs_after_a_better_plan_gives_that_plan() -> None:
    """What it had said before it hung is judged and kept."""
    desk = Desk(TASKS, TEAMS, [], roads(), NOW)
    better = solve(desk.problem, MaxIterations(2_000), 1)
    worst = Plan.empty(desk.problem)
    line = json.dumps({"plan": better.plan.routes})
    code = f"import time; print('{READY}', flush=True); print('{line}', flush=True); {SLEEP}"
    pool = SolverPool((sys.executable, "-S", "-c", code), spares=0)
    for seconds in (1.0, 4.0, 16.0):  # it may start slowly
        result, note = await pool.solve(desk.problem, seconds=seconds, start=worst)
        if result.objective == better.objective:
            break
    assert note is not None
    assert note.code == "timed_out"
    assert result.objective == better.objective
    assert result.evaluation.is_feasible


async def test_dead_and_lying_solvers_change_nothing() -> None:
    """A crash, or a plan that breaks the rules, leaves the judged plan in place."""
    lies = '{"plan": [[0, 1, 2]], "objective": 0}'
    script = f"print('{lies}', flush=True)"
    pool = SolverPool((sys.executable, "-S", "-c", script), spares=0)
    proposal = await pool.propose(TASKS, TEAMS, [], roads(), NOW, seconds=30.0)
    assert proposal.note is not None
    assert proposal.note.code == "died"
    assert len(proposal.lines) == len(TASKS)


async def test_cancel_answers_at_once() -> None:
    """The operator need not wait for a solver that is no longer wanted."""
    hang = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
    pool = SolverPool(hang, spares=0)
    cancel = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, cancel.set)
    begun = time.monotonic()
    proposal = await pool.propose(TASKS, TEAMS, [], roads(), NOW, seconds=60, cancel=cancel)
    assert time.monotonic() - begun < 5 * crowding()
    assert proposal.note is not None
    assert proposal.note.code == "cancelled"
