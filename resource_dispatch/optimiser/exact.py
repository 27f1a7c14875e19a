"""CP-SAT on the whole problem: for small cases, always with a full hint, with a proven bound."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .evaluate import evaluate
from .problem import NEVER_S, Meeting, Plan, Problem

MAX_VISITS = 25
TEAMS_PER_VISIT = 8


def solve_exact(
    problem: Problem,
    hint: Plan,
    seconds: float,
    seed: int,
    on_improved: Callable[[Plan], None] | None = None,
) -> tuple[Plan, int | None]:
    """The best plan within `seconds` and a lower bound.

    The bound holds for the whole problem only when every able team was offered, else it is None.
    """
    model = _Model(problem, hint)
    return model.solve(seconds, seed, on_improved)


def offered_teams(problem: Problem, hint: Plan) -> list[list[int]]:
    """For each visit the teams worth asking: soonest there, cheapest, and the hint's own."""
    hinted = hint.team_of(problem.visits)
    fixed = {lock.visit: lock.team for lock in problem.locks}
    offered = []
    for visit in range(problem.visits):
        if visit in fixed:
            offered.append([fixed[visit]])
            continue
        way = problem.travel_s[problem.profile, problem.start, problem.where[visit]]
        arrive = problem.available_s + way
        can = problem.able[:, visit] & (arrive < NEVER_S)
        can &= arrive + problem.service_s[:, visit] <= problem.duty_end_s
        teams = [int(m) for m in np.argsort(arrive, kind="stable") if can[m]][:TEAMS_PER_VISIT]
        if hinted[visit] >= 0 and hinted[visit] not in teams:
            teams.append(hinted[visit])
        offered.append(teams)
    return offered


class _Model:
    def __init__(self, problem: Problem, hint: Plan) -> None:
        from ortools.sat.python import cp_model

        self.cp = cp_model
        self.problem = problem
        self.hint = hint
        self.offered = offered_teams(problem, hint)
        self.teams = sorted({m for teams in self.offered for m in teams})
        self.judged = evaluate(problem, hint)
        self.horizon = self._horizon()
        self.model: Any = cp_model.CpModel()
        self._make_visits()
        self._make_routes()
        self._make_meetings()
        self._set_objective()
        self._set_hint()

    def _horizon(self) -> int:
        """No sensible plan ends later: everything done one after another by the slowest."""
        problem = self.problem
        legs = problem.travel_s[problem.travel_s < NEVER_S]
        free = problem.available_s[problem.available_s < NEVER_S]
        latest = max((k.start_s for k in problem.locks), default=0)
        latest = max(latest, int(problem.release_s.max(initial=0)), int(free.max(initial=0)))
        service = int(problem.service_s.max(axis=0, initial=0).sum())
        return latest + service + (problem.visits + 1) * int(legs.max(initial=0))

    def _make_visits(self) -> None:
        model, problem = self.model, self.problem
        self.given = [
            {m: model.new_bool_var(f"give_{v}_{m}") for m in teams}
            for v, teams in enumerate(self.offered)
        ]
        self.made = [model.new_bool_var(f"made_{v}") for v in range(problem.visits)]
        self.arrive = [model.new_int_var(0, self.horizon, "") for _ in range(problem.visits)]
        self.start = [model.new_int_var(0, self.horizon, "") for _ in range(problem.visits)]
        self.finish = [model.new_int_var(0, self.horizon, "") for _ in range(problem.visits)]
        locked = {lock.visit: lock.start_s for lock in problem.locks}
        for v in range(problem.visits):
            model.add(sum(self.given[v].values()) == self.made[v])
            model.add(self.start[v] >= self.arrive[v])
            task = int(problem.task_of[v])
            model.add(self.start[v] >= max(int(problem.release_s[task]), locked.get(v, 0)))
            for m, literal in self.given[v].items():
                service = int(problem.service_s[m, v])
                model.add(self.finish[v] >= self.start[v] + service).only_enforce_if(literal)
                duty_end = int(problem.duty_end_s[m])
                if duty_end < self.horizon:
                    model.add(self.finish[v] <= duty_end).only_enforce_if(literal)
            if v in locked:
                model.add(self.made[v] == 1)

    def _make_routes(self) -> None:
        """One circuit per team; node 0 is where it stands, a loop on 0 means it stays."""
        model, problem = self.model, self.problem
        self.used: dict[int, Any] = {}
        self.links: list[tuple[int, int, int, int, Any]] = []
        self.through: list[Any] = []
        for m in self.teams:
            visits = [v for v in range(problem.visits) if m in self.given[v]]
            stay = model.new_bool_var("")
            self.used[m] = stay.negated()
            arcs: list[tuple[int, int, Any]] = [(0, 0, stay)]
            held = [k.visit for k in sorted(problem.locks, key=lambda k: k.start_s) if k.team == m]
            for v in visits:
                arcs.append((v + 1, v + 1, self.given[v][m].negated()))
                arcs.append((v + 1, 0, model.new_bool_var("")))
                self._link(arcs, m, -1, v)
                for w in visits:
                    if w != v:
                        self._link(arcs, m, v, w)
            for before, after in zip([-1, *held], held, strict=False):
                model.add(next(a[4] for a in self.links if a[:3] == (m, before, after)) == 1)
            model.add_circuit(arcs)

    def _link(self, arcs: list[tuple[int, int, Any]], m: int, before: int, after: int) -> None:
        problem = self.problem
        here = problem.start[m] if before < 0 else problem.where[before]
        way = int(problem.travel_s[problem.profile[m], here, problem.where[after]])
        if way >= NEVER_S:
            return
        model = self.model
        literal = model.new_bool_var("")
        arcs.append((before + 1, after + 1, literal))
        left = int(problem.available_s[m]) if before < 0 else self.finish[before]
        model.add(self.arrive[after] >= left + way).only_enforce_if(literal)
        metres = int(problem.metres[problem.profile[m], here, problem.where[after]])
        self.links.append((m, before, after, metres, literal))
        ways = problem.downwind
        if ways is not None and ways[problem.profile[m], here, problem.where[after]]:
            self.through.append(literal)

    def _make_meetings(self) -> None:
        model, problem = self.model, self.problem
        for task in range(problem.tasks):
            visits = problem.visits_of(task)
            meeting = int(problem.meeting[task])
            for a, b in itertools.pairwise(visits):
                if meeting == Meeting.AS_THEY_COME:
                    continue
                if self._locked().isdisjoint(visits):
                    model.add(self.made[a] == self.made[b])
                both = (self.made[a], self.made[b])
                if meeting == Meeting.TOGETHER:
                    model.add(self.start[a] == self.start[b]).only_enforce_if(both)
                else:
                    model.add(self.start[b] >= self.finish[a]).only_enforce_if(both)
            if meeting != Meeting.IN_ORDER:
                for m in self.teams:
                    model.add_at_most_one(self.given[v][m] for v in visits if m in self.given[v])
            for before in problem.predecessors[task]:
                for v in (v for v in visits if v not in self._locked()):
                    for w in problem.visits_of(before):
                        model.add_implication(self.made[v], self.made[w])
                        model.add(self.start[v] >= self.finish[w]).only_enforce_if(self.made[v])

    def _set_objective(self) -> None:
        model, problem, weights = self.model, self.problem, self.problem.weights
        cost: list[Any] = []
        for task in range(problem.tasks):
            severity = int(problem.severity[task])
            visits = problem.visits_of(task)
            done = model.new_int_var(0, self.horizon, "")
            late = model.new_int_var(0, self.horizon, "")
            for v in visits:
                cost.append(weights.unserved * severity * (1 - self.made[v]))
                model.add(done >= self.finish[v]).only_enforce_if(self.made[v])
                model.add(late >= self.start[v] - int(problem.golden_s[task])).only_enforce_if(
                    self.made[v]
                )
            cost.append(weights.completion * severity * done)
            cost.append(weights.lateness * severity * late)
        for v, literals in enumerate(self.given):
            before = int(problem.previous_team[v])
            if before >= 0:
                kept = literals.get(before, 0)
                cost.append(weights.changes * (1 - kept))
            for m, literal in literals.items():
                cost.append(int(problem.give_cost[m, v]) * literal)
        for m, used in self.used.items():
            count = sum(given[m] for given in self.given if m in given)
            cost.append(weights.fairness * (count - used))
        metres = sum(length * literal for _, _, _, length, literal in self.links)
        kilometres = model.new_int_var(0, 10**7, "")
        model.add(1000 * kilometres >= metres - 999)
        cost.append(weights.distance * kilometres)
        cost.append(weights.downwind * sum(self.through))
        cost += self._coverage_cost()
        model.minimize(sum(cost))

    def _coverage_cost(self) -> list[Any]:
        problem = self.problem
        cost = []
        for group, floor in enumerate(problem.coverage_floor):
            members = [
                m
                for m in range(problem.teams)
                if problem.coverage_group[m] == group and problem.available_s[m] < NEVER_S
            ]
            gap = self.model.new_int_var(0, int(floor), "")
            left = len(members) - sum(self.used[m] for m in members if m in self.used)
            self.model.add(gap >= int(floor) - left)
            cost.append(problem.weights.coverage * gap)
        return cost

    def _set_hint(self) -> None:
        """Hint every decision: CP-SAT without a full hint starts from nothing."""
        hinted = self.hint.team_of(self.problem.visits)
        follows = {
            (m, before, after)
            for m, route in enumerate(self.hint.routes)
            for before, after in zip((-1, *route), route, strict=False)
        }
        for v, literals in enumerate(self.given):
            for m, literal in literals.items():
                self.model.add_hint(literal, hinted[v] == m)
            self.model.add_hint(self.made[v], hinted[v] >= 0)
            if hinted[v] >= 0:
                self.model.add_hint(self.arrive[v], self.judged.arrive_s[v])
                self.model.add_hint(self.start[v], self.judged.start_s[v])
                self.model.add_hint(self.finish[v], self.judged.finish_s[v])
        for m, before, after, _, literal in self.links:
            self.model.add_hint(literal, (m, before, after) in follows)

    def solve(
        self, seconds: float, seed: int, on_improved: Callable[[Plan], None] | None
    ) -> tuple[Plan, int | None]:
        solver = self.cp.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.01, seconds)
        solver.parameters.random_seed = seed
        solver.parameters.num_workers = 2
        watch = None
        if on_improved is not None:
            watch = _watch(self.cp, self._read, on_improved)
        status = solver.solve(self.model, watch)
        if status not in (self.cp.OPTIMAL, self.cp.FEASIBLE):
            return self.hint, None
        everyone = all(
            len(teams) >= int(self.problem.able[:, v].sum()) or v in self._locked()
            for v, teams in enumerate(self.offered)
        )
        bound = int(np.ceil(solver.best_objective_bound - 1e-6)) if everyone else None
        return self._read(solver.value), bound

    def _locked(self) -> set[int]:
        return {lock.visit for lock in self.problem.locks}

    def _read(self, value: Callable[[Any], int]) -> Plan:
        routes: list[list[int]] = [[] for _ in range(self.problem.teams)]
        follow = {(m, at): after for m, at, after, _, literal in self.links if value(literal)}
        for m in self.teams:
            at = -1
            while (m, at) in follow:
                at = follow[(m, at)]
                routes[m].append(at)
        return Plan(tuple(tuple(route) for route in routes))


def _watch(
    cp: Any, read: Callable[[Callable[[Any], int]], Plan], on_improved: Callable[[Plan], None]
) -> Any:
    """A CP-SAT callback that hands every better plan on."""

    class Watch(cp.CpSolverSolutionCallback):  # type: ignore[misc]
        def on_solution_callback(self) -> None:
            on_improved(read(self.value))

    return Watch()
