"""A made-up road graph of a province, grown from the places of its counties and cities.

Deterministic by seed. Motorways join the cities, trunk and primary roads join neighbouring
counties; each road bends, is cut into pieces of a few kilometres and has bridges and tunnels.
Nothing here is a real road.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay, QhullError

from ..errors import RemoteDispatchError
from .geometry import Floats, distance_m, project_m
from .graph import Graph, RoadClass, add_road, new_graph

PIECE_M = 4_000
CITY_TIERS = frozenset({"province", "city"})
WEIGHT_LIMITS_T = (15.0, 20.0, 30.0)


@dataclass(frozen=True, slots=True)
class RoadPlace:
    """A place that roads lead to; `tier` is province, city, county or town. WGS-84 degrees."""

    code: str
    name: str
    longitude: float
    latitude: float
    tier: str = "county"


def demo_roads(places: Sequence[RoadPlace], seed: int = 0) -> Graph:
    """Grow the demo road graph; node k < len(places) is `places[k]`.

    Raises RemoteDispatchError when there are fewer than two places or two share one spot.
    """
    if len(places) < 2:
        raise RemoteDispatchError("road_places_too_few", count=len(places))
    longitudes = np.array([p.longitude for p in places])
    latitudes = np.array([p.latitude for p in places])
    points = project_m(longitudes, latitudes, float(latitudes.mean()))
    if len(np.unique(points.round(0), axis=0)) != len(places):
        raise RemoteDispatchError("road_places_coincide", count=len(places))
    graph = new_graph()
    for number, place in enumerate(places):
        graph.add_node(
            number,
            longitude=place.longitude,
            latitude=place.latitude,
            code=place.code,
            name=place.name,
        )
    layer = _Layer(graph, points, random.Random(seed))
    cities = [n for n, p in enumerate(places) if p.tier in CITY_TIERS]
    for a, b in _gabriel(points, cities):
        layer.lay(a, b, RoadClass.MOTORWAY)
    everything = list(range(len(places)))
    near = set(_relative_neighbours(points, everything))
    for a, b in _gabriel(points, everything):
        layer.lay(a, b, RoadClass.TRUNK if (a, b) in near else RoadClass.PRIMARY)
    return graph


class _Layer:
    """Lays bent roads made of pieces between two places."""

    def __init__(self, graph: Graph, points: Floats, chance: random.Random) -> None:
        self.graph = graph
        self.points = points
        self.chance = chance
        self.next_node = graph.number_of_nodes()
        self.road_number = 100

    def lay(self, a: int, b: int, road_class: RoadClass) -> None:
        chance = self.chance
        self.road_number += 1
        letters = {RoadClass.MOTORWAY: "G", RoadClass.TRUNK: "G", RoadClass.PRIMARY: "S"}
        name = f"{letters.get(road_class, 'X')}{self.road_number}"
        attributes = self.graph.nodes
        start = (attributes[a]["longitude"], attributes[a]["latitude"])
        end = (attributes[b]["longitude"], attributes[b]["latitude"])
        straight_m = distance_m(*start, *end)
        pieces = max(2, round(straight_m * 1.2 / PIECE_M))
        trail = [a, *self._bend(start, end, pieces, road_class), b]
        detour = {RoadClass.MOTORWAY: (1.0, 1.1), RoadClass.TRUNK: (1.02, 1.2)}
        low, high = detour.get(road_class, (1.05, 1.35))
        stretch = chance.uniform(low, high)
        may_be_weak = road_class is RoadClass.PRIMARY
        for tail, head in itertools.pairwise(trail):
            is_bridge = chance.random() < 0.05
            is_tunnel = not is_bridge and chance.random() < 0.03
            limit = None
            if is_bridge and may_be_weak:  # one weak bridge a road, or its middle is an island
                limit = chance.choice((None, *WEIGHT_LIMITS_T))
                may_be_weak = limit is None
            add_road(
                self.graph,
                tail,
                head,
                length_m=max(1, round(self._straight(tail, head) * stretch)),
                road_class=road_class,
                is_bridge=is_bridge,
                is_tunnel=is_tunnel,
                weight_limit_t=limit,
                name=name,
            )

    def _bend(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        pieces: int,
        road_class: RoadClass,
    ) -> list[int]:
        """New nodes along a curve from start to end: one slow bow and smaller wiggles."""
        chance = self.chance
        bow = chance.gauss(0, 0.04 if road_class is RoadClass.MOTORWAY else 0.08)
        wiggle = chance.uniform(0.005, 0.02)
        phase = chance.uniform(0, 2 * math.pi)
        d_lon, d_lat = end[0] - start[0], end[1] - start[1]
        nodes = []
        for k in range(1, pieces):
            t = k / pieces
            side = bow * math.sin(math.pi * t)
            side += (
                wiggle * math.sin(2 * math.pi * t * max(2, pieces / 4) + phase) * t * (1 - t) * 4
            )
            node = self.next_node
            self.next_node += 1
            self.graph.add_node(
                node,
                longitude=round(start[0] + d_lon * t - d_lat * side, 5),
                latitude=round(start[1] + d_lat * t + d_lon * side, 5),
            )
            nodes.append(node)
        return nodes

    def _straight(self, a: int, b: int) -> int:
        nodes = self.graph.nodes
        return distance_m(
            nodes[a]["longitude"],
            nodes[a]["latitude"],
            nodes[b]["longitude"],
            nodes[b]["latitude"],
        )


def _delaunay(points: Floats, members: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs (a < b) of the Delaunay triangulation, or the chain by position if there is none."""
    pairs: set[tuple[int, int]] = set()
    try:
        if len(members) < 3:
            raise QhullError
        for corner in Delaunay(points[list(members)]).simplices:
            for i, j in itertools.combinations(sorted(members[int(c)] for c in corner), 2):
                pairs.add((i, j))
    except QhullError:
        chain = sorted(members, key=lambda m: (points[m][0], points[m][1]))
        pairs = {(min(p), max(p)) for p in itertools.pairwise(chain)}
    return sorted(pairs)


def _gabriel(points: Floats, members: Sequence[int]) -> list[tuple[int, int]]:
    """Delaunay pairs whose diameter circle holds no third member; keeps the graph connected."""
    kept = []
    chosen = points[list(members)]
    for a, b in _delaunay(points, members):
        middle = (points[a] + points[b]) / 2
        radius2 = float(((points[a] - points[b]) ** 2).sum()) / 4
        inside = ((chosen - middle) ** 2).sum(axis=1) < radius2 * (1 - 1e-9)
        if not inside.any():
            kept.append((a, b))
    return kept


def _relative_neighbours(points: Floats, members: Sequence[int]) -> list[tuple[int, int]]:
    """Gabriel pairs with no third member nearer to both ends than they are to each other."""
    kept = []
    chosen = points[list(members)]
    for a, b in _gabriel(points, members):
        span2 = float(((points[a] - points[b]) ** 2).sum()) * (1 - 1e-9)
        to_a = ((chosen - points[a]) ** 2).sum(axis=1)
        to_b = ((chosen - points[b]) ** 2).sum(axis=1)
        if not (np.maximum(to_a, to_b) < span2).any():
            kept.append((a, b))
    return kept
