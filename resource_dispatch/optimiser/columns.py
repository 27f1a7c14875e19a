"""Column generation: proven lower bounds, and the best plan made of known routes.

Set partitioning over routes. An exact search finds each team's best route at given prices of the
visits; Lagrange's bound (sum of prices plus each team's least reduced cost) holds for any prices.
They start at what leaving a visit out of the plan would save, climb by Polyak's subgradient steps
towards the plan's cost, and are then refined by GLOP over the routes found. When the gap is small,
every route that could still matter is listed and CP-SAT picks among them: then the answer is the
optimum. Costs are thousandths of the objective's unit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import kernel_pricing
from .kernel_routes import Static
from .problem import Ints, Plan, Problem
from .separable import state_of, static_of

MAX_FINDS = 64
MAX_LISTED = 40_000
NODES_PER_S = 500_000
SMOOTHING = 0.7
PATIENCE = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One route of one team and its cost in thousandths."""

    team: int
    route: tuple[int, ...]
    cost: int


@dataclass(frozen=True, slots=True)
class Bound:
    """What column generation proved. `bound` is in the objective's unit, rounded up."""

    bound: int | None
    plan: Plan
    columns: int
    rounds: int
    is_exact: bool


class ColumnGeneration:
    """One separable problem, its columns and the best bound so far."""

    def __init__(self, problem: Problem, plan: Plan, nodes: int = 20_000_000) -> None:
        """`nodes` bounds each team's search, so that a deadline is looked at now and then."""
        self.problem = problem
        self.nodes = nodes
        self.static: Static = static_of(problem)
        self.columns: dict[tuple[int, tuple[int, ...]], Column] = {}
        self.plan = plan
        self.upper = int(state_of(problem, self.static, plan, 0).total[0])
        self.lower = 0
        self.prices = np.zeros(problem.visits, dtype=np.int64)
        self._able = [
            np.array([v for v in range(problem.visits) if m in self._teams_of(v)], dtype=np.int64)
            for m in range(problem.teams)
        ]
        self._least = [np.zeros(len(tasks), dtype=np.int64) for tasks in self._able]
        for m, tasks in enumerate(self._able):
            kernel_pricing.soonest_ways(self.static, m, tasks, len(tasks), self._least[m])
        self.add_plan(plan)

    def _teams_of(self, visit: int) -> set[int]:
        return set(self.static.able_teams[visit, : self.static.able_count[visit]].tolist())

    def add_plan(self, plan: Plan) -> None:
        """Take every route of a plan as a column, with its prefixes and its single visits."""
        state = state_of(self.problem, self.static, plan, 0)
        for m, route in enumerate(plan.routes):
            for k in range(1, len(route) + 1):
                self._add(Column(m, route[:k], int(state.cost[m, k])))

    def _add(self, column: Column) -> bool:
        key = (column.team, column.route)
        if key in self.columns:
            return False
        self.columns[key] = column
        return True

    def climb(self, deadline: float) -> int:
        """Polyak's steps until they are small or `deadline` (monotonic); returns how many."""
        prices = self._savings().astype(np.float64)
        self.prices = prices.astype(np.int64)
        theta, stalled, rounds = 1.0, 0, 0
        while theta > 0.01 and time.monotonic() < deadline and self.lower < self.upper - 1000:
            rounds += 1
            bound, slope = self._price(np.rint(prices).astype(np.int64), deadline)
            stalled = 0 if bound == self.lower else stalled + 1
            square = float((slope**2).sum())
            if bound < 0 or square == 0:
                break
            if stalled >= PATIENCE:
                theta, stalled = 0.6 * theta, 0
                prices = self.prices.astype(np.float64)
                continue
            prices = np.maximum(0.0, prices + theta * (self.upper - bound) / square * slope)
        return rounds

    def _savings(self) -> Ints:
        """What each visit costs in the plan: the plan's cost less that of the plan without it."""
        whole = self.upper
        savings = np.zeros(self.problem.visits, dtype=np.int64)
        for v in range(self.problem.visits):
            bare = state_of(self.problem, self.static, self.plan.without(v), 0)
            savings[v] = max(0, whole - int(bare.total[0]) + int(self.static.unserved[v]))
        return np.minimum(savings, self.static.unserved)

    def refine(self, deadline: float) -> int:
        """Rounds of column generation around the best prices until nothing is gained."""
        rounds = 0
        while time.monotonic() < deadline and self.lower < self.upper - 1000:
            rounds += 1
            value, duals = self._relaxation()
            before, known = self.lower, len(self.columns)
            mixed = np.rint(SMOOTHING * self.prices + (1 - SMOOTHING) * duals).astype(np.int64)
            self._price(mixed, deadline)
            if self.lower == before:
                self._price(duals, deadline)
            if len(self.columns) == known or self.lower >= value - self.problem.visits:
                break
        return rounds

    def _relaxation(self) -> tuple[int, Ints]:
        """(LP value, duals of the visits) over the columns known."""
        from ortools.linear_solver import pywraplp

        solver = pywraplp.Solver.CreateSolver("GLOP")
        infinity = solver.infinity()
        cover = [solver.Constraint(1, infinity) for _ in range(self.problem.visits)]
        once = [solver.Constraint(-infinity, 1) for _ in range(self.problem.teams)]
        objective = solver.Objective()
        for v in range(self.problem.visits):
            out = solver.NumVar(0, infinity, "")
            cover[v].SetCoefficient(out, 1)
            objective.SetCoefficient(out, float(self.static.unserved[v]))
        for column in self.columns.values():
            use = solver.NumVar(0, infinity, "")
            once[column.team].SetCoefficient(use, 1)
            for v in column.route:
                cover[v].SetCoefficient(use, 1)
            objective.SetCoefficient(use, float(column.cost))
        solver.Solve()
        prices = np.array([max(0, int(c.dual_value())) for c in cover], dtype=np.int64)
        return int(objective.Value()), prices

    def _price(self, prices: Ints, deadline: float) -> tuple[int, npt.NDArray[np.float64]]:
        """(bound at these prices or -1, its slope); keeps the best bound and the routes found."""
        bound = int(prices.sum())
        slope = np.ones(self.problem.visits)
        for m in range(self.problem.teams):
            least, finds, complete = self._best_routes(m, prices, self.nodes)
            if not complete or time.monotonic() > deadline:
                return -1, slope
            bound += min(0, least)
            if least < 0 and finds:
                slope[list(finds[-1].route)] -= 1
            for column in finds[-2:]:
                self._add(column)
        if bound > self.lower:
            self.lower = bound
            self.prices = prices
        return bound, slope

    def _best_routes(self, m: int, prices: Ints, nodes: int) -> tuple[int, list[Column], bool]:
        limit = np.array([0, 0, nodes], dtype=np.int64)
        rows = np.zeros((MAX_FINDS, 3 + len(self._able[m])), dtype=np.int64)
        found = self._search(m, prices, rows, limit)
        count = found if found >= 0 else -found - 1
        columns = [_column(m, row) for row in rows[:count]]
        return int(limit[0]), columns[-8:], found >= 0

    def _search(self, m: int, prices: Ints, rows: Ints, limit: Ints) -> int:
        tasks = self._able[m]
        work = np.zeros((6, len(tasks) + 2), dtype=np.int64)
        return int(
            kernel_pricing.price_team(
                self.static, m, tasks, len(tasks), prices, self._least[m], work, rows, limit
            )
        )

    def list_all(self, deadline: float) -> bool:
        """Add every route whose reduced cost is within the gap; False when there are too many."""
        prices = self.prices
        bound = int(prices.sum())
        least = []
        for m in range(self.problem.teams):
            best, _, complete = self._best_routes(m, prices, self.nodes)
            if not complete or time.monotonic() > deadline:
                return False
            least.append(min(0, best))
            bound += least[-1]
        self.lower = max(self.lower, bound)
        gap = self.upper - bound
        rows_left = MAX_LISTED
        for m in range(self.problem.teams):
            limit = np.array([least[m] + gap + 1, 1, self.nodes], dtype=np.int64)
            rows = np.zeros((rows_left, 3 + len(self._able[m])), dtype=np.int64)
            found = self._search(m, prices, rows, limit)
            if found < 0 or time.monotonic() > deadline:
                return False
            rows_left -= found
            for row in rows[:found]:
                self._add(_column(m, row))
            if rows_left <= 0:
                return False
        return True

    def pick(self, seconds: float, seed: int = 0, workers: int = 1) -> tuple[Plan, int]:
        """The best plan of known columns by CP-SAT with a full hint, and CP-SAT's own bound."""
        from ortools.sat.python import cp_model

        model = cp_model.CpModel()
        columns = list(self.columns.values())
        hinted = {(m, route) for m, route in enumerate(self.plan.routes) if route}
        use = [model.new_bool_var("") for _ in columns]
        out = [model.new_bool_var("") for _ in range(self.problem.visits)]
        holders: list[list[int]] = [[] for _ in range(self.problem.visits)]
        teams: list[list[int]] = [[] for _ in range(self.problem.teams)]
        for k, column in enumerate(columns):
            teams[column.team].append(k)
            for v in column.route:
                holders[v].append(k)
            model.add_hint(use[k], (column.team, column.route) in hinted)
        for v, holding in enumerate(holders):
            model.add_exactly_one([use[k] for k in holding] + [out[v]])
        for own in teams:
            model.add_at_most_one(use[k] for k in own)
        skipped = [int(cost) for cost in self.static.unserved]
        costs = [column.cost for column in columns] + skipped
        model.minimize(cp_model.LinearExpr.weighted_sum([*use, *out], costs))
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.05, seconds)
        solver.parameters.num_workers = workers
        solver.parameters.random_seed = seed
        status = solver.solve(model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return self.plan, 0
        routes: list[tuple[int, ...]] = [()] * self.problem.teams
        for k, column in enumerate(columns):
            if solver.value(use[k]):
                routes[column.team] = column.route
        return Plan(tuple(routes)), int(solver.best_objective_bound)


def prove(problem: Problem, plan: Plan, seconds: float, workers: int = 1) -> Bound:
    """A lower bound for a separable problem, and a plan at least as good as `plan`.

    The bound leaves the coverage term at nothing, which it can never fall below.
    """
    if not problem.is_separable or problem.locks:
        return Bound(None, plan, 0, 0, False)
    begun = time.monotonic()
    work = ColumnGeneration(problem, plan, int(NODES_PER_S * max(1.0, seconds)))
    rounds = work.climb(begun + 0.5 * seconds)
    rounds += work.refine(begun + 0.65 * seconds)
    is_exact = False
    better = plan
    left = begun + seconds - time.monotonic()
    if left > 0.1:
        listed = work.list_all(begun + 0.85 * seconds)
        left = begun + seconds - time.monotonic()
        better, master = work.pick(left, workers=workers)
        cost = int(state_of(problem, work.static, better, 0).total[0])
        if listed:
            work.lower = max(work.lower, min(master, work.upper))
            is_exact = work.lower >= min(cost, work.upper)
        if cost >= work.upper:
            better = plan
    bound = None if work.lower <= 0 else _whole(work.lower, problem)
    return Bound(bound, better, len(work.columns), rounds, is_exact)


def warm_up() -> None:
    """Compile or load the pricing kernel now."""
    from .model import Model, Need, TaskSpec, TeamSpec

    flat = np.zeros((1, 2, 2), dtype=np.int64)
    model = Model(flat, flat)
    model.add_team(TeamSpec("T", 0, frozenset()))
    model.add_task(TaskSpec("K", 1, (Need(frozenset()),)))
    prove(model.problem(), Plan(((0,),)), 0.5)


def _whole(thousandths: int, problem: Problem) -> int:
    """The objective's unit: rounded up where every cost is whole, else safely down."""
    if problem.weights.distance == 0:
        return -(-thousandths // 1000)
    return thousandths // 1000 - 1


def _column(m: int, row: Iterable[int]) -> Column:
    values = [int(value) for value in row]
    return Column(m, tuple(values[3 : 3 + values[2]]), values[1])
