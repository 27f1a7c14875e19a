"""Re-planning: locked orders never move, and the careful answers change less than the free one."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.ruasp import generate
from resource_dispatch.optimiser import (
    NEVER_S,
    Lock,
    MaxIterations,
    MaxSeconds,
    Meeting,
    Pin,
    Plan,
    Problem,
    alternatives,
    evaluate,
    explain_choices,
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


def _scarce(problem: Problem, name: str, seed: int) -> Problem:
    """The problem with one thing made short for one task or for all."""
    task = seed % problem.tasks
    if name in ("skill", "crew"):
        table = getattr(problem, f"has_{name}").copy()
        table[:, task] = False
        return problem.with_changes(**{f"has_{name}": table})
    if name == "duty_end":
        return problem.with_changes(duty_end_s=np.full(problem.teams, 3_000))
    if name == "roads":
        travel = problem.travel_s.copy()
        travel[:, :, problem.where[task]] = NEVER_S
        return problem.with_changes(travel_s=travel)
    if name == "precedence":
        before = tuple(((task + 1) % problem.tasks,) if t == task else () for t in range(7))
        return problem.with_changes(predecessors=before)
    if name == "pin":
        return problem.with_changes(pins=(Pin(seed % problem.teams, task),))
    return problem.with_changes(available_s=np.full(problem.teams, NEVER_S))


SCARCE = ("skill", "crew", "duty_end", "away", "roads", "precedence", "pin")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), scarce=st.sets(st.sampled_from(SCARCE), min_size=1, max_size=3))
def test_plan_is_valid_and_every_refusal_is_true(seed: int, scarce: set[str]) -> None:
    """Any valid problem gives a valid plan; each named constraint, relaxed, lets the task in."""
    problem = separable(seed, 7, 4)
    open_roads = problem.travel_s
    for name in sorted(scarce):
        problem = _scarce(problem, name, seed)
    result = solve(problem, MaxIterations(100), seed)
    assert result.evaluation.is_feasible
    assert check(problem, result.plan)[0] == []
    for refusal in explain_refusals(problem, result.plan, open_roads):
        assert refusal.code != "not_found"
        assert refusal.constraints
        easier = problem
        for name in refusal.constraints:
            found = relaxed(easier, refusal.task, name, open_roads)
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


def _first_tasks(problem: Problem, count: int) -> Problem:
    """The problem before its last tasks were reported (one visit a task)."""
    rows = {
        name: getattr(problem, name)[:, :count]
        for name in ("has_skill", "has_crew", "service_s", "assign_cost")
    }
    flat = {
        name: getattr(problem, name)[:count]
        for name in (
            *("task_ids", "where", "task_of", "severity", "release_s", "golden_s"),
            *("meeting", "predecessors", "previous_team"),
        )
    }
    return problem.with_changes(**rows, **flat)


def test_balanced_answer_costs_a_hundredth_and_changes_half() -> None:
    """Six new tasks among 34 planned: within 1.01 of the free answer, half its changes (median)."""
    ratios, shares = [], []
    for seed in range(20):
        problem = generate(40, (40, 20)[seed % 2], seed).problem()
        before = solve(_first_tasks(problem, 34), MaxSeconds(0.15), seed).plan
        _, balanced, free = alternatives(problem, before, 0.15, seed + 1)
        ratios.append(balanced.cost / free.cost)
        shares.append(len(balanced.changed) / max(1, len(free.changed)))
    assert statistics.median(ratios) <= 1.01
    assert statistics.median(shares) <= 0.5


def test_choice_by_hand_is_kept_scored_and_never_undone() -> None:
    """Even a team without the skill stays where a person put it, and the cost of that is told."""
    problem = separable(3, 12, 8, plain=True)
    free = solve(problem, MaxIterations(600), 1)
    visit = 0
    clumsy = next(m for m in range(problem.teams) if not problem.has_skill[m, visit])
    pinned = problem.with_changes(pins=(Pin(clumsy, visit),))
    for seed in range(3):
        result = solve(pinned, MaxIterations(600), seed)
        assert result.evaluation.is_feasible
        assert visit in result.plan.routes[clumsy]
    choice = explain_choices(pinned, result.plan, result.evaluation)[visit]
    assert choice.code == "override_unable"
    freed = pinned.with_changes(pins=())
    swapped = [
        evaluate(freed, result.plan.without(visit).inserted(choice.runner_up, k, visit)).objective
        for k in range(len(result.plan.routes[choice.runner_up]) + 1)
    ]
    assert min(swapped) - result.objective == choice.runner_up_cost
    assert free.objective <= result.objective


def test_choice_by_hand_that_cannot_be_made_says_so() -> None:
    """A pinned team that is not available leaves the task open, with the pin as the true reason."""
    problem = separable(3, 12, 8, plain=True)
    able = np.flatnonzero(problem.able[:, 0])
    away = problem.available_s.copy()
    away[able[0]] = NEVER_S
    pinned = problem.with_changes(pins=(Pin(int(able[0]), 0),), available_s=away)
    result = solve(pinned, MaxIterations(200), 1)
    refusal = next(r for r in explain_refusals(pinned, result.plan) if r.task == 0)
    assert refusal.code == "override"
    easier = relaxed(pinned, 0, "override", None)
    assert easier is not None
    assert fits(easier, result.plan, 0) is not None
