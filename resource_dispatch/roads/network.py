"""Travel over the road graph: snapping, many-to-many seconds, routes for the map.

The networkx graph stays the model; seconds come from its arrays through scipy's Dijkstra, one row
per (vehicle class, source, direction), kept for the next question. A `RoadNetwork` never changes:
`under(conditions)` gives another one that shares what it can.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from scipy.spatial import cKDTree

from ..errors import LocalDispatchError, RemoteDispatchError
from .arrays import UNREACHABLE_S, Bools, Ints, RoadArrays, ShortInts, arc_time
from .conditions import RoadConditions
from .geometry import Floats, distance_m, project_m
from .graph import PROFILES, Arc, Graph, VehicleProfile
from .rows import Row, Rows

ACCESS_SPEED_KMH = 25
ACCESS_DETOUR = 1.3
MAX_DEPTH = 8


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
        self.conditions = RoadConditions()
        self._index = _NodeIndex(graph)
        self._arrays = RoadArrays(graph)
        self._rows: dict[tuple[str, bool], Rows] = {}
        self._before: RoadNetwork | None = None
        self._changed: Ints = np.zeros(0, dtype=np.int64)
        self._depth = 0
        self._is_weightless = False
        if conditions is not None:
            vars(self).update(vars(self.under(conditions)))
            self._before = None

    def under(self, conditions: RoadConditions) -> RoadNetwork:
        """The same roads under other conditions; rows known here are repaired there, not redone."""
        unknown = [a for a in (*conditions.closed, *conditions.slow) if not self.graph.has_edge(*a)]
        if unknown:
            raise LocalDispatchError("road_arc_unknown", arc=list(unknown[0]))
        other = object.__new__(RoadNetwork)
        other.graph = self.graph
        other.conditions = conditions
        other._index = self._index
        other._arrays = self._arrays
        other._rows = {}
        other._is_weightless = self._is_weightless
        is_deep = self._depth >= MAX_DEPTH  # a chain for ever would keep every old row in memory
        other._depth = 0 if is_deep else self._depth + 1
        other._before = None if is_deep else self
        other._changed = self._arrays.positions(sorted(_changed(self.conditions, conditions)))
        return other

    def wide_open(self) -> RoadNetwork:
        """The same roads with nothing closed or slow and no weight limit: what could be reached."""
        other = self.under(RoadConditions())
        other._before = None  # its rows are of other arcs' seconds
        other._is_weightless = True
        return other

    def spot(self, longitude: float, latitude: float) -> Spot:
        """Tie a point to its nearest road node; the last stretch is driven slowly."""
        node, straight_m = self._index.nearest(longitude, latitude)
        return Spot(longitude, latitude, node, round(straight_m * ACCESS_DETOUR))

    def nearest_nodes(self, longitude: float, latitude: float, count: int) -> list[int]:
        """The road nodes around a point, nearest first."""
        return self._index.around(longitude, latitude, count)

    def matrix(
        self, sources: Sequence[Spot], targets: Sequence[Spot], profile: str = "standard"
    ) -> Ints:
        """Seconds from each source to each target, `UNREACHABLE_S` where no road is open."""
        seconds = np.full((len(sources), len(targets)), UNREACHABLE_S, dtype=np.int64)
        nodes = np.array([s.node for s in sources], dtype=np.int64)
        access = np.array([s.access_s for s in sources], dtype=np.int64)
        self._prepare(profile, targets)
        for column, target in enumerate(targets):
            way = self._row(profile, target.node, backward=True).seconds_at(nodes)
            open_ = way < UNREACHABLE_S
            seconds[open_, column] = (way + access)[open_] + target.access_s
        seconds[_same_places(sources, targets)] = 0
        return seconds

    def tables(
        self, sources: Sequence[Spot], targets: Sequence[Spot], profile: str = "standard"
    ) -> tuple[Ints, Ints]:
        """Seconds and metres of the quickest routes, shape (sources, targets)."""
        seconds = self.matrix(sources, targets, profile)
        metres = np.zeros((len(sources), len(targets)), dtype=np.int64)
        nodes = np.array([s.node for s in sources], dtype=np.int64)
        access_m = np.array([s.access_m for s in sources], dtype=np.int64)
        for column, target in enumerate(targets):
            driven = self._row(profile, target.node, backward=True).metres(self._arrays, nodes)
            metres[:, column] = driven + access_m + target.access_m
        metres[_same_places(sources, targets)] = 0
        return seconds, metres

    def route(self, source: Spot, target: Spot, profile: str = "standard") -> Route | None:
        """The quickest open route, or None when there is none. Same seconds as `matrix`."""
        ends = ((source.longitude, source.latitude), (target.longitude, target.latitude))
        if ends[0] == ends[1]:
            return Route(0, 0, (source.node,), (ends[0],))
        row = self._row(profile, target.node, backward=True)
        seconds = int(row.seconds_at(np.array([source.node]))[0])
        if seconds >= UNREACHABLE_S:
            return None
        follow = row.before(self._arrays.scratch)
        nodes = [source.node]
        while nodes[-1] != target.node:
            nodes.append(int(follow[nodes[-1]]))
        attributes = self.graph.nodes
        middle = [(attributes[n]["longitude"], attributes[n]["latitude"]) for n in nodes]
        metres = sum(self.graph.edges[a, b]["length_m"] for a, b in nx.utils.pairwise(nodes))
        return Route(
            seconds + source.access_s + target.access_s,
            int(metres) + source.access_m + target.access_m,
            tuple(nodes),
            (ends[0], *middle, ends[1]),
        )

    def seconds(self, arc: Arc, profile: str = "standard") -> int:
        """Whole seconds for one arc under the conditions, `UNREACHABLE_S` when it is shut."""
        if not self.graph.has_edge(*arc):
            raise LocalDispatchError("road_arc_unknown", arc=list(arc))
        seconds = self._rows_of(profile, backward=False).search.out_s
        return int(seconds[self._arrays.positions([arc])[0]])

    def _prepare(self, profile: str, targets: Sequence[Spot]) -> None:
        """Make or repair what rows are missing, on every core: the kernels let go of the GIL."""
        rows = self._rows_of(profile, backward=True)
        missing = sorted({target.node for target in targets if target.node not in rows.known})
        if len(missing) > 1:
            with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
                list(threads.map(lambda n: self._row(profile, n, backward=True), missing))

    def _row(self, profile: str, source: int, *, backward: bool) -> Row:
        """The row, repaired from that of the network before, which keeps its own for others."""
        rows = self._rows_of(profile, backward=backward)
        if source in rows.known or self._before is None:
            return rows.row(source)
        old = self._before._row(profile, source, backward=backward)
        return rows.repaired(source, old, self._changed)

    def _rows_of(self, profile: str, *, backward: bool) -> Rows:
        key = (profile, backward)
        if key not in self._rows:
            made = Rows(self._arrays, self._arc_seconds(profile), backward)
            self._rows.setdefault(key, made)  # another thread may have been quicker
        return self._rows[key]

    def _arc_seconds(self, profile: str) -> ShortInts:
        vehicle = _profile(profile)
        if self._is_weightless:
            vehicle = replace(vehicle, name=f"{profile}, weightless", weight_t=0.0)
        seconds = self._arrays.open_seconds(vehicle).copy()
        edges = self.graph.edges
        slow, closed = list(self.conditions.slow.items()), list(self.conditions.closed)
        if slow:
            places = self._arrays.positions(arc for arc, _ in slow)
            seconds[places] = [arc_time(edges[arc], vehicle, factor) for arc, factor in slow]
        if closed:
            seconds[self._arrays.positions(closed)] = UNREACHABLE_S
        return seconds


def _same_places(sources: Sequence[Spot], targets: Sequence[Spot]) -> Bools:
    """Which pairs are one and the same spot of the map."""
    a = np.array([(s.longitude, s.latitude) for s in sources]).reshape(-1, 1, 2)
    b = np.array([(t.longitude, t.latitude) for t in targets]).reshape(1, -1, 2)
    same: Bools = (a == b).all(axis=2)
    return same


def _changed(before: RoadConditions, after: RoadConditions) -> set[Arc]:
    """Arcs whose seconds may differ between the two."""
    slower = {
        arc
        for arc in (*before.slow, *after.slow)
        if before.slow.get(arc, 1.0) != after.slow.get(arc, 1.0)
    }
    return set(before.closed ^ after.closed) | slower


def _profile(name: str) -> VehicleProfile:
    try:
        return PROFILES[name]
    except KeyError:
        raise LocalDispatchError("vehicle_profile_unknown", profile=name) from None


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

    def around(self, longitude: float, latitude: float, count: int) -> list[int]:
        point = self._plane(np.array([longitude]), np.array([latitude]))[0]
        _, positions = self._tree.query(point, k=min(count, len(self.nodes)))
        return [self.nodes[int(k)] for k in np.atleast_1d(positions)]

    def _plane(self, longitudes: Floats, latitudes: Floats) -> Floats:
        return project_m(longitudes, latitudes, self._middle)
