"""The annealing kernel and the column bound, held against the evaluator and brute force."""

from __future__ import annotations

import itertools

import pytest

from resource_dispatch.optimiser import MaxIterations, MaxSeconds, Plan, Problem, evaluate, solve
from resource_dispatch.optimiser import kernel_routes as kernel
from resource_dispatch.optimiser.columns import prove
from resource_dispatch.optimiser.greedy import greedy
from resource_dispatch.optimiser.separable import (
    improve_separable,
    state_of,
    static_of,
)
from resource_dispatch.optimiser.solve import feasible

from .problems import check, separable


@pytest.mark.parametrize("seed", range(6))
def test_kernel_counts_what_the_evaluator_counts(seed: int) -> None:
    """The kernel's thousandths and the judge's whole units differ by the metres' rounding alone."""
    problem = separable(seed, locks=seed % 2 == 1)
    start = feasible(problem, greedy(problem))
    plan, _ = improve_separable(problem, start, MaxIterations(2_000), seed)
    judged = evaluate(problem, plan)
    assert judged.is_feasible
    state = state_of(problem, static_of(problem), plan, 0)
    assert int(state.total[0]) // 1000 == judged.objective
    wrong, cost = check(problem, plan)
    assert wrong == []
    assert cost == sum(judged.terms[t] for t in ("unserved", "completion", "lateness"))
    assert judged.objective <= evaluate(problem, start).objective


def test_same_seed_gives_the_same_plan() -> None:
    """With an iteration stop in one process nothing but the seed decides."""
    problem = separable(3)
    first, again = (solve(problem, MaxIterations(3_000), seed=5).plan for _ in range(2))
    assert first == again


def test_compiled_kernel_and_python_twin_agree() -> None:
    """The twin is the same code uncompiled, and must walk the same path."""
    problem = separable(1, 8, 5)
    start = feasible(problem, greedy(problem))
    quick = improve_separable(problem, start, MaxIterations(60), 4)
    names = ("draw", "uniform", "step", "refresh", "best_place", "put", "take", "total_cost")
    names += ("copy_solution", "copy_team", "ruin", "order_removed", "recreate", "anneal")
    kept = {name: getattr(kernel, name) for name in names}
    try:
        for name in names:
            setattr(kernel, name, kept[name].py_func)
        slow = improve_separable(problem, start, MaxIterations(60), 4)
    finally:
        for name in names:
            setattr(kernel, name, kept[name])
    assert quick == slow


def _best_by_force(problem: Problem) -> int:
    """The optimum over every assignment and every order, for a handful of visits."""
    best = evaluate(problem, Plan.empty(problem)).objective
    for given in itertools.product(range(-1, problem.teams), repeat=problem.visits):
        groups = [[v for v, m in enumerate(given) if m == team] for team in range(problem.teams)]
        for orders in itertools.product(*(itertools.permutations(g) for g in groups)):
            judged = evaluate(problem, Plan(tuple(tuple(o) for o in orders)))
            if judged.is_feasible:
                best = min(best, judged.objective)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_small_problems_are_solved_to_the_optimum(seed: int) -> None:
    """On a handful of tasks the search finds what trying everything finds."""
    problem = separable(seed, 4, 3)
    result = solve(problem, MaxIterations(2_000), seed)
    assert result.objective == _best_by_force(problem)


@pytest.mark.parametrize("seed", range(3))
def test_proven_bound_is_below_every_plan_and_met_by_the_best(seed: int) -> None:
    """The bound is the optimum here: a bound above any plan, or a loose one, would be false."""
    problem = separable(seed, 5, 3, plain=True)
    start = feasible(problem, greedy(problem))
    proof = prove(problem, start, 20.0)
    optimum = _best_by_force(problem)
    assert proof.bound == optimum
    assert evaluate(problem, proof.plan).objective == optimum


def test_locked_visit_never_moves() -> None:
    """What is ordered stays first in its team's route, whatever the search would gain."""
    problem = separable(2, locks=True)
    assert problem.is_separable
    result = solve(problem, MaxSeconds(0.3), 1)
    (lock,) = problem.locks
    assert result.plan.routes[lock.team][0] == lock.visit
