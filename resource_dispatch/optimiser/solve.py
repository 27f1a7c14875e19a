"""`solve(problem, stop, seed)`: greedy at once, then better until the stop says enough."""

from __future__ import annotations

import time
from collections.abc import Callable

from .evaluate import Evaluation, evaluate
from .exact import MAX_VISITS, solve_exact
from .explain import fits
from .greedy import greedy, urgency_order
from .problem import Plan, Problem
from .result import Result
from .stop import MaxSeconds, Stop

Improved = Callable[[Plan, Evaluation], None]


def solve(
    problem: Problem,
    stop: Stop | None = None,
    seed: int = 0,
    on_improved: Improved | None = None,
) -> Result:
    """The best feasible plan found before `stop`; `on_improved` sees each better one as it comes.

    Always returns a plan: in the worst case only the locked visits.
    """
    begun = time.monotonic()
    criterion = stop or MaxSeconds(1.0)
    criterion.remaining_s()
    best = completed(problem, feasible(problem, greedy(problem)))
    judged = evaluate(problem, best)
    first_plan_s = time.monotonic() - begun
    if on_improved is not None:
        on_improved(best, judged)
    solver, bound, iterations = "greedy", None, 0
    if 0 < problem.visits <= MAX_VISITS and criterion.remaining_s() > 0.05:
        keep = _Keep(problem, best, judged, on_improved)
        plan, bound = solve_exact(
            problem, best, min(criterion.remaining_s(), 60.0), seed, keep.offer
        )
        keep.offer(plan)
        if keep.judged.objective < judged.objective or bound == judged.objective:
            solver = "cp_sat"
        best, judged, iterations = keep.plan, keep.judged, keep.offered
    return Result(best, judged, solver, bound, iterations, first_plan_s, time.monotonic() - begun)


def feasible(problem: Problem, plan: Plan) -> Plan:
    """The plan without the tasks whose visits break a constraint, dropped one at a time."""
    locked = {lock.visit for lock in problem.locks}
    for _ in range(problem.visits + 1):
        broken = [
            v.visit
            for v in evaluate(problem, plan).violations
            if v.visit is not None and v.visit not in locked
        ]
        if not broken:
            return plan
        for visit in problem.visits_of(int(problem.task_of[broken[0]])):
            if visit not in locked:
                plan = plan.without(visit)
    return Plan.empty(problem)


def completed(problem: Problem, plan: Plan) -> Plan:
    """The plan with every task put in that still fits somewhere without moving anything."""
    made = plan.team_of(problem.visits)
    for task in urgency_order(problem):
        if min(made[v] for v in problem.visits_of(task)) < 0:
            plan = fits(problem, plan, task) or plan
    return plan


class _Keep:
    """Keeps the best feasible plan and tells about each better one."""

    def __init__(
        self, problem: Problem, plan: Plan, judged: Evaluation, on_improved: Improved | None
    ) -> None:
        self.problem = problem
        self.plan = plan
        self.judged = judged
        self.offered = 0
        self._on_improved = on_improved

    def offer(self, plan: Plan) -> None:
        self.offered += 1
        judged = evaluate(self.problem, plan)
        if judged.is_feasible and judged.objective < self.judged.objective:
            self.plan, self.judged = plan, judged
            if self._on_improved is not None:
                self._on_improved(plan, judged)
