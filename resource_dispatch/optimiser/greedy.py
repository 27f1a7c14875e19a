"""A whole plan at once: tasks by urgency, each visit to the team that is done with it first."""

from __future__ import annotations

import numpy as np

from .problem import NEVER_S, Ints, Meeting, Plan, Problem


def greedy(problem: Problem, base: Plan | None = None) -> Plan:
    """Append every visit not yet in `base`, most urgent task first; what cannot go stays out."""
    state = _State(problem, base or Plan.empty(problem))
    for task in urgency_order(problem):
        state.serve(task)
    return Plan(tuple(tuple(route) for route in state.routes))


def urgency_order(problem: Problem) -> list[int]:
    """Tasks by severity, golden time and id, never before their predecessors."""
    ranked = sorted(
        range(problem.tasks),
        key=lambda t: (-int(problem.severity[t]), int(problem.golden_s[t]), t),
    )
    order: list[int] = []
    placed: set[int] = set()
    while len(order) < problem.tasks:
        for task in ranked:
            if task not in placed and placed.issuperset(problem.predecessors[task]):
                order.append(task)
                placed.add(task)
                break
        else:
            return order + [t for t in ranked if t not in placed]
    return order


class _State:
    """Where each team will be and when, as tasks are served one after another."""

    def __init__(self, problem: Problem, base: Plan) -> None:
        self.problem = problem
        self.routes = [list(route) for route in base.routes]
        self.free = problem.available_s.copy()
        self.at = problem.start.copy()
        self.done = np.full(problem.tasks, NEVER_S, dtype=np.int64)
        self.able = problem.able
        lock = {k.visit: k.start_s for k in problem.locks}
        self.made: set[int] = set()
        self._left_at_home = self._coverage()
        for team, route in enumerate(self.routes):
            for visit in route:
                arrive = self._arrive(visit)[team]
                task = int(problem.task_of[visit])
                begin = max(int(arrive), int(problem.release_s[task]), lock.get(visit, 0))
                self._place(team, visit, begin)

    def _coverage(self) -> Ints:
        left = np.zeros(len(self.problem.coverage_floor), dtype=np.int64)
        for team, group in enumerate(self.problem.coverage_group):
            if group >= 0 and not self.routes[team] and self.free[team] < NEVER_S:
                left[group] += 1
        return left

    def _arrive(self, visit: int) -> Ints:
        problem = self.problem
        way = problem.travel_s[problem.profile, self.at, problem.where[visit]]
        arrive: Ints = np.minimum(self.free + way, NEVER_S)
        return arrive

    def _place(self, team: int, visit: int, begin: int) -> None:
        problem = self.problem
        self.free[team] = begin + problem.service_s[team, visit]
        self.at[team] = problem.where[visit]
        self.made.add(visit)
        task = int(problem.task_of[visit])
        visits = problem.visits_of(task)
        if self.made.issuperset(visits):
            before = 0 if self.done[task] >= NEVER_S else int(self.done[task])
            self.done[task] = max(before, int(self.free[team]))

    def serve(self, task: int) -> None:
        problem = self.problem
        ready = int(problem.release_s[task])
        for before in problem.predecessors[task]:
            ready = max(ready, int(self.done[before]))
        visits = [v for v in problem.visits_of(task) if v not in self.made]
        if ready >= NEVER_S or not visits:
            return
        meeting = int(problem.meeting[task])
        chosen: list[tuple[int, int, int]] = []
        taken = {
            team
            for team, route in enumerate(self.routes)
            for v in route
            if problem.task_of[v] == task
        }
        for visit in sorted(visits, key=lambda v: int(self.able[:, v].sum())):
            found = self._best(visit, ready, taken)
            if found is None:
                if meeting != Meeting.AS_THEY_COME:
                    return
                continue
            taken.add(found[0])
            chosen.append(found)
        self._commit(chosen, meeting, ready)

    def _best(self, visit: int, ready: int, taken: set[int]) -> tuple[int, int, int] | None:
        """(team, visit, begin) of the cheapest team that can come, or None."""
        problem = self.problem
        task = int(problem.task_of[visit])
        begin = np.maximum(self._arrive(visit), ready)
        finish = begin + problem.service_s[:, visit]
        late = np.maximum(0, begin - problem.golden_s[task])
        weights = problem.weights
        cost = int(problem.severity[task]) * (weights.completion * finish + weights.lateness * late)
        cost = cost + problem.give_cost[:, visit] + self._leaving_cost()
        before = int(problem.previous_team[visit])
        if before >= 0:
            cost = cost + weights.changes
            cost[before] -= weights.changes
        allowed = self.able[:, visit] & (begin < NEVER_S) & (finish <= problem.duty_end_s)
        if taken:
            allowed[list(taken)] = False
        if not allowed.any():
            return None
        team = int(np.argmin(np.where(allowed, cost, np.iinfo(np.int64).max)))
        return team, visit, int(begin[team])

    def _leaving_cost(self) -> Ints:
        problem = self.problem
        cost = np.zeros(problem.teams, dtype=np.int64)
        for team, group in enumerate(problem.coverage_group):
            if group >= 0 and not self.routes[team]:
                if self._left_at_home[group] <= problem.coverage_floor[group]:
                    cost[team] = problem.weights.coverage
            elif self.routes[team]:
                cost[team] = problem.weights.fairness
        return cost

    def _commit(self, chosen: list[tuple[int, int, int]], meeting: int, ready: int) -> None:
        problem = self.problem
        if not chosen:
            return
        common = max(begin for _, _, begin in chosen)
        if meeting == Meeting.TOGETHER and any(
            common + problem.service_s[m, v] > problem.duty_end_s[m] for m, v, _ in chosen
        ):
            return
        clock = ready
        plan = sorted(chosen, key=lambda c: c[1])
        if meeting == Meeting.IN_ORDER:
            for team, visit, begin in plan:
                clock = max(clock, begin) + int(problem.service_s[team, visit])
                if clock > problem.duty_end_s[team]:
                    return
            clock = ready
        for team, visit, own in plan:
            begin = common if meeting == Meeting.TOGETHER else max(own, clock)
            if not self.routes[team] and problem.coverage_group[team] >= 0:
                self._left_at_home[problem.coverage_group[team]] -= 1
            self.routes[team].append(visit)
            self._place(team, visit, begin)
            if meeting == Meeting.IN_ORDER:
                clock = int(self.free[team])
