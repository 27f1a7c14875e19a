"""Solomon VRPTW instances: reading (one decimal, truncated), best known, checker and rival."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from resource_dispatch.optimiser.loads import Loads, Tours

UNIT = 10


def load(path: Path) -> Loads:
    """Read one `.txt`; times and distances become tenths."""
    rows = [
        [float(cell) for cell in line.split()]
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.fullmatch(r"[\d.\s-]+", line) and line.strip()
    ]
    vehicles, capacity = (int(cell) for cell in rows[0])
    table = np.array([row for row in rows if len(row) == 7])
    size = len(table)
    travel = np.zeros((size, size), dtype=np.int64)
    for a in range(size):
        for b in range(size):
            span = math.dist(table[a, 1:3], table[b, 1:3])
            travel[a, b] = math.floor(UNIT * span + 1e-9)
    demand, ready, due, service = (np.rint(table[:, k]).astype(np.int64) for k in (3, 4, 5, 6))
    return Loads(travel, service * UNIT, ready * UNIT, due * UNIT, demand, capacity, vehicles)


def best_known(path: Path) -> float | None:
    """The `Cost` line of the solution beside the instance."""
    solution = path.with_suffix(".sol")
    if not solution.exists():
        return None
    found = re.search(r"Cost:?\s+([\d.]+)", solution.read_text(encoding="utf-8"))
    return float(found.group(1)) if found else None


def check(given: Loads, routes: tuple[tuple[int, ...], ...]) -> float:
    """The distance counted anew; raises ValueError when a rule is broken."""
    if sorted(c for route in routes for c in route) != list(range(1, len(given.service))):
        raise ValueError("not every customer exactly once")
    if len(routes) > given.vehicles:
        raise ValueError("too many vehicles")
    total = 0
    for route in routes:
        if sum(int(given.demand[c]) for c in route) > given.capacity:
            raise ValueError("overloaded")
        clock, at = int(given.ready[0]), 0
        for c in route:
            clock = max(clock + int(given.travel[at, c]), int(given.ready[c]))
            if clock > given.due[c]:
                raise ValueError(f"customer {c} too late")
            clock += int(given.service[c])
            total += int(given.travel[at, c])
            at = c
        total += int(given.travel[at, 0])
        if clock + int(given.travel[at, 0]) > given.due[0]:
            raise ValueError("back too late")
    return total / UNIT


def cost(given: Loads, tours: Tours) -> float:
    return check(given, tours.routes)


def or_tools_routing(given: Loads, seconds: float) -> float | None:
    """Guided local search with capacity and time dimensions."""
    size = len(given.service)
    manager = pywrapcp.RoutingIndexManager(size, given.vehicles, 0)
    routing = pywrapcp.RoutingModel(manager)

    def way(a: int, b: int) -> int:
        return int(given.travel[manager.IndexToNode(a), manager.IndexToNode(b)])

    def took(a: int, b: int) -> int:
        return way(a, b) + int(given.service[manager.IndexToNode(a)])

    def load_of(a: int) -> int:
        return int(given.demand[manager.IndexToNode(a)])

    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitCallback(way))
    clock = routing.RegisterTransitCallback(took)
    horizon = int(given.due[0])
    routing.AddDimension(clock, horizon, horizon, False, "time")
    weight = routing.RegisterUnaryTransitCallback(load_of)
    routing.AddDimension(weight, 0, given.capacity, True, "load")
    dimension = routing.GetDimensionOrDie("time")
    for c in range(1, size):
        window = (int(given.ready[c]), int(given.due[c]))
        dimension.CumulVar(manager.NodeToIndex(c)).SetRange(*window)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    first = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.first_solution_strategy = first
    search = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.local_search_metaheuristic = search
    parameters.time_limit.FromMilliseconds(int(seconds * 1000))
    solution = routing.SolveWithParameters(parameters)
    if solution is None:
        return None
    routes = []
    for m in range(given.vehicles):
        route, index = [], routing.Start(m)
        while not routing.IsEnd(index):
            if manager.IndexToNode(index):
                route.append(manager.IndexToNode(index))
            index = solution.Value(routing.NextVar(index))
        if route:
            routes.append(tuple(route))
    return check(given, tuple(routes))
