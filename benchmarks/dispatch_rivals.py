"""Rivals on RUASP instances, each given the same wall-clock time: OR-Tools routing, cold CP-SAT."""

from __future__ import annotations

from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from ortools.sat.python import cp_model

from .ruasp import Ruasp, objective_of

WORKERS = 2


def or_tools_routing(instance: Ruasp, seconds: float) -> int | None:
    """Guided local search; completion is a dimension, its weight a soft bound at nothing."""
    tasks, teams = instance.size
    manager = pywrapcp.RoutingIndexManager(tasks + 1, teams, tasks)
    routing = pywrapcp.RoutingModel(manager)
    transits = []
    for m in range(teams):
        travel, work = instance.s[m], instance.p[m]

        def transit(a: int, b: int, travel=travel, work=work) -> int:  # type: ignore[no-untyped-def]
            i, j = manager.IndexToNode(a), manager.IndexToNode(b)
            return 0 if j == tasks else int(travel[i, j] + work[j])

        transits.append(routing.RegisterTransitCallback(transit))
    horizon = int(instance.p.max(axis=0).sum() + instance.s.max() * (tasks + 1))
    routing.AddDimensionWithVehicleTransits(transits, 0, horizon, True, "time")
    dimension = routing.GetDimensionOrDie("time")
    for n in range(tasks):
        index = manager.NodeToIndex(n)
        dimension.SetCumulVarSoftUpperBound(index, 0, int(instance.w[n]))
        able = [m for m in range(teams) if instance.cap[m, n]]
        routing.VehicleVar(index).SetValues([-1, *able])
        routing.AddDisjunction([index], 10**9)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = (
        routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    )
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    parameters.time_limit.FromMilliseconds(int(seconds * 1000))
    solution = routing.SolveWithParameters(parameters)
    if solution is None:
        return None
    routes = []
    for m in range(teams):
        route, index = [], routing.Start(m)
        while not routing.IsEnd(index):
            node = manager.IndexToNode(index)
            if node != tasks:
                route.append(node)
            index = solution.Value(routing.NextVar(index))
        routes.append(tuple(route))
    try:
        return objective_of(instance, tuple(routes))
    except ValueError:
        return None


def cp_sat_cold(instance: Ruasp, seconds: float) -> int | None:
    """One circuit per team over the tasks that it can do, without any hint."""
    tasks, teams = instance.size
    model = cp_model.CpModel()
    horizon = int(instance.p.max(axis=0).sum() + instance.s.max() * (tasks + 1))
    done = [model.new_int_var(0, horizon, "") for _ in range(tasks)]
    given: list[list[cp_model.IntVar]] = [[] for _ in range(tasks)]
    for m in range(teams):
        own = [n for n in range(tasks) if instance.cap[m, n]]
        arcs: list[tuple[int, int, cp_model.LiteralT]] = [(0, 0, model.new_bool_var(""))]
        for n in own:
            out = model.new_bool_var("")
            given[n].append(out)
            arcs.append((n + 1, n + 1, out.negated()))
            arcs.append((n + 1, 0, model.new_bool_var("")))
            for before in [-1, *own]:
                if before == n:
                    continue
                link = model.new_bool_var("")
                arcs.append((before + 1, n + 1, link))
                took = int(instance.s[m, before, n] + instance.p[m, n])
                left = 0 if before < 0 else done[before]
                model.add(done[n] >= left + took).only_enforce_if(link)
        model.add_circuit(arcs)
    for n in range(tasks):
        model.add_exactly_one(given[n])
    model.minimize(sum(int(instance.w[n]) * done[n] for n in range(tasks)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = WORKERS
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return int(solver.objective_value)
