"""The solver pool keeps its promise when the solver does not (F17)."""

from __future__ import annotations

import asyncio
import sys
import time

from resource_dispatch import Need, SolverPool

from .province import NOW, roads, task, team

TASKS = [task(f"K{k}", k, Need(frozenset({"search"}))) for k in range(6)]
TEAMS = [team(f"T{k}", k + 10, "search") for k in range(12)]


async def test_worker_improves_and_leaves_nothing_behind() -> None:
    """The answer comes from the worker's exact solver, and closing ends every process."""
    pool = SolverPool(keep_spare=False, grace_s=20)
    try:
        proposal = await pool.propose(TASKS, TEAMS, [], roads(), NOW, seconds=2.0)
    finally:
        await pool.close()
    assert proposal.note is None
    assert len(proposal.lines) == len(TASKS)


async def test_hung_solver_gives_the_plan_so_far_with_the_reason() -> None:
    """A solver that never answers is killed and the greedy plan stands, within five seconds."""
    hang = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
    pool = SolverPool(hang, grace_s=0.3, keep_spare=False)
    begun = time.monotonic()
    proposal = await pool.propose(TASKS, TEAMS, [], roads(), NOW, seconds=0.2)
    assert time.monotonic() - begun < 5
    assert proposal.note is not None
    assert proposal.note.code == "timed_out"
    assert len(proposal.lines) == len(TASKS)


async def test_dead_and_lying_solvers_change_nothing() -> None:
    """A crash, or a plan that breaks the rules, leaves the judged plan in place."""
    lies = '{"plan": [[0, 1, 2]], "objective": 0}'
    script = f"print('{lies}', flush=True)"
    pool = SolverPool((sys.executable, "-S", "-c", script), keep_spare=False)
    proposal = await pool.propose(TASKS, TEAMS, [], roads(), NOW, seconds=1.0)
    assert proposal.note is not None
    assert proposal.note.code == "died"
    assert len(proposal.lines) == len(TASKS)


async def test_cancel_answers_at_once() -> None:
    """The operator need not wait for a solver that is no longer wanted."""
    hang = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
    pool = SolverPool(hang, keep_spare=False)
    cancel = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, cancel.set)
    begun = time.monotonic()
    proposal = await pool.propose(TASKS, TEAMS, [], roads(), NOW, seconds=60, cancel=cancel)
    assert time.monotonic() - begun < 5
    assert proposal.note is not None
    assert proposal.note.code == "cancelled"
