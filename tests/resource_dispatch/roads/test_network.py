"""The road network: two independent Dijkstras agree, and closures bite."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

from resource_dispatch import (
    LocalDispatchError,
    RemoteDispatchError,
    RoadConditions,
    RoadNetwork,
    RoadPlace,
    arcs_in_circle,
    both_ways,
    demo_roads,
    load_graph,
    save_graph,
)
from resource_dispatch.roads.arrays import UNREACHABLE_S, arc_time
from resource_dispatch.roads.geometry import distance_m
from resource_dispatch.roads.graph import PROFILES

from ..province import places, roads


def _weight(network: RoadNetwork, profile: str) -> object:
    def seconds(a: int, b: int, attributes: dict[str, object]) -> int | None:
        time_s = arc_time(attributes, PROFILES[profile])
        return None if time_s >= UNREACHABLE_S else time_s

    return seconds


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_networkx_and_scipy_give_the_same_seconds(profile: str) -> None:
    """The matrix feeds the optimiser and networkx explains it, so both must tell one truth."""
    network = roads()
    spots = [network.spot(p.longitude, p.latitude) for p in places()]
    matrix = network.matrix(spots, spots[:4], profile)
    for column in range(4):
        lengths = nx.single_source_dijkstra_path_length(
            network.graph.reverse(copy=False),
            spots[column].node,
            weight=lambda b, a, d: _weight(network, profile)(a, b, d),  # type: ignore[operator]
        )
        for row, spot in enumerate(spots):
            assert matrix[row, column] == lengths.get(spot.node, UNREACHABLE_S)


def test_route_is_as_long_as_the_tables_say() -> None:
    """The line on the map, its kilometres and its minutes belong to the same way."""
    network = roads()
    chance = random.Random(2)
    for _ in range(20):
        a, b = chance.sample(places(), 2)
        source = network.spot(a.longitude + 0.01, a.latitude)
        target = network.spot(b.longitude, b.latitude - 0.02)
        seconds, metres = network.tables([source], [target], "heavy")
        route = network.route(source, target, "heavy")
        assert route is not None
        assert (route.travel_s, route.distance_m) == (seconds[0, 0], metres[0, 0])
        arcs = list(pairwise(route.nodes))
        driven = sum(network.seconds(arc, "heavy") for arc in arcs)
        assert driven + source.access_s + target.access_s == route.travel_s
        straight = distance_m(a.longitude, a.latitude, b.longitude, b.latitude)
        assert 0.9 * straight < route.distance_m < 4 * straight


def test_closed_arc_makes_a_detour_or_cuts_off() -> None:
    """A closure never makes a journey quicker, and the closed arc is not driven."""
    network = roads()
    source = network.spot(places()[3].longitude, places()[3].latitude)
    target = network.spot(places()[40].longitude, places()[40].latitude)
    before = network.route(source, target)
    assert before is not None
    middle = len(before.nodes) // 2
    arc = (before.nodes[middle], before.nodes[middle + 1])
    closed = both_ways(network.graph, [arc])
    assert len(closed) == 2
    after = network.under(RoadConditions(closed)).route(source, target)
    assert after is not None
    assert after.travel_s > before.travel_s
    assert not closed & set(pairwise(after.nodes))
    assert network.route(source, target) == before


@pytest.mark.parametrize("seed", range(5))
def test_repaired_rows_equal_rows_computed_anew(seed: int) -> None:
    """A closure, a slow-down and a re-opening in turn: repairing must never leave a stale time."""
    chance = random.Random(seed)
    network = roads()
    spots = [network.spot(p.longitude, p.latitude) for p in chance.sample(places(), 12)]
    arcs = list(network.graph.edges())
    conditions = RoadConditions()
    network.matrix(spots, spots)
    for _ in range(4):
        route = network.route(*chance.sample(spots, 2))
        assert route is not None
        driven = list(pairwise(route.nodes))
        if driven:
            conditions = conditions.closing(both_ways(network.graph, [chance.choice(driven)]))
        conditions = conditions.slowing({chance.choice(arcs): chance.choice([1.0, 1.5, 3.0])})
        conditions = conditions.opening(chance.sample(sorted(conditions.closed), 1))
        network = network.under(conditions)
        anew = RoadNetwork(network.graph, conditions)
        seconds, metres = network.tables(spots, spots)
        assert (seconds == anew.matrix(spots, spots)).all()
        for a, b in ((0, 1), (3, 2), (5, 11)):  # several ways may be as quick: ask for the one
            way = network.route(spots[a], spots[b])
            assert way is None or way.distance_m == metres[a, b]


def test_row_that_a_closure_does_not_touch_is_the_row_before() -> None:
    """And a touched one holds what hangs below the closure alone, not the whole province anew."""
    network = roads()
    spots = [network.spot(p.longitude, p.latitude) for p in places()[:12]]
    network.tables(spots, spots)
    known = network._rows["standard", True].known
    way = network.route(spots[0], spots[11])
    assert way is not None
    arc = (way.nodes[0], way.nodes[1])  # near the start little hangs below it
    shut = network.under(RoadConditions(frozenset({arc})))
    shut.tables(spots, spots)
    after = shut._rows["standard", True].known
    assert any(after[node] is known[node] for node in after)
    mended = after[spots[11].node]
    assert mended.whole_s is known[spots[11].node].whole_s
    assert 0 < mended.nodes.size < len(network.graph) / 4
    assert mended.driven is not None, "metres asked for before are carried on"


def test_next_question_finds_the_rows_of_the_last_one() -> None:
    """Rows are made in the network below, so that other conditions tomorrow only repair them."""
    network = RoadNetwork(roads().graph)
    spots = [network.spot(p.longitude, p.latitude) for p in places()[:6]]
    network.under(RoadConditions()).matrix(spots, spots)
    assert set(network._rows["standard", True].known) == {spot.node for spot in spots}


def test_slow_arc_costs_its_factor() -> None:
    """A slow-down stretches one arc and nothing else."""
    network = roads()
    arc = next(iter(network.graph.edges()))
    normal = network.seconds(arc)
    slowed = network.under(RoadConditions().slowing({arc: 2.0}))
    assert slowed.seconds(arc) == 2 * normal


def test_heavy_vehicle_keeps_off_weak_bridges() -> None:
    """A 32 t vehicle must not be sent over a bridge for 20 t."""
    network = roads()
    weak = [
        (a, b)
        for a, b, d in network.graph.edges(data=True)
        if d["weight_limit_t"] is not None and d["weight_limit_t"] < 32
    ]
    assert weak
    assert all(network.seconds(arc, "heavy") == UNREACHABLE_S for arc in weak)
    assert all(network.seconds(arc, "light") < UNREACHABLE_S for arc in weak)


def test_hazard_circle_closes_what_it_touches() -> None:
    """Every arc with an end inside is closed, none that stays far away."""
    network = roads()
    middle = places()[20]
    hit = arcs_in_circle(network.graph, middle.longitude, middle.latitude, 6_000)
    nodes = network.graph.nodes
    for a, b in network.graph.edges():
        ends = [
            distance_m(
                middle.longitude, middle.latitude, nodes[n]["longitude"], nodes[n]["latitude"]
            )
            for n in (a, b)
        ]
        if min(ends) < 5_900:
            assert (a, b) in hit
        if min(ends) > 40_000:
            assert (a, b) not in hit


def test_demo_province_is_one_connected_piece_and_repeats() -> None:
    """The same seed gives the same roads; every place can be reached from every other."""
    first = demo_roads(places(), 9)
    again = demo_roads(places(), 9)
    assert nx.is_strongly_connected(first)
    assert list(first.edges(data=True)) == list(again.edges(data=True))
    assert any(d["is_bridge"] for _, _, d in first.edges(data=True))


def test_graph_survives_saving(tmp_path: Path) -> None:
    """What is loaded is what was saved, and a broken file is refused whole."""
    graph = demo_roads(places(12), 1)
    path = tmp_path / "roads.json.gz"
    save_graph(graph, path)
    loaded = load_graph(path)
    assert dict(loaded.nodes(data=True)) == dict(graph.nodes(data=True))
    assert sorted(loaded.edges()) == sorted(graph.edges())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RemoteDispatchError, match="road_file_broken"):
        load_graph(path)


def test_wrong_questions_are_refused() -> None:
    """Unknown arcs, vehicles and doubled places are errors with a code, not wrong answers."""
    network = roads()
    with pytest.raises(LocalDispatchError, match="road_arc_unknown"):
        network.under(RoadConditions(frozenset({(-1, -2)})))
    spot = network.spot(112, 23)
    with pytest.raises(LocalDispatchError, match="vehicle_profile_unknown"):
        network.matrix([spot], [network.spot(113, 23)], "camel")
    twice = [RoadPlace("1", "a", 113, 23), RoadPlace("2", "b", 113, 23)]
    with pytest.raises(RemoteDispatchError, match="road_places_coincide"):
        demo_roads(twice)
