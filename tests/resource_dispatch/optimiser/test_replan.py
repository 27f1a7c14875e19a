"""Re-planning: locked orders never move, and the careful answers change less than the free one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_dispatch.optimiser import (
    NEVER_S,
    Lock,
    MaxIterations,
    MaxSeconds,
    Meeting,
    Plan,
    Problem,
    alternatives,
    evaluate,
    explain_refusals,
    solve,
)
from resource_dispatch.optimiser.explain import fits, relaxed
from resource_dispatch.optimiser.replan import insert_only, remembered

from .problems import check, separable


def _known_part(problem: Problem, plan: Plan, new: int) -> Plan:
    """The plan without the last `new` visits, as if they were not known yet."""
    for visit in range(problem.visits - new, problem.visits):
        plan = plan.without(visit)
    return plan


@pytest.mark.parametrize("seed", range(3))
def test_three_answers_keep_what_they_promise(seed: int) -> None:
    """Insert-only changes nothing, balanced no more than free, and free costs least."""
    problem = separable(seed, 12, 8, plain=True)
    before = _known_part(problem, solve(problem, MaxIterations(400), seed).plan, 3)
    careful, balanced, free = alternatives(problem, before, 0.2, seed)
    assert careful.changed == ()
    assert len(balanced.changed) <= len(free.changed)
    assert free.cost <= balanced.cost <= careful.cost
    for answer in (careful, balanced, free):
        assert check(problem, answer.plan)[0] == []


def test_insert_only_keeps_every_route_in_order() -> None:
    """Earlier visits stay with their team in their order; new ones go in between or after."""
    problem = separable(4, 12, 8, plain=True)
    before = _known_part(problem, solve(problem, MaxIterations(400), 4).plan, 4)
    after = insert_only(remembered(problem, before), before)
    for old, new in zip(before.routes, after.routes, strict=True):
        assert tuple(v for v in new if v in old) == old


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), held=st.integers(1, 3), meet=st.booleans())
def test_locked_orders_never_move(seed: int, held: int, meet: bool) -> None:
    """Whatever the problem, a locked visit stays with its team at the head of its route."""
    problem = separable(seed, 9, 6)
    first = solve(problem, MaxIterations(50), seed).plan
    locks = tuple(Lock(m, route[0], 500) for m, route in enumerate(first.routes) if route)[:held]
    problem = problem.with_changes(locks=locks)
    if meet:
        problem = problem.with_changes(predecessors=((), *(((0,),) * 1), *((),) * 7))
    result = solve(problem, MaxSeconds(0.1), seed)
    for lock in locks:
        assert result.plan.routes[lock.team][0] == lock.visit
        assert result.evaluation.start_s[lock.visit] >= lock.start_s


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), scarce=st.sampled_from(["skill", "crew", "duty_end", "away"]))
def test_plan_is_valid_and_every_refusal_is_true(seed: int, scarce: str) -> None:
    """Any valid problem gives a valid plan; each named constraint, relaxed, lets the task in."""
    problem = separable(seed, 7, 4)
    task = seed % problem.tasks
    if scarce == "skill":
        table = problem.has_skill.copy()
        table[:, task] = False
        problem = problem.with_changes(has_skill=table)
    elif scarce == "crew":
        table = problem.has_crew.copy()
        table[:, task] = False
        problem = problem.with_changes(has_crew=table)
    elif scarce == "duty_end":
        problem = problem.with_changes(duty_end_s=np.full(problem.teams, 3_000))
    else:
        problem = problem.with_changes(available_s=np.full(problem.teams, NEVER_S))
    result = solve(problem, MaxIterations(100), seed)
    assert result.evaluation.is_feasible
    assert check(problem, result.plan)[0] == []
    for refusal in explain_refusals(problem, result.plan):
        assert refusal.code != "not_found"
        assert refusal.constraints
        easier = problem
        for name in refusal.constraints:
            found = relaxed(easier, refusal.task, name, None)
            assert found is not None
            easier = found
        assert fits(easier, result.plan, refusal.task) is not None


def test_large_problem_with_meetings_is_searched_too() -> None:
    """Above the exact solver's size, visits that meet still get a better plan than the first."""
    problem = separable(6, 30, 14)
    twins = problem.task_of.copy()
    twins[1::2] = twins[0::2]
    names, order = np.unique(twins, return_inverse=True)
    problem = problem.with_changes(
        task_ids=tuple(f"K{n}" for n in names),
        task_of=order,
        severity=problem.severity[names],
        release_s=problem.release_s[names],
        golden_s=problem.golden_s[names],
        meeting=np.full(len(names), int(Meeting.TOGETHER)),
        predecessors=((),) * len(names),
    )
    first = solve(problem, MaxSeconds(0.0), 1)
    better = solve(problem, MaxIterations(15), 1)
    assert better.evaluation.is_feasible
    assert better.objective < first.objective
    assert evaluate(problem, better.plan).objective == better.objective
