"""Re-planning with least change: three answers side by side, each with what it changes.

`insert_only` leaves every earlier choice as it is and only fits new work in; `balanced` pays a
fifth of a per cent of the objective for each changed choice; `free` changes what it likes. Locked
orders move in none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .evaluate import evaluate
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


def alternatives(
    problem: Problem, previous: Plan, seconds: float, seed: int = 0
) -> tuple[Alternative, Alternative, Alternative]:
    """The three answers to what the problem has become; `seconds` for each search."""
    known = remembered(problem, previous)
    kept = insert_only(known, previous)
    step = max(1, evaluate(_unpriced(known), kept).objective // CHANGE_SHARE)
    careful = known.with_changes(weights=replace(known.weights, changes=step))
    balanced = solve(careful, MaxSeconds(seconds), seed, start=kept)
    free = solve(_unpriced(known), MaxSeconds(seconds), seed, start=balanced.plan)
    return (
        _alternative(NAMES[0], known, kept, None),
        _alternative(NAMES[1], known, balanced.plan, balanced),
        _alternative(NAMES[2], known, free.plan, free),
    )


def insert_only(problem: Problem, previous: Plan) -> Plan:
    """Earlier visits keep team and order as far as they still can; new ones are fitted in."""
    plan = feasible(problem, previous)
    made = plan.team_of(problem.visits)
    for task in urgency_order(problem):
        if min(made[v] for v in problem.visits_of(task)) < 0:
            plan = cheapest_insertion(problem, plan, task, tried=problem.teams)
    return plan


def _unpriced(problem: Problem) -> Problem:
    return problem.with_changes(weights=replace(problem.weights, changes=0))


def _alternative(name: str, problem: Problem, plan: Plan, result: Result | None) -> Alternative:
    team_of = plan.team_of(problem.visits)
    changed = tuple(
        v
        for v in range(problem.visits)
        if problem.previous_team[v] >= 0 and team_of[v] != problem.previous_team[v]
    )
    return Alternative(name, plan, changed, evaluate(_unpriced(problem), plan).objective, result)
