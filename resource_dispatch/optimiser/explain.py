"""Why each visit went to its team, and why a task could not be planned.

Every reason is found by asking the evaluator: the runner-up by giving the visit to each other able
team, an unplanned task's reason by relaxing one constraint at a time until it fits. (CP-SAT's
assumption cores are unreliable for this.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from .evaluate import Evaluation, coverage_gap, evaluate
from .problem import NEVER_S, Ints, Meeting, Plan, Problem

CANDIDATES = 10
MAX_TRIALS = 4_000
RELAXATIONS = (
    "override",
    "skill",
    "crew",
    "available",
    "duty_end",
    "roads",
    "precedence",
    "locked_order",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Why `team` makes `visit`. `other` is the team the sentence speaks of, or -1."""

    visit: int
    team: int
    code: str
    other: int = -1
    other_arrive_s: int = 0
    runner_up: int = -1
    runner_up_cost: int = 0
    runner_up_arrive_s: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why `task` is not planned: constraints that, relaxed (each alone if one), let it fit."""

    task: int
    code: str
    constraints: tuple[str, ...] = ()
    other: int = -1
    other_travel_s: int = 0
    finish_s: int = 0
    other_task: int = -1
    count: int = 0


def earliest_arrivals(problem: Problem, visit: int) -> Ints:
    """When each team could be there if it did nothing else, `NEVER_S` where it cannot."""
    way = problem.travel_s[problem.profile, problem.start, problem.where[visit]]
    arrive: Ints = np.minimum(problem.available_s + way, NEVER_S)
    return arrive


def explain_choices(problem: Problem, plan: Plan, judged: Evaluation) -> list[Choice]:
    """One `Choice` per visit made."""
    locked = {lock.visit for lock in problem.locks}
    choices = []
    for visit, team in enumerate(plan.team_of(problem.visits)):
        if team >= 0 and visit in locked:
            choices.append(Choice(visit, team, "locked"))
        elif team >= 0 and any(pin.visit == visit for pin in problem.pins):
            choices.append(_explain_override(problem, plan, judged, visit))
        elif team >= 0:
            choices.append(_explain_choice(problem, plan, judged, visit))
    return choices


def _explain_override(problem: Problem, plan: Plan, judged: Evaluation, visit: int) -> Choice:
    """A person's choice; the runner-up is what the rules would have taken, dearer or cheaper."""
    team = plan.team_of(problem.visits)[visit]
    freed = _without_pins(problem, (visit,))
    arrive = earliest_arrivals(freed, visit)
    able = freed.able[:, visit] & (arrive < NEVER_S)
    others = [int(m) for m in np.argsort(arrive, kind="stable") if able[m] and m != team]
    other, cost, there = _runner_up(freed, plan, judged, visit, others[:CANDIDATES])
    code = "override" if freed.able[team, visit] else "override_unable"
    return Choice(visit, team, code, runner_up=other, runner_up_cost=cost, runner_up_arrive_s=there)


def _without_pins(problem: Problem, visits: Collection[int]) -> Problem:
    return problem.with_changes(pins=tuple(p for p in problem.pins if p.visit not in visits))


def _explain_choice(problem: Problem, plan: Plan, judged: Evaluation, visit: int) -> Choice:
    team = plan.team_of(problem.visits)[visit]
    arrive = earliest_arrivals(problem, visit)
    able = problem.able[:, visit] & (arrive < NEVER_S)
    others = [int(m) for m in np.argsort(arrive, kind="stable") if able[m] and m != team]
    if not others:
        return Choice(visit, team, "only_able")
    runner_up, cost, there = _runner_up(problem, plan, judged, visit, others[:CANDIDATES])
    own = judged.arrive_s[visit]
    first = others[0]
    fields = {"runner_up": runner_up, "runner_up_cost": cost, "runner_up_arrive_s": there}
    if arrive[first] >= own:
        return Choice(visit, team, "arrives_first", **fields)
    code = _why_not_sooner(problem, plan, visit, team, first)
    if code == "least_total_cost" and runner_up >= 0 and cost <= 0:
        code = "same_cost" if cost == 0 else "cheaper_known"
    return Choice(visit, team, code, first, int(arrive[first]), **fields)


def _why_not_sooner(problem: Problem, plan: Plan, visit: int, team: int, sooner: int) -> str:
    if plan.routes[sooner]:
        return "sooner_team_busy"
    if problem.assign_cost[sooner, visit] > problem.assign_cost[team, visit]:
        return "sooner_team_must_be_asked"
    if _is_downwind(problem, plan, visit, sooner) > _is_downwind(problem, plan, visit, team):
        return "sooner_team_downwind"
    if problem.tired_s and problem.tired_s[sooner] > problem.tired_s[team]:
        return "sooner_team_tired"
    moved = plan.without(visit).inserted(sooner, 0, visit)
    if coverage_gap(problem, moved) > coverage_gap(problem, plan):
        return "sooner_team_keeps_cover"
    return "least_total_cost"


def _is_downwind(problem: Problem, plan: Plan, visit: int, team: int) -> int:
    """1 when the team's way to the visit, in the plan or straight from where it is, is downwind."""
    if problem.downwind is None:
        return 0
    route = plan.routes[team]
    place = route.index(visit) if visit in route else 0
    at = problem.where[route[place - 1]] if place else problem.start[team]
    return int(problem.downwind[problem.profile[team], at, problem.where[visit]])


def _runner_up(
    problem: Problem, plan: Plan, judged: Evaluation, visit: int, others: list[int]
) -> tuple[int, int, int]:
    """(team, how much more the whole plan costs, when it would arrive) or (-1, 0, 0)."""
    best: tuple[int, int, int] | None = None
    bare = plan.without(visit)
    for other in others:
        for candidate in _insertions(problem, bare, other, visit):
            trial = evaluate(problem, candidate)
            if trial.is_feasible and (best is None or trial.objective < best[1]):
                best = (other, trial.objective, trial.arrive_s[visit])
    if best is None:
        return -1, 0, 0
    return best[0], best[1] - judged.objective, best[2]


def _insertions(problem: Problem, plan: Plan, team: int, visit: int) -> Iterator[Plan]:
    locked = sum(lock.team == team for lock in problem.locks)
    for position in range(locked, len(plan.routes[team]) + 1):
        yield plan.inserted(team, position, visit)


def explain_refusals(problem: Problem, plan: Plan, open_roads: Ints | None = None) -> list[Refusal]:
    """One `Refusal` per task that is not planned in full.

    `open_roads` is `travel_s` with every road open and no weight limit, when it differs.
    """
    team_of = plan.team_of(problem.visits)
    refusals = []
    for task in range(problem.tasks):
        missing = [v for v in problem.visits_of(task) if team_of[v] < 0]
        if missing:
            refusals.append(_refusal(problem, plan, task, missing, open_roads))
    return refusals


def fits(problem: Problem, plan: Plan, task: int) -> Plan | None:
    """The plan with the missing visits of `task` put in somewhere, or None if none fits."""
    team_of = plan.team_of(problem.visits)
    missing = [v for v in problem.visits_of(task) if team_of[v] < 0]
    return _place_all(problem, plan, missing, [MAX_TRIALS])


def _place_all(problem: Problem, plan: Plan, missing: list[int], budget: list[int]) -> Plan | None:
    """Depth-first over the soonest teams of each visit; whole-task rules judged at the end."""
    if not missing:
        return plan if evaluate(problem, plan).is_feasible else None
    visit, rest = missing[0], missing[1:]
    arrive = earliest_arrivals(problem, visit)
    task = int(problem.task_of[visit])
    whole = problem.meeting[task] != Meeting.AS_THEY_COME
    for team in np.argsort(arrive, kind="stable"):
        m = int(team)
        if not problem.able[m, visit] or arrive[m] >= NEVER_S:
            continue
        for candidate in reversed(list(_insertions(problem, plan, m, visit))):
            budget[0] -= 1
            if budget[0] < 0:
                return None
            if not (rest and whole) and not evaluate(problem, candidate).is_feasible:
                continue
            found = _place_all(problem, candidate, rest, budget)
            if found is not None:
                return found
    return None


def relaxed(problem: Problem, task: int, name: str, open_roads: Ints | None) -> Problem | None:
    """The problem with one constraint gone for `task`, or None where it does not bind."""
    visits = list(problem.visits_of(task))
    if name == "override":
        if not any(pin.visit in visits for pin in problem.pins):
            return None
        return _without_pins(problem, visits)
    if name in ("skill", "crew"):
        field = f"has_{name}"
        table = getattr(problem, field).copy()
        if table[:, visits].all():
            return None
        table[:, visits] = True
        return problem.with_changes(**{field: table})
    if name == "available":
        if (problem.available_s == 0).all():
            return None
        return problem.with_changes(available_s=np.zeros_like(problem.available_s))
    if name == "duty_end":
        if (problem.duty_end_s >= NEVER_S).all():
            return None
        return problem.with_changes(duty_end_s=np.full_like(problem.duty_end_s, NEVER_S))
    if name == "roads":
        return None if open_roads is None else problem.with_changes(travel_s=open_roads)
    if name == "precedence":
        if not problem.predecessors[task]:
            return None
        kept = tuple(() if t == task else before for t, before in enumerate(problem.predecessors))
        return problem.with_changes(predecessors=kept)
    if name == "locked_order":
        return problem.with_changes(locks=()) if problem.locks else None
    return None


def _refusal(
    problem: Problem, plan: Plan, task: int, missing: list[int], open_roads: Ints | None
) -> Refusal:
    if fits(problem, plan, task) is not None:
        return Refusal(task, "not_found")
    loosened = {}
    for name in RELAXATIONS:
        easier = relaxed(problem, task, name, open_roads)
        if easier is None:
            continue
        loosened[name] = easier
        base = _without_locks(plan, problem) if name == "locked_order" else plan
        found = fits(easier, base, task)
        if found is not None:
            return _told(problem, plan, _Way(task, missing[0], name, easier, found))
    if problem.teams == 0:
        return Refusal(task, "no_team_at_all")
    binding = _binding(problem, plan, task, tuple(loosened), open_roads)
    if binding:
        return Refusal(task, "several", binding)
    if all((earliest_arrivals(problem, v) >= NEVER_S).all() for v in missing):
        return Refusal(task, "no_road")
    return Refusal(task, "teams_together", count=len(problem.visits_of(task)))


def _binding(
    problem: Problem, plan: Plan, task: int, names: tuple[str, ...], open_roads: Ints | None
) -> tuple[str, ...]:
    """A smallest set (none can be left out) of constraints that, relaxed, let the task in."""
    if not _fits_without(problem, plan, task, names, open_roads):
        return ()
    for name in names:
        fewer = tuple(kept for kept in names if kept != name)
        if _fits_without(problem, plan, task, fewer, open_roads):
            names = fewer
    return names


def _fits_without(
    problem: Problem, plan: Plan, task: int, names: tuple[str, ...], open_roads: Ints | None
) -> bool:
    base = _without_locks(plan, problem) if "locked_order" in names else plan
    for name in names:
        problem = relaxed(problem, task, name, open_roads) or problem
    return fits(problem, base, task) is not None


def _without_locks(plan: Plan, problem: Problem) -> Plan:
    for lock in problem.locks:
        plan = plan.without(lock.visit)
    return plan


@dataclass(frozen=True, slots=True)
class _Way:
    """How a task would fit with the constraint `name` gone."""

    task: int
    visit: int
    name: str
    easier: Problem
    found: Plan


def _told(problem: Problem, plan: Plan, way: _Way) -> Refusal:
    """Fill in what the sentence for one relaxed constraint speaks of."""
    task, visit, name = way.task, way.visit, way.name
    team = way.found.team_of(problem.visits)[visit]
    judged = evaluate(way.easier, way.found)
    travel = judged.arrive_s[visit] - judged.depart_s[visit]
    if name == "skill":
        holders = int(problem.has_skill[:, visit].sum())
        code = "skill_free" if holders else "skill"
        return Refusal(task, code, (name,), team, travel, count=holders)
    if name == "crew":
        skilled = np.where(problem.has_skill[:, visit], problem.crew, -1)
        team = int(np.argmax(skilled))
        return Refusal(task, name, (name,), team, count=int(skilled[team]))
    if name == "precedence":
        made = plan.team_of(problem.visits)
        undone = [
            t for t in problem.predecessors[task] if min(made[v] for v in problem.visits_of(t)) < 0
        ]
        return Refusal(task, name, (name,), other_task=undone[0] if undone else -1)
    return Refusal(task, name, (name,), team, travel, judged.finish_s[visit])
