"""Large neighbourhood search where routes do not meet: arrays in, better and better plans out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from . import kernel_routes as kernel
from .problem import NEVER_S, Ints, Plan, Problem
from .stop import MaxIterations, Stop

NEIGHBOURS = 60
CHUNK = 200
CHUNK_S = 0.02
HOT_SHARE = 0.08
COLD_SHARE = 0.0002


def warm_up() -> None:
    """Compile or load the kernels now, so that no search pays for it."""
    from .model import Model, Need, TaskSpec, TeamSpec
    from .stop import MaxIterations as Rounds

    flat = np.zeros((1, 2, 2), dtype=np.int64)
    model = Model(flat, flat)
    model.add_team(TeamSpec("T", 0, frozenset()))
    model.add_task(TaskSpec("K", 1, (Need(frozenset()),)))
    problem = model.problem()
    improve_separable(problem, Plan(((),)), Rounds(2), 0)


def static_of(problem: Problem) -> kernel.Static:
    """The kernel's arrays of a separable problem."""
    weights = problem.weights
    able = problem.able.copy()
    held = np.zeros(problem.teams, dtype=np.int64)
    movable = np.ones(problem.visits, dtype=np.int64)
    release = problem.release_s[problem.task_of].copy()
    for lock in problem.locks:
        held[lock.team] += 1
        movable[lock.visit] = 0
        np.maximum.at(release, lock.visit, lock.start_s)
    able[problem.available_s >= NEVER_S] = False
    severity = problem.severity[problem.task_of]
    count = able.sum(axis=0).astype(np.int64)
    able_teams = np.full((problem.visits, max(1, int(count.max(initial=0)))), -1, dtype=np.int64)
    arrive = _arrivals(problem, able)
    for v in range(problem.visits):
        order = np.argsort(arrive[:, v], kind="stable")
        able_teams[v, : count[v]] = [m for m in order if able[m, v]]
    extra = problem.give_cost.copy()
    known = np.flatnonzero(problem.previous_team >= 0)
    extra[:, known] += weights.changes
    extra[problem.previous_team[known], known] -= weights.changes
    soonest = arrive.min(axis=0, initial=NEVER_S)
    golden = problem.golden_s[problem.task_of]
    urgency = np.stack((-severity, count, golden + soonest - severity * 600))
    metres, per_metre = problem.metres, weights.distance
    if problem.downwind is not None:  # a plume passed costs as so many metres more
        metres = metres * per_metre + 1000 * weights.downwind * problem.downwind
        per_metre = 1
    scalars = np.array([per_metre, 1000 * weights.fairness, 1000 * weights.coverage])
    return kernel.Static(
        travel=problem.travel_s.astype(np.int32),
        metres=metres,
        profile=problem.profile,
        start=problem.start,
        where=problem.where,
        service=problem.service_s,
        available=problem.available_s,
        duty_end=problem.duty_end_s,
        release=release,
        golden=golden,
        finish_cost=1000 * weights.completion * severity,
        late_cost=1000 * weights.lateness * severity,
        extra=1000 * extra,
        unserved=1000 * weights.unserved * severity,
        able_teams=able_teams,
        able_count=count,
        near=_near(problem, able),
        urgency=urgency.astype(np.int64),
        movable=movable,
        held=held,
        group=problem.coverage_group,
        floor=problem.coverage_floor,
        scalars=scalars.astype(np.int64),
    )


def _arrivals(problem: Problem, able: np.ndarray[Any, Any]) -> Ints:
    way = problem.travel_s[problem.profile[:, None], problem.start[:, None], problem.where[None, :]]
    arrive: Ints = np.where(able, problem.available_s[:, None] + way, NEVER_S)
    return arrive


def _near(problem: Problem, able: np.ndarray[Any, Any]) -> Ints:
    """For each visit the others by nearness: short travel and teams in common."""
    visits = problem.visits
    between = problem.travel_s[:, problem.where[:, None], problem.where[None, :]].mean(axis=0)
    common = able.T.astype(float) @ able.astype(float)
    share = common / np.maximum(1.0, able.sum(axis=0)[:, None])
    typical = float(np.median(between)) or 1.0
    score = between / typical - 2.0 * share
    np.fill_diagonal(score, np.inf)
    order: Ints = np.argsort(score, axis=1, kind="stable")[:, : min(visits - 1, NEIGHBOURS)]
    return np.ascontiguousarray(order.astype(np.int64))


def state_of(problem: Problem, static: kernel.Static, plan: Plan, seed: int) -> kernel.State:
    """The kernel's picture of a plan."""
    teams, visits = problem.teams, problem.visits
    state = kernel.State(
        route=np.zeros((teams, visits + 1), dtype=np.int64),
        length=np.zeros(teams, dtype=np.int64),
        finish=np.zeros((teams, visits + 2), dtype=np.int64),
        cost=np.zeros((teams, visits + 2), dtype=np.int64),
        team_of=np.full(visits, -1, dtype=np.int64),
        idle=np.zeros(len(problem.coverage_floor), dtype=np.int64),
        total=np.zeros(1, dtype=np.int64),
        random=np.array([(seed * 7919 + 104729) % 2147483646 + 1], dtype=np.int64),
        scratch_visits=np.zeros(visits, dtype=np.int64),
        scratch_teams=np.zeros(teams, dtype=np.int64),
    )
    for m, route in enumerate(plan.routes):
        state.length[m] = len(route)
        state.route[m, : len(route)] = route
        state.team_of[list(route)] = m
        group = int(problem.coverage_group[m])
        if group >= 0 and not route and problem.available_s[m] < NEVER_S:
            state.idle[group] += 1
        kernel.refresh(static, state, m)
    state.total[0] = kernel.total_cost(static, state)
    return state


def plan_of(state: kernel.State) -> Plan:
    return Plan(
        tuple(
            tuple(int(v) for v in state.route[m, : state.length[m]])
            for m in range(len(state.length))
        )
    )


def improve_separable(
    problem: Problem,
    plan: Plan,
    stop: Stop,
    seed: int,
    *,
    on_improved: Callable[[Plan], None] | None = None,
    anneal: Callable[..., int] | None = None,
) -> tuple[Plan, int]:
    """Anneal from `plan` until `stop`; returns the best plan and the iterations made.

    With `MaxIterations` (asked once per round of the kernel) the answer depends on the seed alone.
    `anneal` may be the kernel's pure-Python twin.
    """
    run = anneal or kernel.anneal
    static = static_of(problem)
    state = state_of(problem, static, plan, seed)
    best = state_of(problem, static, plan, seed)
    backup = state_of(problem, static, plan, seed)
    hot, cold = temperatures(state, problem.visits)
    most = max(min(6, problem.visits), min(12, problem.visits // 4))
    done, told = 0, int(best.total[0])
    for chunk, warmth in _chunks(stop, lambda: int(best.total[0])):
        heat = cold * (hot / cold) ** warmth
        run(static, state, best, backup, chunk, heat, max(cold, heat * 0.999), most)
        done += chunk
        if on_improved is not None and best.total[0] < told:
            told = int(best.total[0])
            on_improved(plan_of(best))
    return plan_of(best), done


def temperatures(state: kernel.State, visits: int) -> tuple[float, float]:
    """Start and end of the annealing, from what one served visit costs now."""
    served = state.cost[np.arange(len(state.length)), state.length].sum()
    typical = max(1.0, float(served) / max(1, visits))
    return HOT_SHARE * typical, COLD_SHARE * typical


def _chunks(stop: Stop, best: Callable[[], int]) -> Any:
    """(iterations, warmth 1 to 0) until the stop: by time where it has one, else by count."""
    whole = stop.remaining_s()
    if math.isinf(whole):
        rounds = stop.iterations if isinstance(stop, MaxIterations) else 20_000
        for k in range(max(1, rounds // CHUNK) + 1):
            size = min(CHUNK, rounds - k * CHUNK)
            if size <= 0 or stop(best()):
                return
            yield size, 1 - k * CHUNK / rounds
        return
    chunk = CHUNK
    while not stop(best()):
        left = stop.remaining_s()
        if left <= 0:
            return
        begun = time.perf_counter()
        yield chunk, min(1.0, left / whole)
        took = time.perf_counter() - begun
        chunk = max(20, min(20_000, int(chunk * min(4.0, min(CHUNK_S, left) / max(took, 1e-6)))))
