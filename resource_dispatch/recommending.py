"""Which team for this one task now, best first, and what stands against the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .optimiser.evaluate import evaluate
from .optimiser.explain import earliest_arrivals
from .optimiser.problem import NEVER_S, Plan, Problem
from .proposals import Desk
from .requests import DispatchChoice, Recommendation

ABLE = 10
UNABLE = 5


def recommend(
    desk: Desk, task_id: str, previous: Sequence[DispatchChoice] = (), need: int = 0
) -> tuple[Recommendation, ...]:
    """Teams for the task's `need`-th visit, the cheapest for the whole plan first.

    The plan before stays as it is; each team is tried in every place of its route. After the able
    teams come the nearest others with the constraints that stand against them. Empty for a task
    that is unknown or wants no team.
    """
    numbers = [t for t, task in enumerate(desk.served) if task.id == task_id]
    if not numbers or need >= len(desk.problem.visits_of(numbers[0])):
        return ()
    visit = desk.problem.visits_of(numbers[0])[need]
    pins = tuple(pin for pin in desk.problem.pins if pin.visit != visit)
    problem = desk.problem.with_changes(pins=pins)
    base = desk.plan_of(previous).without(visit)
    able: list[tuple[int, _Trial]] = []
    unable: list[_Trial] = []
    for m in range(problem.teams):
        limits = _limits(problem, visit, m)
        found = None if limits else _cheapest(problem, base, visit, m)
        if found is None:
            unable.append(_Trial(m, limits=limits or ("duty_end",)))
        else:
            able.append(found)
    able.sort(key=lambda pair: (pair[0], pair[1].team))
    rows = [_row(desk, base, trial, cost - able[0][0]) for cost, trial in able[:ABLE]]
    way = problem.travel_s[problem.profile, problem.start, problem.where[visit]]
    unable.sort(key=lambda trial: (int(way[trial.team]), trial.team))
    rows += [
        _row(desk, base, replace(trial, travel_s=int(way[trial.team])), 0)
        for trial in unable[:UNABLE]
    ]
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Trial:
    """One team tried: when it would arrive, or what stands against it."""

    team: int
    arrive_s: int = NEVER_S
    travel_s: int = NEVER_S
    limits: tuple[str, ...] = ()


def _limits(problem: Problem, visit: int, team: int) -> tuple[str, ...]:
    """Constraints that bind before any route is looked at."""
    arrive = int(earliest_arrivals(problem, visit)[team])
    way = problem.travel_s[problem.profile[team], problem.start[team], problem.where[visit]]
    end = max(arrive, int(problem.release_s[problem.task_of[visit]]))
    end += int(problem.service_s[team, visit])
    binding = {
        "skill": not problem.has_skill[team, visit],
        "crew": not problem.has_crew[team, visit],
        "available": problem.available_s[team] >= NEVER_S,
        "roads": way >= NEVER_S,
        "duty_end": arrive < NEVER_S and end > problem.duty_end_s[team],
    }
    return tuple(name for name, binds in binding.items() if binds)


def _cheapest(problem: Problem, base: Plan, visit: int, team: int) -> tuple[int, _Trial] | None:
    """(objective, trial) of the best place in the team's route."""
    best: tuple[int, _Trial] | None = None
    held = sum(lock.team == team for lock in problem.locks)
    for position in range(held, len(base.routes[team]) + 1):
        judged = evaluate(problem, base.inserted(team, position, visit))
        broken = [v for v in judged.violations if v.constraint != "task_is_whole"]
        if not broken and (best is None or judged.objective < best[0]):
            arrive = judged.arrive_s[visit]
            best = (judged.objective, _Trial(team, arrive, arrive - judged.depart_s[visit]))
    return best


def _row(desk: Desk, base: Plan, trial: _Trial, more: int) -> Recommendation:
    team, route = desk.teams[trial.team], base.routes[trial.team]
    return Recommendation(
        team_id=team.id,
        team_name=team.name,
        authority=team.authority,
        arrive_at=desk.time(trial.arrive_s) if trial.arrive_s < NEVER_S else None,
        travel_s=trial.travel_s if trial.travel_s < NEVER_S else 0,
        cost_more=more,
        used_for=desk.served[int(desk.problem.task_of[route[0]])].text if route else None,
        limits=trial.limits,
    )
