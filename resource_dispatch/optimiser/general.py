"""Search for plans whose visits meet or wait for each other, of any size: exact but unhurried.

Ruin and recreate in plain Python on top of the one evaluator, so every rule that the evaluator
knows is kept. For tens of tasks; `exact.py` is better below 25 visits.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from .evaluate import Evaluation, evaluate
from .explain import earliest_arrivals
from .greedy import urgency_order
from .problem import NEVER_S, Plan, Problem
from .stop import Stop

TEAMS_TRIED = 8
ACCEPT_WORSE = 0.002


def cheapest_insertion(problem: Problem, plan: Plan, task: int, tried: int = TEAMS_TRIED) -> Plan:
    """The plan with the missing visits of `task` put where they cost least, if they can be."""
    made = plan.team_of(problem.visits)
    missing = [v for v in problem.visits_of(task) if made[v] < 0]
    whole = plan
    for number, visit in enumerate(missing):
        best: tuple[int, Plan] | None = None
        for candidate in _places(problem, whole, visit, tried):
            judged = evaluate(problem, candidate)
            unfinished = number + 1 < len(missing)
            if not (judged.is_feasible or (unfinished and _only_incomplete(judged))):
                continue
            if best is None or judged.objective < best[0]:
                best = (judged.objective, candidate)
        if best is None:
            return plan
        whole = best[1]
    return whole if evaluate(problem, whole).is_feasible else plan


def _only_incomplete(judged: Evaluation) -> bool:
    return all(v.constraint == "task_is_whole" for v in judged.violations)


def _places(problem: Problem, plan: Plan, visit: int, tried: int) -> list[Plan]:
    arrive = earliest_arrivals(problem, visit)
    able = problem.able[:, visit] & (arrive < NEVER_S)
    idle = np.array([not route for route in plan.routes])
    order = [int(m) for m in np.argsort(arrive, kind="stable") if able[m]]
    teams = order[:tried] + [m for m in order[tried:] if idle[m]][:tried]
    before = int(problem.previous_team[visit])
    if before >= 0 and able[before] and before not in teams:
        teams.append(before)
    places = []
    for m in teams:
        locked = sum(lock.team == m for lock in problem.locks)
        for position in range(locked, len(plan.routes[m]) + 1):
            places.append(plan.inserted(m, position, visit))
    return places


def improve_general(
    problem: Problem,
    plan: Plan,
    stop: Stop,
    seed: int,
    on_improved: Callable[[Plan], None] | None = None,
) -> tuple[Plan, int]:
    """Take a few tasks out and put them back at least cost until `stop`; returns the best plan."""
    chance = random.Random(seed)
    locked = {lock.visit for lock in problem.locks}
    free = [t for t in range(problem.tasks) if not locked.intersection(problem.visits_of(t))]
    current = best = plan
    cost = least = evaluate(problem, plan).objective
    rounds = 0
    while free and not stop(least):
        rounds += 1
        trial = current
        for task in chance.sample(free, min(len(free), chance.randint(1, 4))):
            for visit in problem.visits_of(task):
                trial = trial.without(visit)
        if not evaluate(problem, trial).is_feasible:
            trial = _without_stranded(problem, trial, locked)
        made = trial.team_of(problem.visits)
        for task in urgency_order(problem):
            if min(made[v] for v in problem.visits_of(task)) < 0:
                trial = cheapest_insertion(problem, trial, task)
        judged = evaluate(problem, trial)
        if judged.is_feasible and judged.objective < cost * (1 + ACCEPT_WORSE * chance.random()):
            current, cost = trial, judged.objective
            if cost < least:
                best, least = current, cost
                if on_improved is not None:
                    on_improved(best)
    return best, rounds


def _without_stranded(problem: Problem, plan: Plan, locked: set[int]) -> Plan:
    """Tasks whose predecessors are gone go too."""
    for _ in range(problem.tasks):
        broken = [
            v.visit
            for v in evaluate(problem, plan).violations
            if v.visit is not None and v.visit not in locked
        ]
        if not broken:
            break
        for visit in problem.visits_of(int(problem.task_of[broken[0]])):
            if visit not in locked:
                plan = plan.without(visit)
    return plan
