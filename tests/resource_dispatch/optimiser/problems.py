"""Random dispatch problems for the optimiser's tests, and a checker that shares no code with it."""

from __future__ import annotations

import numpy as np

from resource_dispatch.optimiser import (
    NEVER_S,
    LockSpec,
    Model,
    Need,
    Plan,
    Problem,
    TaskSpec,
    TeamSpec,
    Weights,
)

SKILLS = ("a", "b", "c")


def separable(
    seed: int, tasks: int = 12, teams: int = 8, *, locks: bool = False, plain: bool = False
) -> Problem:
    """One visit a task, no predecessors: releases, golden times, duty ends and coverage."""
    chance = np.random.default_rng(seed)
    size = tasks + teams
    points = chance.uniform(0, 60_000, (size, 2))
    metres = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1)).astype(np.int64)
    travel = np.stack([metres // 22, metres // 15])
    weights = Weights(coverage=0, fairness=0, distance=0, lateness=0) if plain else Weights()
    model = Model(travel, np.stack([metres, metres]), weights)
    for m in range(teams):
        model.add_team(
            TeamSpec(
                f"T{m}",
                tasks + m,
                frozenset(chance.choice(SKILLS, 2, replace=False).tolist()) | {SKILLS[m % 3]},
                int(chance.integers(3, 20)),
                int(chance.integers(0, 2)),
                0 if plain else int(chance.integers(0, 1800)),
                None if plain or chance.random() < 0.6 else int(chance.integers(5_000, 40_000)),
                0 if plain else int(chance.integers(0, 2)) * 900,
                f"g{m % 3}",
                0 if plain else 300 * (m % 3),
            )
        )
    for n in range(tasks):
        need = Need(frozenset({SKILLS[n % 3]}), 2, int(chance.integers(600, 7200)))
        late = None if plain else int(chance.integers(1_000, 9_000))
        release = 0 if plain else int(chance.integers(0, 3_000))
        model.add_task(TaskSpec(f"K{n}", n, (need,), int(chance.integers(1, 6)), release, late))
    if not plain:
        model.want_coverage({"g0": 1, "g1": 1})
    if locks:
        able = model.problem().able[:, 0]
        model.lock(LockSpec(f"T{int(np.flatnonzero(able)[0])}", "K0", 0, 4_000))
    return model.problem()


def check(problem: Problem, plan: Plan) -> tuple[list[str], int]:
    """(broken rules, completion + lateness + unserved cost), counted from the arrays alone.

    For problems whose visits do not meet: each route is walked by itself.
    """
    wrong: list[str] = []
    lock = {k.visit: (k.team, k.start_s) for k in problem.locks}
    pinned = {pin.visit: pin.team for pin in problem.pins}
    seen: set[int] = set()
    cost = 0
    for m, route in enumerate(plan.routes):
        clock, at = int(problem.available_s[m]), int(problem.start[m])
        for v in route:
            if v in seen:
                wrong.append(f"visit {v} twice")
            seen.add(v)
            if v in pinned:
                if pinned[v] != m:
                    wrong.append(f"visit {v} not with the team chosen by hand")
            elif not (problem.has_skill[m, v] and problem.has_crew[m, v]):
                wrong.append(f"team {m} cannot make visit {v}")
            t = int(problem.task_of[v])
            way = int(problem.travel_s[problem.profile[m], at, problem.where[v]])
            begin = max(clock + way, int(problem.release_s[t]))
            if v in lock:
                if lock[v][0] != m:
                    wrong.append(f"locked visit {v} moved")
                begin = max(begin, lock[v][1])
            clock = begin + int(problem.service_s[m, v])
            at = int(problem.where[v])
            if way >= NEVER_S or clock > problem.duty_end_s[m]:
                wrong.append(f"team {m} cannot be done with visit {v}")
            severity = int(problem.severity[t])
            cost += severity * problem.weights.completion * clock
            late = max(0, begin - int(problem.golden_s[t]))
            cost += severity * problem.weights.lateness * late
    for v in range(problem.visits):
        if v not in seen:
            cost += problem.weights.unserved * int(problem.severity[problem.task_of[v]])
    wrong += [f"locked visit {v} dropped" for v in lock if v not in seen]
    return wrong, cost
