"""Re-planning with least change: three answers side by side, each with what it changes.

`insert_only` leaves every earlier choice as it is and only fits new work in; `balanced` pays a
fifth of a per cent of the objective for each changed choice; `free` changes what it likes. Locked
orders move in none of them. `questions` are the three as problems, for who solves them elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .evaluate import Evaluation, evaluate
from .general import cheapest_insertion
from .greedy import urgency_order
from .problem import Plan, Problem
from .result import Result
from .solve import feasible, solve
from .stop import MaxSeconds

CHANGE_SHARE = 500
NAMES = ("insert_only", "balanced", "free")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One answer: `changed` visits go to another team than before, which `cost` leaves out."""

    name: str
    plan: Plan
    changed: tuple[int, ...]
    cost: int
    result: Result | None


def remembered(problem: Problem, previous: Plan) -> Problem:
    """The problem that knows which team made each visit before."""
    teams = problem.previous_team.copy()
    for m, route in enumerate(previous.routes):
        for visit in route:
            teams[visit] = m
    return problem.with_changes(previous_team=teams)


@dataclass(frozen=True, slots=True)
class Questions:
    """What re-planning asks: `kept` is the insert-only answer, the problems are yet to solve."""

    known: Problem
    kept: Plan
    balanced: Problem
    free: Problem

    def answers(
        self, balanced: Result, free: Result
    ) -> tuple[Alternative, Alternative, Alternative]:
        """Side by side; where the careful search found more than the free one, both show it."""
        best = free.plan
        if self.cost(balanced.plan) < self.cost(free.plan):
            best = balanced.plan
        return (
            self._alternative(NAMES[0], self.kept, None),
            self._alternative(NAMES[1], balanced.plan, balanced),
            self._alternative(NAMES[2], best, free),
        )

    def cost(self, plan: Plan) -> int:
        return self.judge(plan).objective

    def judge(self, plan: Plan) -> Evaluation:
        """The plan without any price on changing."""
        return evaluate(self.free, plan)

    def _alternative(self, name: str, plan: Plan, result: Result | None) -> Alternative:
        team_of = plan.team_of(self.known.visits)
        before = self.known.previous_team
        changed = tuple(
            v for v in range(self.known.visits) if before[v] >= 0 and team_of[v] != before[v]
        )
        return Alternative(name, plan, changed, self.cost(plan), result)


def questions(problem: Problem, previous: Plan) -> Questions:
    """The three problems that `previous` makes of `problem`. Takes no search, only insertions.

    Without anything planned before they are the problem itself.
    """
    known = remembered(problem, previous)
    if not any(previous.routes):
        return Questions(problem, Plan.empty(problem), problem, problem)
    free = known.with_changes(weights=replace(known.weights, changes=0))
    kept = insert_only(known, previous)
    step = max(1, evaluate(free, kept).objective // CHANGE_SHARE)
    balanced = known.with_changes(weights=replace(known.weights, changes=step))
    return Questions(known, kept, balanced, free)


def alternatives(
    problem: Problem, previous: Plan, seconds: float, seed: int = 0
) -> tuple[Alternative, Alternative, Alternative]:
    """The three answers to what the problem has become; `seconds` for each search."""
    asked = questions(problem, previous)
    balanced = solve(asked.balanced, MaxSeconds(seconds), seed, start=asked.kept)
    free = solve(asked.free, MaxSeconds(seconds), seed)
    return asked.answers(balanced, free)


def insert_only(problem: Problem, previous: Plan) -> Plan:
    """Earlier visits keep team and order as far as they still can; new ones are fitted in."""
    plan = feasible(problem, previous)
    made = plan.team_of(problem.visits)
    for task in urgency_order(problem):
        if min(made[v] for v in problem.visits_of(task)) < 0:
            plan = cheapest_insertion(problem, plan, task, tried=problem.teams)
    return plan
