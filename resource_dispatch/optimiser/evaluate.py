"""The one judge of plans: schedule, named terms of the objective, named violations.

Pure and exact in whole numbers. Solvers may count faster, but what they return is judged here.
"""

from __future__ import annotations

from dataclasses import dataclass

from .problem import NEVER_S, Meeting, Plan, Problem

AS_THEY_COME, TOGETHER, IN_ORDER = (int(meeting) for meeting in Meeting)
TERMS = (
    "unserved",
    "completion",
    "lateness",
    "coverage",
    "changes",
    "authority",
    "fatigue",
    "fairness",
    "distance",
    "downwind",
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
    facts = problem.facts
    violations = _membership_violations(problem, plan)
    times = _Times(problem, plan)
    times.run()
    violations += times.violations
    team_of = plan.team_of(problem.visits)
    for task, visits in enumerate(facts.visits):
        if facts.meeting[task] == AS_THEY_COME:
            continue
        made = [team_of[v] >= 0 for v in visits]
        if any(made) and not all(made) and facts.lock_start.keys().isdisjoint(visits):
            violations.append(Violation("task_is_whole", visit=visits[0]))
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
    facts = problem.facts
    seen: set[int] = set()
    tasks_of_team: set[tuple[int, int]] = set()
    has_skill, has_crew = problem.has_skill, problem.has_crew
    if len(plan.routes) != problem.teams:
        return [Violation("one_route_per_team")]
    for team, route in enumerate(plan.routes):
        for visit in route:
            if visit in seen:
                found.append(Violation("visit_once", team, visit))
            seen.add(visit)
            if visit in facts.pinned:
                if facts.pinned[visit] != team:
                    found.append(Violation("override", team, visit))
            elif not has_skill[team, visit]:
                found.append(Violation("skill", team, visit))
            elif not has_crew[team, visit]:
                found.append(Violation("crew", team, visit))
            key = (team, facts.task_of[visit])
            if key in tasks_of_team and facts.meeting[key[1]] != IN_ORDER:
                found.append(Violation("distinct_teams", team, visit))
            tasks_of_team.add(key)
        held = facts.held[team]
        if held and list(route[: len(held)]) != held:
            found.append(Violation("locked_order", team))
    return found


class _Times:
    """Longest-path propagation over routes, meetings and precedence."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        count = problem.visits
        self.problem = problem
        self.facts = problem.facts
        self.plan = plan
        self.depart = [-1] * count
        self.arrive = [-1] * count
        self.start = [-1] * count
        self.finish = [-1] * count
        self.violations: list[Violation] = []
        self._made: list[list[int]] = [[] for _ in range(problem.tasks)]
        for route in plan.routes:
            for visit in route:
                self._made[self.facts.task_of[visit]].append(visit)
        for visits in self._made:
            visits.sort()

    def run(self) -> None:
        """Visit fronts move forward whenever their task's turn has come."""
        heads = [0] * self.problem.teams
        free = self.facts.available_s.copy()
        at = self.facts.start.copy()
        busy = [team for team, route in enumerate(self.plan.routes) if route]
        moved = True
        while moved:
            moved = False
            for team in busy:
                route = self.plan.routes[team]
                while heads[team] < len(route):
                    visit = route[heads[team]]
                    if self.start[visit] < 0 and not self._try_start(team, visit, free, at):
                        break
                    self._close(team, visit, free, at)
                    heads[team] += 1
                    moved = True
        for team in busy:
            if heads[team] < len(self.plan.routes[team]):
                stuck = self.plan.routes[team][heads[team]]
                self.violations.append(Violation("waits_for_itself", team, stuck))

    def _try_start(self, team: int, visit: int, free: list[int], at: list[int]) -> bool:
        facts = self.facts
        task = facts.task_of[visit]
        if self.arrive[visit] < 0:
            self.depart[visit] = free[team]
            way = self.problem.travel_s.item(facts.profile[team], at[team], facts.where[visit])
            self.arrive[visit] = free[team] + way
        lock = facts.lock_start
        ready = max(self.arrive[visit], facts.release_s[task], lock.get(visit, 0))
        # an order already given stands: it waits for no predecessor that was planned later
        for before in () if visit in lock else self.problem.predecessors[task]:
            done = self._finished(before)
            if done is None:
                return False
            ready = max(ready, done)
        mates = self._made[task]
        meeting = facts.meeting[task]
        if meeting == IN_ORDER:
            for mate in mates[: mates.index(visit)]:
                if self.finish[mate] < 0:
                    return False
                ready = max(ready, self.finish[mate])
        elif meeting == TOGETHER:
            if any(self.arrive[mate] < 0 for mate in mates):
                return False
            ready = max(ready, *(max(self.arrive[m], lock.get(m, 0)) for m in mates))
            for mate in mates:
                self.start[mate] = ready
            return True
        self.start[visit] = ready
        return True

    def _finished(self, task: int) -> int | None:
        """When a predecessor is finished; `NEVER_S` when it is not made in full."""
        made = self._made[task]
        if len(made) < len(self.facts.visits[task]):
            return NEVER_S
        if any(self.finish[v] < 0 for v in made):
            return None
        return max(self.finish[v] for v in made)

    def _close(self, team: int, visit: int, free: list[int], at: list[int]) -> None:
        facts = self.facts
        self.finish[visit] = self.start[visit] + self.problem.service_s.item(team, visit)
        free[team] = self.finish[visit]
        at[team] = facts.where[visit]
        if facts.available_s[team] >= NEVER_S:
            self.violations.append(Violation("available", team, visit))
        elif self.arrive[visit] >= NEVER_S:
            self.violations.append(Violation("roads", team, visit))
        elif self.start[visit] >= NEVER_S:
            self.violations.append(Violation("precedence", team, visit))
        elif self.finish[visit] > facts.duty_end_s[team]:
            self.violations.append(Violation("duty_end", team, visit))


def _terms(problem: Problem, plan: Plan, times: _Times, team_of: list[int]) -> dict[str, int]:
    weights, facts = problem.weights, problem.facts
    terms = dict.fromkeys(TERMS, 0)
    for task, visits in enumerate(facts.visits):
        severity = facts.severity[task]
        made = [v for v in visits if team_of[v] >= 0]
        terms["unserved"] += weights.unserved * severity * (len(visits) - len(made))
        if made:
            done = max(times.finish[v] for v in made)
            begun = max(times.start[v] for v in made)
            late = max(0, begun - facts.golden_s[task])
            terms["completion"] += weights.completion * severity * done
            terms["lateness"] += weights.lateness * severity * late
    for visit, team in enumerate(team_of):
        if team >= 0:
            terms["authority"] += weights.authority * problem.assign_cost.item(team, visit)
            if problem.tired_s:
                severity = facts.severity[facts.task_of[visit]]
                terms["fatigue"] += weights.fatigue * problem.tired_s[team] * severity
        before = facts.previous_team[visit]
        if before >= 0 and before != team:
            terms["changes"] += weights.changes
    metres = 0
    for team, route in enumerate(plan.routes):
        if not route:
            continue
        terms["fairness"] += weights.fairness * (len(route) - 1)
        at = facts.start[team]
        for visit in route:
            metres += problem.metres.item(facts.profile[team], at, facts.where[visit])
            if problem.downwind is not None:
                through = problem.downwind.item(facts.profile[team], at, facts.where[visit])
                terms["downwind"] += weights.downwind * through
            at = facts.where[visit]
    terms["distance"] = weights.distance * (metres // 1000)
    terms["coverage"] = weights.coverage * coverage_gap(problem, plan)
    return terms


def coverage_gap(problem: Problem, plan: Plan) -> int:
    """Teams missing at home, summed over the coverage groups."""
    facts = problem.facts
    left = [0] * len(facts.coverage_floor)
    if not left:
        return 0
    for team, route in enumerate(plan.routes):
        group = facts.coverage_group[team]
        if group >= 0 and not route and facts.available_s[team] < NEVER_S:
            left[group] += 1
    return sum(max(0, floor - have) for floor, have in zip(facts.coverage_floor, left, strict=True))
