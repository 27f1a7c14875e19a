"""The one judge of plans: schedule, named terms of the objective, named violations.

Pure and exact in whole numbers. Solvers may count faster, but what they return is judged here.
"""

from __future__ import annotations

from dataclasses import dataclass

from .problem import NEVER_S, Meeting, Plan, Problem

TERMS = (
    "unserved",
    "completion",
    "lateness",
    "coverage",
    "changes",
    "authority",
    "fairness",
    "distance",
)


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that the plan breaks, by its name."""

    constraint: str
    team: int | None = None
    visit: int | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a plan costs. `start_s[v]`, `arrive_s[v]` and `finish_s[v]` are -1 when not made."""

    objective: int
    terms: dict[str, int]
    violations: tuple[Violation, ...]
    depart_s: tuple[int, ...]
    arrive_s: tuple[int, ...]
    start_s: tuple[int, ...]
    finish_s: tuple[int, ...]

    @property
    def is_feasible(self) -> bool:
        return not self.violations


def evaluate(problem: Problem, plan: Plan) -> Evaluation:
    """Schedule each visit as early as team, task and predecessors allow, then add up."""
    violations = _membership_violations(problem, plan)
    times = _Times(problem, plan)
    times.run()
    violations += times.violations
    team_of = plan.team_of(problem.visits)
    locked = {lock.visit for lock in problem.locks}
    for task in range(problem.tasks):
        made = [team_of[v] >= 0 for v in problem.visits_of(task)]
        is_free = locked.isdisjoint(problem.visits_of(task))
        whole = problem.meeting[task] == Meeting.AS_THEY_COME or all(made)
        if any(made) and is_free and not whole:
            violations.append(Violation("task_is_whole", visit=problem.visits_of(task)[0]))
    terms = _terms(problem, plan, times, team_of)
    return Evaluation(
        sum(terms.values()),
        terms,
        tuple(violations),
        tuple(times.depart),
        tuple(times.arrive),
        tuple(times.start),
        tuple(times.finish),
    )


def _membership_violations(problem: Problem, plan: Plan) -> list[Violation]:
    found = []
    seen: set[int] = set()
    tasks_of_team: set[tuple[int, int]] = set()
    pinned = {pin.visit: pin.team for pin in problem.pins}
    if len(plan.routes) != problem.teams:
        return [Violation("one_route_per_team")]
    for team, route in enumerate(plan.routes):
        for visit in route:
            if visit in seen:
                found.append(Violation("visit_once", team, visit))
            seen.add(visit)
            if visit in pinned:
                if pinned[visit] != team:
                    found.append(Violation("override", team, visit))
            elif not problem.has_skill[team, visit]:
                found.append(Violation("skill", team, visit))
            elif not problem.has_crew[team, visit]:
                found.append(Violation("crew", team, visit))
            key = (team, int(problem.task_of[visit]))
            if key in tasks_of_team and problem.meeting[key[1]] != Meeting.IN_ORDER:
                found.append(Violation("distinct_teams", team, visit))
            tasks_of_team.add(key)
    for team in range(problem.teams):
        held = [k.visit for k in sorted(problem.locks, key=lambda k: k.start_s) if k.team == team]
        if list(plan.routes[team][: len(held)]) != held:
            found.append(Violation("locked_order", team))
    return found


class _Times:
    """Longest-path propagation over routes, meetings and precedence."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        count = problem.visits
        self.problem = problem
        self.plan = plan
        self.depart = [-1] * count
        self.arrive = [-1] * count
        self.start = [-1] * count
        self.finish = [-1] * count
        self.violations: list[Violation] = []
        self._lock = {lock.visit: lock.start_s for lock in problem.locks}
        self._made: list[list[int]] = [[] for _ in range(problem.tasks)]
        for route in plan.routes:
            for visit in route:
                self._made[int(problem.task_of[visit])].append(visit)
        for visits in self._made:
            visits.sort()

    def run(self) -> None:
        """Visit fronts move forward whenever their task's turn has come."""
        heads = [0] * self.problem.teams
        free = [int(a) for a in self.problem.available_s]
        at = [int(s) for s in self.problem.start]
        moved = True
        while moved:
            moved = False
            for team, route in enumerate(self.plan.routes):
                while heads[team] < len(route):
                    visit = route[heads[team]]
                    if self.start[visit] < 0 and not self._try_start(team, visit, free, at):
                        break
                    self._close(team, visit, free, at)
                    heads[team] += 1
                    moved = True
        for team, route in enumerate(self.plan.routes):
            if heads[team] < len(route):
                self.violations.append(Violation("waits_for_itself", team, route[heads[team]]))

    def _try_start(self, team: int, visit: int, free: list[int], at: list[int]) -> bool:
        problem = self.problem
        task = int(problem.task_of[visit])
        if self.arrive[visit] < 0:
            self.depart[visit] = free[team]
            way = int(problem.travel_s[problem.profile[team], at[team], problem.where[visit]])
            self.arrive[visit] = free[team] + way
        ready = max(self.arrive[visit], int(problem.release_s[task]), self._lock.get(visit, 0))
        # an order already given stands: it waits for no predecessor that was planned later
        for before in () if visit in self._lock else problem.predecessors[task]:
            done = self._finished(before)
            if done is None:
                return False
            ready = max(ready, done)
        mates = self._made[task]
        if problem.meeting[task] == Meeting.IN_ORDER:
            for mate in mates[: mates.index(visit)]:
                if self.finish[mate] < 0:
                    return False
                ready = max(ready, self.finish[mate])
        elif problem.meeting[task] == Meeting.TOGETHER:
            if any(self.arrive[mate] < 0 for mate in mates):
                return False
            ready = max(ready, *(max(self.arrive[m], self._lock.get(m, 0)) for m in mates))
            for mate in mates:
                self.start[mate] = ready
            return True
        self.start[visit] = ready
        return True

    def _finished(self, task: int) -> int | None:
        """When a predecessor is finished; `NEVER_S` when it is not made in full."""
        made = self._made[task]
        if len(made) < len(self.problem.visits_of(task)):
            return NEVER_S
        if any(self.finish[v] < 0 for v in made):
            return None
        return max(self.finish[v] for v in made)

    def _close(self, team: int, visit: int, free: list[int], at: list[int]) -> None:
        problem = self.problem
        self.finish[visit] = self.start[visit] + int(problem.service_s[team, visit])
        free[team] = self.finish[visit]
        at[team] = int(problem.where[visit])
        if problem.available_s[team] >= NEVER_S:
            self.violations.append(Violation("available", team, visit))
        elif self.arrive[visit] >= NEVER_S:
            self.violations.append(Violation("roads", team, visit))
        elif self.start[visit] >= NEVER_S:
            self.violations.append(Violation("precedence", team, visit))
        elif self.finish[visit] > problem.duty_end_s[team]:
            self.violations.append(Violation("duty_end", team, visit))


def _terms(problem: Problem, plan: Plan, times: _Times, team_of: list[int]) -> dict[str, int]:
    weights = problem.weights
    terms = dict.fromkeys(TERMS, 0)
    for task in range(problem.tasks):
        severity = int(problem.severity[task])
        visits = problem.visits_of(task)
        made = [v for v in visits if team_of[v] >= 0]
        terms["unserved"] += weights.unserved * severity * (len(visits) - len(made))
        if made:
            done = max(times.finish[v] for v in made)
            begun = max(times.start[v] for v in made)
            late = max(0, begun - int(problem.golden_s[task]))
            terms["completion"] += weights.completion * severity * done
            terms["lateness"] += weights.lateness * severity * late
    for visit, team in enumerate(team_of):
        if team >= 0:
            terms["authority"] += weights.authority * int(problem.assign_cost[team, visit])
        before = int(problem.previous_team[visit])
        if before >= 0 and before != team:
            terms["changes"] += weights.changes
    metres = 0
    for team, route in enumerate(plan.routes):
        terms["fairness"] += weights.fairness * max(0, len(route) - 1)
        at = int(problem.start[team])
        for visit in route:
            metres += int(problem.metres[problem.profile[team], at, problem.where[visit]])
            at = int(problem.where[visit])
    terms["distance"] = weights.distance * (metres // 1000)
    terms["coverage"] = weights.coverage * coverage_gap(problem, plan)
    return terms


def coverage_gap(problem: Problem, plan: Plan) -> int:
    """Teams missing at home, summed over the coverage groups."""
    left = [0] * len(problem.coverage_floor)
    for team, route in enumerate(plan.routes):
        group = int(problem.coverage_group[team])
        if group >= 0 and not route and problem.available_s[team] < NEVER_S:
            left[group] += 1
    return sum(
        max(0, int(floor) - have) for floor, have in zip(problem.coverage_floor, left, strict=True)
    )
