"""Travel over the road graph: snapping, many-to-many seconds, routes for the map.

The networkx graph stays the model; seconds come from its arrays through scipy's Dijkstra, one row
per (vehicle class, source, direction), kept for the next question. A `RoadNetwork` never changes:
`under(conditions)` gives another one that shares what it can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from ..errors import LocalDispatchError, RemoteDispatchError
from .conditions import RoadConditions
from .geometry import Floats, distance_m, project_m
from .graph import PROFILES, Arc, Graph, VehicleProfile, arc_seconds

Ints = npt.NDArray[np.int64]
UNREACHABLE_S = 10**9
ACCESS_SPEED_KMH = 25
ACCESS_DETOUR = 1.3


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of the map tied to its nearest road node."""

    longitude: float
    latitude: float
    node: int
    access_m: int

    @property
    def access_s(self) -> int:
        return round(self.access_m * 3.6 / ACCESS_SPEED_KMH)


@dataclass(frozen=True, slots=True)
class Route:
    """One way to drive: whole seconds and metres, the nodes, and lon/lat points for the map."""

    travel_s: int
    distance_m: int
    nodes: tuple[int, ...]
    points: tuple[tuple[float, float], ...]


class RoadNetwork:
    """Answers travel questions on one graph under one set of conditions."""

    def __init__(self, graph: Graph, conditions: RoadConditions | None = None) -> None:
        if graph.number_of_nodes() == 0:
            raise RemoteDispatchError("road_graph_empty")
        if set(graph.nodes) != set(range(graph.number_of_nodes())):
            raise RemoteDispatchError("road_nodes_not_numbered", nodes=graph.number_of_nodes())
        self.graph = graph
        self.conditions = conditions or RoadConditions()
        self._index = _NodeIndex(graph)
        self._lengths = _Lengths(graph)
        self._matrices: dict[tuple[str, bool], csr_array[np.float64, tuple[int, int]]] = {}
        self._rows: dict[tuple[str, int, bool], tuple[Ints, Ints]] = {}

    def under(self, conditions: RoadConditions) -> RoadNetwork:
        """The same roads under other conditions."""
        unknown = [a for a in (*conditions.closed, *conditions.slow) if not self.graph.has_edge(*a)]
        if unknown:
            raise LocalDispatchError("road_arc_unknown", arc=list(unknown[0]))
        other = object.__new__(RoadNetwork)
        other.graph = self.graph
        other.conditions = conditions
        other._index = self._index
        other._lengths = self._lengths
        other._matrices = {}
        other._rows = {}
        return other

    def spot(self, longitude: float, latitude: float) -> Spot:
        """Tie a point to its nearest road node; the last stretch is driven slowly."""
        node, straight_m = self._index.nearest(longitude, latitude)
        return Spot(longitude, latitude, node, round(straight_m * ACCESS_DETOUR))

    def matrix(
        self, sources: Sequence[Spot], targets: Sequence[Spot], profile: str = "standard"
    ) -> Ints:
        """Seconds from each source to each target, `UNREACHABLE_S` where no road is open."""
        return self.tables(sources, targets, profile)[0]

    def tables(
        self, sources: Sequence[Spot], targets: Sequence[Spot], profile: str = "standard"
    ) -> tuple[Ints, Ints]:
        """Seconds and metres of the quickest routes, shape (sources, targets)."""
        seconds = np.full((len(sources), len(targets)), UNREACHABLE_S, dtype=np.int64)
        metres = np.zeros((len(sources), len(targets)), dtype=np.int64)
        nodes = np.array([s.node for s in sources], dtype=np.int64)
        access = np.array([s.access_s for s in sources], dtype=np.int64)
        for column, target in enumerate(targets):
            row, follow = self._row(profile, target.node, backward=True)
            way = row[nodes]
            long = self._lengths.along(follow)[nodes]
            seconds[:, column] = np.where(
                way >= UNREACHABLE_S, UNREACHABLE_S, way + access + target.access_s
            )
            metres[:, column] = long + [s.access_m for s in sources] + target.access_m
            for k, source in enumerate(sources):
                if (source.longitude, source.latitude) == (target.longitude, target.latitude):
                    seconds[k, column] = metres[k, column] = 0
        return seconds, metres

    def route(self, source: Spot, target: Spot, profile: str = "standard") -> Route | None:
        """The quickest open route, or None when there is none. Same seconds as `matrix`."""
        ends = ((source.longitude, source.latitude), (target.longitude, target.latitude))
        if ends[0] == ends[1]:
            return Route(0, 0, (source.node,), (ends[0],))
        row, follow = self._row(profile, target.node, backward=True)
        if row[source.node] >= UNREACHABLE_S:
            return None
        nodes = [source.node]
        while nodes[-1] != target.node:
            nodes.append(int(follow[nodes[-1]]))
        attributes = self.graph.nodes
        middle = [(attributes[n]["longitude"], attributes[n]["latitude"]) for n in nodes]
        metres = sum(self.graph.edges[a, b]["length_m"] for a, b in nx.utils.pairwise(nodes))
        return Route(
            int(row[source.node]) + source.access_s + target.access_s,
            int(metres) + source.access_m + target.access_m,
            tuple(nodes),
            (ends[0], *middle, ends[1]),
        )

    def seconds(self, arc: Arc, profile: str = "standard") -> int:
        """Whole seconds for one arc under the conditions, `UNREACHABLE_S` when it is shut."""
        return arc_time(self.graph.edges[arc], arc, _profile(profile), self.conditions)

    def _row(self, profile: str, source: int, *, backward: bool) -> tuple[Ints, Ints]:
        key = (profile, source, backward)
        if key not in self._rows:
            found, before = dijkstra(
                self._arcs(profile, backward), indices=[source], return_predecessors=True
            )
            row = np.where(np.isfinite(found[0]), found[0], UNREACHABLE_S).astype(np.int64)
            self._rows[key] = (row, before[0].astype(np.int64))
        return self._rows[key]

    def _arcs(self, profile: str, backward: bool) -> csr_array[np.float64, tuple[int, int]]:
        key = (profile, backward)
        if key not in self._matrices:
            vehicle = _profile(profile)
            tails, heads, seconds = [], [], []
            for a, b, attributes in self.graph.edges(data=True):
                time_s = arc_time(attributes, (a, b), vehicle, self.conditions)
                if time_s < UNREACHABLE_S:
                    tails.append(b if backward else a)
                    heads.append(a if backward else b)
                    seconds.append(float(time_s))
            size = self.graph.number_of_nodes()
            self._matrices[key] = csr_array(
                (np.array(seconds), (np.array(tails), np.array(heads))), shape=(size, size)
            )
        return self._matrices[key]


def arc_time(
    attributes: Mapping[str, Any], arc: Arc, vehicle: VehicleProfile, conditions: RoadConditions
) -> int:
    """Whole seconds of one arc for one vehicle class under the conditions."""
    limit = attributes["weight_limit_t"]
    if arc in conditions.closed or (limit is not None and vehicle.weight_t > limit):
        return UNREACHABLE_S
    seconds = arc_seconds(attributes["length_m"], attributes["speed_kmh"], vehicle)
    factor = conditions.slow.get(arc)
    return seconds if factor is None else max(1, -int(-seconds * factor // 1))


def _profile(name: str) -> VehicleProfile:
    try:
        return PROFILES[name]
    except KeyError:
        raise LocalDispatchError("vehicle_profile_unknown", profile=name) from None


class _Lengths:
    """Adds up arc lengths along a tree of next nodes."""

    def __init__(self, graph: Graph) -> None:
        self._size = graph.number_of_nodes()
        arcs = sorted((a * self._size + b, d["length_m"]) for a, b, d in graph.edges(data=True))
        self._keys = np.array([key for key, _ in arcs], dtype=np.int64)
        self._metres = np.array([length for _, length in arcs], dtype=np.int64)

    def along(self, follow: Ints) -> Ints:
        """Metres from every node to the root of `follow` (negative = root or cut off: 0)."""
        nodes = np.arange(self._size)
        onward = np.where(follow < 0, nodes, follow)
        metres = np.zeros(self._size, dtype=np.int64)
        moving = onward != nodes
        keys = nodes[moving] * self._size + onward[moving]
        metres[moving] = self._metres[np.searchsorted(self._keys, keys)]
        while True:
            further = onward[onward]
            if (further == onward).all():
                return metres
            metres = metres + metres[onward]
            onward = further


class _NodeIndex:
    """Finds the nearest node that has a road."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = [n for n in graph if graph.degree(n) > 0] or list(graph)
        attributes = graph.nodes
        self._longitudes = np.array([attributes[n]["longitude"] for n in self.nodes])
        self._latitudes = np.array([attributes[n]["latitude"] for n in self.nodes])
        self._middle = float(self._latitudes.mean())
        self._tree = cKDTree(self._plane(self._longitudes, self._latitudes))

    def nearest(self, longitude: float, latitude: float) -> tuple[int, int]:
        """The node and the straight metres to it."""
        point = self._plane(np.array([longitude]), np.array([latitude]))[0]
        _, position = self._tree.query(point)
        k = int(position)
        metres = distance_m(longitude, latitude, self._longitudes[k], self._latitudes[k])
        return self.nodes[k], metres

    def _plane(self, longitudes: Floats, latitudes: Floats) -> Floats:
        return project_m(longitudes, latitudes, self._middle)
