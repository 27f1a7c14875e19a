"""Approach from upwind: the sector, the ways around it, the named term and the words."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_dispatch import Desk, MaxIterations, Need, Plume, Proposal, RoadNetwork, propose
from resource_dispatch.optimiser import Plan, evaluate, solve
from resource_dispatch.roads import arcs_downwind
from resource_dispatch.roads.graph import RoadClass, add_road, new_graph

from .province import NOW, places, roads, task, team

STEP = 0.02  # degrees: 2 km
SEARCH = Need(frozenset({"search"}), 5, 3600)


def crossroads(*, ring: bool) -> RoadNetwork:
    """A scene in the middle (node 0) with roads to N, E, S, W and, maybe, a ring around."""
    graph = new_graph()
    for node, (x, y) in enumerate([(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)]):
        graph.add_node(node, longitude=113 + x * STEP, latitude=24 + y * STEP)
    for node in range(1, 5):
        add_road(graph, 0, node, length_m=2_100, road_class=RoadClass.PRIMARY)
        if ring:
            other = node % 4 + 1
            add_road(graph, node, other, length_m=3_000, road_class=RoadClass.PRIMARY)
    return RoadNetwork(graph)


def asked(network: RoadNetwork, wind_from: int | None, *nodes: int) -> Proposal:
    """One task in the middle, a team at each of the nodes."""
    spots = [network.graph.nodes[n] for n in nodes]
    teams = [
        replace(team(f"T{n}", 0, "search"), longitude=s["longitude"], latitude=s["latitude"])
        for n, s in zip(nodes, spots, strict=True)
    ]
    plume = None if wind_from is None else Plume(wind_from, 1_500)
    job = replace(task("K", 0, SEARCH), longitude=113.0, latitude=24.0, plume=plume)
    return propose([job], teams, [], network, NOW)


@given(st.integers(0, 359))
def test_sector_lies_where_the_wind_blows_to(wind_from: int) -> None:
    """Of four roads those within 45 degrees of the lee are in it, whole circles of wind."""
    arcs = arcs_downwind(crossroads(ring=False).graph, 113.0, 24.0, wind_from, 1_500)
    for node, bearing in ((1, 0), (2, 90), (3, 180), (4, 270)):
        off = abs((bearing - wind_from) % 360 - 180)
        if abs(off - 45) > 1:  # on the very edge rounding decides
            assert ((0, node) in arcs) == ((node, 0) in arcs) == (off < 45)


def test_team_in_the_lee_drives_around_and_comes_in_from_upwind() -> None:
    """North wind: the team in the south takes the ring; without a ring it must pass and says so."""
    straight = asked(crossroads(ring=True), None, 3).lines[0]
    around = asked(crossroads(ring=True), 0, 3).lines[0]
    assert straight.distance_m < around.distance_m
    assert (straight.is_downwind, around.is_downwind) == (False, False)
    last = around.route[-2] if around.route[-1] != around.route[-2] else around.route[-3]
    assert last[1] >= 24.0 - 1e-9  # not from the south
    no_ring = asked(crossroads(ring=False), 0, 3)
    assert no_ring.lines[0].is_downwind
    assert no_ring.terms["downwind"] == 3_600


def test_other_team_is_sent_when_the_nearest_would_pass_the_plume() -> None:
    """And the line says that the sooner one could only come through it."""
    network = crossroads(ring=False)
    graph = network.graph
    graph.add_node(5, longitude=113.0, latitude=24 + 2 * STEP)
    add_road(graph, 1, 5, length_m=2_400, road_class=RoadClass.PRIMARY)
    longer = RoadNetwork(graph)
    assert asked(longer, None, 3, 5).lines[0].team_id == "T3"
    (line,) = asked(longer, 0, 3, 5).lines
    assert (line.team_id, line.is_downwind) == ("T5", False)
    assert line.reason.code == "sooner_team_downwind"
    assert "下风向" in line.reason.text()


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 1_000), st.integers(0, 359))
def test_downwind_is_a_named_term_and_never_shortens_a_way(seed: int, wind_from: int) -> None:
    """Ways around are no shorter, and the term counts the marked ways that a plan drives."""
    spots = places()
    tasks = [
        replace(task(f"K{k}", (seed + 7 * k) % len(spots), SEARCH), plume=Plume(wind_from, 8_000))
        for k in range(3)
    ]
    teams = [team(f"T{k}", (seed + 5 * k) % len(spots), "search") for k in range(4)]
    desk = Desk(tasks, teams, [], roads(), NOW)
    calm = Desk([replace(one, plume=None) for one in tasks], teams, [], roads(), NOW)
    assert (desk.problem.travel_s >= calm.problem.travel_s).all()
    assert calm.problem.downwind is None
    plan = solve(desk.problem, MaxIterations(200), seed).plan
    driven = 0
    for m, route in enumerate(plan.routes):
        at = desk.problem.start[m]
        for v in route:
            assert desk.problem.downwind is not None
            driven += int(desk.problem.downwind[desk.problem.profile[m], at, v])
            at = desk.problem.where[v]
    assert evaluate(desk.problem, plan).terms["downwind"] == 3_600 * driven


@pytest.mark.parametrize("meets", [False, True])
def test_solvers_avoid_a_marked_way(meets: bool) -> None:
    """The compiled search and CP-SAT both take the unmarked team, though it drives longer."""
    desk = Desk(
        [task("A", 3, SEARCH), task("B", 20, SEARCH, predecessors=("A",) if meets else ())],
        [team("near", 3, "search"), team("far", 8, "search"), team("third", 20, "search")],
        [],
        roads(),
        NOW,
    )
    way = desk.problem.travel_s
    marked = np.zeros_like(way)
    marked[:, :, 0] = 1
    marked[:, desk.problem.start[1], 0] = 0
    weights = replace(desk.problem.weights, downwind=10**7)
    problem = desk.problem.with_changes(downwind=marked, weights=weights)
    result = solve(problem, MaxIterations(500), 1)
    assert 0 in result.plan.routes[1]
    assert result.evaluation.terms["downwind"] == 0
    assert math.isclose(result.objective, evaluate(problem, Plan(result.plan.routes)).objective)
