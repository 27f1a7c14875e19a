"""Travel over a province of 200,000 nodes: rows, agreement, and from a closure to a new plan."""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from resource_dispatch.optimiser import (
    MaxSeconds,
    Model,
    Need,
    Plan,
    Problem,
    TaskSpec,
    TeamSpec,
    evaluate,
    separable,
    solve,
)
from resource_dispatch.roads import (
    UNREACHABLE_S,
    RoadConditions,
    RoadNetwork,
    Spot,
    both_ways,
)
from resource_dispatch.roads.graph import Graph, RoadClass, add_road, new_graph

TEAMS = 140
TASKS = 20
CLOSURES = 20
PAIRS = 1_000
SOURCES = 10
REPLAN_S = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)


def province(nodes: int, seed: int) -> Graph:
    """A jittered grid with gaps: local roads, every 10th line primary, every 50th a motorway."""
    chance = random.Random(seed)
    side = int(nodes**0.5)
    graph = new_graph()
    step = 0.01
    for k in range(side * side):
        x, y = k % side, k // side
        graph.add_node(
            k,
            longitude=110 + (x + chance.uniform(-0.3, 0.3)) * step,
            latitude=21 + (y + chance.uniform(-0.3, 0.3)) * step,
        )
    for k in range(side * side):
        x, y = k % side, k // side
        for other, line, more in ((k + 1, y, x + 1 < side), (k + side, x, y + 1 < side)):
            road = RoadClass.SECONDARY
            if line % 50 == 0:
                road = RoadClass.MOTORWAY
            elif line % 10 == 0:
                road = RoadClass.PRIMARY
            if more and (road is not RoadClass.SECONDARY or chance.random() < 0.85):
                length = round(chance.uniform(950, 1500))
                add_road(graph, k, other, length_m=length, road_class=road)
    return graph


def _plan_problem(network: RoadNetwork, spots: list[Spot], seed: int) -> Problem:
    """Tasks at the first spots, teams at the others; only the travel tables depend on roads."""
    seconds, metres = network.tables(spots, spots)
    chance = random.Random(seed)
    model = Model(seconds[None], metres[None])
    for m in range(TEAMS):
        skills = frozenset(chance.sample("abcde", 2))
        model.add_team(TeamSpec(f"T{m}", TASKS + m, skills))
    for n in range(TASKS):
        need = Need(frozenset({"abcde"[n % 5]}), 1, 3600)
        model.add_task(TaskSpec(f"K{n}", n, (need,), chance.randint(1, 5)))
    return model.problem()


def _driven_arcs(network: RoadNetwork, spots: list[Spot], plan: Plan) -> list[tuple[int, int]]:
    arcs = []
    for m, route in enumerate(plan.routes):
        stops = [TASKS + m, *route]
        for a, b in pairwise(stops):
            way = network.route(spots[a], spots[b])
            if way is not None:
                arcs.append(list(pairwise(way.nodes)))
    chance = random.Random(7)
    return [chance.choice(way) for way in arcs if way]


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Build, measure rows, compare with networkx, then close arcs of current routes in turn."""
    separable.warm_up()
    graph = province(arguments.nodes, arguments.seed)
    chance = random.Random(arguments.seed)
    network = RoadNetwork(graph)
    nodes = graph.nodes
    giant = sorted(max(nx.strongly_connected_components(graph), key=lambda part: len(list(part))))
    spots = [
        network.spot(nodes[n]["longitude"], nodes[n]["latitude"])
        for n in chance.sample(giant, TEAMS + TASKS)
    ]
    print(f"{graph.number_of_nodes()} nodes, {graph.number_of_edges()} arcs", file=sys.stderr)
    network.tables(spots[:1], spots[:1])  # arrays and kernels made before the clock runs
    begun = time.perf_counter()
    network.tables(spots, spots)
    scipy_ms = (time.perf_counter() - begun) * 1000 / len(spots)
    networkx_ms, agree = _against_networkx(network, spots, giant, chance)
    plan = solve(_plan_problem(network, spots, 3), MaxSeconds(1.0), 0).plan
    times, repair_ms, stale = _closures(network, spots, plan)
    return {
        "nodes": graph.number_of_nodes(),
        "arcs": graph.number_of_edges(),
        "rows": len(spots),
        "row_ms": {"networkx": round(networkx_ms, 1), "scipy": round(scipy_ms, 1)},
        "agree_pairs": agree,
        "closures": len(times),
        "closure_to_plan_s": round(statistics.median(times), 3),
        "closure_to_plan_worst_s": round(max(times), 3),
        "repair_rows_ms": round(statistics.median(repair_ms), 1),
        "stale_rows": stale,
        "notes": [
            f"closure to plan: {len(spots)} rows repaired, tables made, {REPLAN_S} s of search",
            "stale_rows: repaired rows that differ from rows computed anew (5 rows per closure)",
        ],
    }


def _against_networkx(
    network: RoadNetwork, spots: list[Spot], giant: list[int], chance: random.Random
) -> tuple[float, int]:
    """(ms per networkx row, pairs of 1,000 on which both agree)."""
    took, agree = [], 0
    seconds = {arc: network.seconds(arc) for arc in network.graph.edges()}
    turned = network.graph.reverse(copy=False)
    for target in spots[:SOURCES]:
        begun = time.perf_counter()
        lengths = nx.single_source_dijkstra_path_length(
            turned, target.node, weight=lambda b, a, _: seconds[a, b]
        )
        took.append((time.perf_counter() - begun) * 1000)
        nodes = chance.sample(giant, PAIRS // SOURCES)
        ours = network.matrix(
            [_spot(network, node) for node in nodes], [_spot(network, target.node)]
        )[:, 0]
        theirs = [lengths.get(node, UNREACHABLE_S) for node in nodes]
        agree += int((ours == np.array(theirs)).sum())
    return statistics.median(took), agree


def _spot(network: RoadNetwork, node: int) -> Spot:
    """A spot on the very node, without an access stretch."""
    attributes = network.graph.nodes[node]
    return Spot(attributes["longitude"], attributes["latitude"], node, 0)


def _closures(
    network: RoadNetwork, spots: list[Spot], plan: Plan
) -> tuple[list[float], list[float], int]:
    times, repairs, stale = [], [], 0
    for arc in _driven_arcs(network, spots, plan)[:CLOSURES]:
        begun = time.perf_counter()
        shut = network.under(RoadConditions(both_ways(network.graph, [arc])))
        shut.matrix(spots, spots)
        repairs.append((time.perf_counter() - begun) * 1000)
        problem = _plan_problem(shut, spots, 3)
        result = solve(problem, MaxSeconds(REPLAN_S), 0)
        times.append(time.perf_counter() - begun)
        if not evaluate(problem, result.plan).is_feasible:
            raise RuntimeError("the plan after a closure is not feasible")
        anew = RoadNetwork(network.graph, shut.conditions)
        few = spots[:5]
        differs = shut.matrix(spots, few) != anew.matrix(spots, few)
        stale += int(np.any(differs, axis=0).sum())
        print(f"{arc}: {times[-1]:.3f} s, repair {repairs[-1]:.0f} ms", file=sys.stderr)
    return times, repairs, stale
