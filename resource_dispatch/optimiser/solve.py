"""`solve(problem, stop, seed)`: greedy at once, then better until the stop says enough."""

from __future__ import annotations

import time
from collections.abc import Callable

from .evaluate import Evaluation, evaluate
from .exact import MAX_VISITS, solve_exact
from .explain import fits
from .general import improve_general
from .greedy import greedy, urgency_order
from .problem import Plan, Problem
from .result import Result
from .stop import FirstOf, MaxSeconds, Stop

Improved = Callable[[Plan, Evaluation], None]
ENOUGH_S = 0.05
WORTH_PICKING_S = 5.0
FEW_VISITS = 40
FEW_PICKING_S = 0.8
ANNEAL_SHARE = 0.6


def solve(
    problem: Problem,
    stop: Stop | None = None,
    seed: int = 0,
    on_improved: Improved | None = None,
    *,
    start: Plan | None = None,
) -> Result:
    """The best feasible plan found before `stop`; `on_improved` sees each better one as it comes.

    Always returns a plan: in the worst case only the locked visits. The search begins from a
    feasible `start`, else from the greedy plan.
    """
    begun = time.monotonic()
    criterion = stop or MaxSeconds(1.0)
    criterion.remaining_s()
    has_start = start is not None and evaluate(problem, start).is_feasible
    best = start if start is not None and has_start else first_plan(problem)
    judged = evaluate(problem, best)
    first_plan_s = time.monotonic() - begun
    if on_improved is not None:
        on_improved(best, judged)
    keep = _Keep(problem, best, judged, on_improved)
    work = _Work(problem, criterion, seed, keep)
    if problem.visits > 0 and problem.teams > 0 and criterion.remaining_s() > ENOUGH_S:
        work.improve()
    return Result(
        keep.plan,
        keep.judged,
        work.solver,
        work.bound,
        work.iterations,
        first_plan_s,
        time.monotonic() - begun,
    )


class _Work:
    """Chooses the solvers that suit the problem and the time, and runs them in turn."""

    def __init__(self, problem: Problem, stop: Stop, seed: int, keep: _Keep) -> None:
        self.problem = problem
        self.stop = stop
        self.seed = seed
        self.keep = keep
        self.solver = "greedy"
        self.bound: int | None = None
        self.iterations = 0

    def improve(self) -> None:
        before = self.keep.judged.objective
        if self.problem.is_separable:
            self._search_routes()
        elif self.problem.visits <= MAX_VISITS:
            self._search_exactly()
        else:
            plan, self.iterations = improve_general(
                self.problem, self.keep.plan, self.stop, self.seed, self.keep.offer
            )
            self.keep.offer(plan)
        if self.keep.judged.objective < before and self.solver == "greedy":
            self.solver = "lns"

    def _search_routes(self) -> None:
        """Annealing; given seconds to spare, the last part picks among priced routes."""
        from .columns import prove  # kernels are loaded by those who search, not by all importers
        from .separable import improve_separable

        whole = self.stop.remaining_s()
        worth = WORTH_PICKING_S if self.problem.visits > FEW_VISITS else FEW_PICKING_S
        to_pick = worth <= whole < float("inf") and not self.problem.locks
        stop: Stop = self.stop
        if to_pick:
            stop = FirstOf(MaxSeconds(ANNEAL_SHARE * whole), self.stop)
        plan, self.iterations = improve_separable(
            self.problem, self.keep.plan, stop, self.seed, on_improved=self.keep.offer
        )
        self.keep.offer(plan)
        if to_pick and self.stop.remaining_s() > 0.2:
            proof = prove(self.problem, self.keep.plan, 0.9 * self.stop.remaining_s())
            before = self.keep.judged.objective
            self.keep.offer(proof.plan)
            self.bound = proof.bound
            if self.keep.judged.objective < before:
                self.solver = "columns"

    def _search_exactly(self) -> None:
        before = self.keep.judged.objective
        seconds = min(self.stop.remaining_s(), 60.0)
        plan, self.bound = solve_exact(
            self.problem, self.keep.plan, seconds, self.seed, self.keep.offer
        )
        self.keep.offer(plan)
        self.iterations = self.keep.offered
        if self.keep.judged.objective < before or self.bound == before:
            self.solver = "cp_sat"


def first_plan(problem: Problem) -> Plan:
    """The greedy plan made feasible, with whatever else still fits."""
    return completed(problem, feasible(problem, greedy(problem)))


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
