"""商请: teams that are asked and may decline. What asking costs, and who goes if they decline.

A team that declines does so after some minutes; then the next one sets out. What asking is
expected to cost is the chance of that, times what the task then costs more. Ordered teams are the
next choice before teams that would have to be asked as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .optimiser.evaluate import Evaluation, evaluate
from .optimiser.problem import NEVER_S, Ints, Plan, Problem
from .requests import DispatchTeam

REQUEST = "request"
NOBODY_S = 4 * 3_600  # where nobody else is able: as if somebody came four hours later
NEXT_TRIED = 8


def asking_costs(problem: Problem, teams: Sequence[DispatchTeam]) -> Ints:
    """What asking each team for each visit is expected to cost, (M, V); ordered teams nothing.

    The next team is judged from where it is now, as if it had nothing else to do.
    """
    costs = np.zeros((problem.teams, problem.visits), dtype=np.int64)
    asked = [m for m, team in enumerate(teams) if team.authority == REQUEST]
    is_asked = np.array([team.authority == REQUEST for team in teams], dtype=np.bool_)
    if not asked:
        return costs
    able = problem.able & (problem.available_s < NEVER_S)[:, None]
    way = problem.travel_s[problem.profile[:, None], problem.start[:, None], problem.where[None, :]]
    able &= way < NEVER_S
    free = problem.available_s[:, None]
    own = _cost(problem, free + way)
    for m in asked:
        refuses_pct = 100 - _chance(teams[m])
        later = _cost(problem, np.maximum(free, teams[m].answer_s) + way)
        for v in np.flatnonzero(able[m]):
            others = able[:, v].copy()
            others[m] = False
            ordered = others & ~is_asked
            choice = ordered if ordered.any() else others
            if choice.any():
                more = int(later[choice, v].min()) - int(own[m, v])
            else:
                more = int(problem.severity[problem.task_of[v]]) * NOBODY_S
            costs[m, v] = max(0, more) * refuses_pct // 100
    return costs


def _chance(team: DispatchTeam) -> int:
    return max(0, min(100, team.accept_pct))


def _cost(problem: Problem, arrive: Ints) -> Ints:
    """Completion and lateness of every visit if each team was there at `arrive`, (M, V)."""
    weights, task = problem.weights, problem.task_of
    begin = np.maximum(arrive, problem.release_s[task])
    late = np.maximum(0, begin - problem.golden_s[task])
    cost: Ints = problem.severity[task] * (
        weights.completion * (begin + problem.service_s) + weights.lateness * late
    )
    return cost


@dataclass(frozen=True, slots=True)
class Next:
    """Who would go if the asked team declined: what the whole plan would cost more then."""

    team: int
    arrive_s: int
    cost_more: int


def next_team(
    problem: Problem, plan: Plan, judged: Evaluation, visit: int, teams: Sequence[DispatchTeam]
) -> Next | None:
    """The cheapest team for the visit once its team has declined, all else as planned.

    It sets out when the answer has come, not before. None: nobody else can come.
    """
    team = plan.team_of(problem.visits)[visit]
    declined_s = teams[team].answer_s
    bare = plan.without(visit)
    way = problem.travel_s[problem.profile, problem.start, problem.where[visit]]
    arrive = np.minimum(problem.available_s + way, NEVER_S)
    able = problem.able[:, visit] & (arrive < NEVER_S)
    able[team] = False
    for wants_order in (True, False):
        rank = [
            int(m)
            for m in np.argsort(arrive, kind="stable")
            if able[m] and (teams[int(m)].authority != REQUEST) == wants_order
        ]
        found = [
            one
            for m in rank[:NEXT_TRIED]
            if (one := _with(problem, bare, visit, m, declined_s)) is not None
        ]
        if found:
            best = min(found, key=lambda one: (one.cost_more, one.team))
            return Next(best.team, best.arrive_s, best.cost_more - judged.objective)
    return None


def _with(problem: Problem, bare: Plan, visit: int, team: int, declined_s: int) -> Next | None:
    """The team's cheapest place for the visit; `cost_more` holds the whole objective."""
    if not bare.routes[team]:  # it may wait at home
        free = problem.available_s.copy()
        free[team] = max(int(free[team]), declined_s)
        problem = problem.with_changes(available_s=free)
    held = sum(lock.team == team for lock in problem.locks)
    best: Next | None = None
    for position in range(held, len(bare.routes[team]) + 1):
        judged = evaluate(problem, bare.inserted(team, position, visit))
        if not judged.is_feasible or judged.depart_s[visit] < declined_s:
            continue
        if best is None or judged.objective < best.cost_more:
            best = Next(team, judged.arrive_s[visit], judged.objective)
    return best
