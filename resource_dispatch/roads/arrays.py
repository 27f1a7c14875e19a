"""The road graph as arrays, in arc order (tail, head) and in that of the opposite direction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from .graph import Arc, Graph, VehicleProfile, arc_seconds

Ints = npt.NDArray[np.int64]
ShortInts = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
UNREACHABLE_S = 10**9


class Search(NamedTuple):
    """Arcs in search direction, by tail (`out`) and by head (`into`), with whole seconds."""

    out_start: npt.NDArray[np.int64]
    out_node: npt.NDArray[np.int32]
    out_s: npt.NDArray[np.int32]
    into_start: npt.NDArray[np.int64]
    into_node: npt.NDArray[np.int32]
    into_s: npt.NDArray[np.int32]


class RoadArrays:
    """What of the graph never changes with conditions: ends and lengths of its arcs."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.size = graph.number_of_nodes()
        self.arcs: list[Arc] = sorted(graph.edges())
        ends = np.array(self.arcs, dtype=np.int64).reshape(-1, 2)
        self.tails, self.heads = ends[:, 0], ends[:, 1]
        self.keys = self.tails * self.size + self.heads
        self.metres = np.array([graph.edges[a]["length_m"] for a in self.arcs], dtype=np.int64)
        self.out_start = _starts(self.tails, self.size)
        self.back_order = np.lexsort((self.tails, self.heads))
        self.into_start = _starts(self.heads, self.size)
        self._open: dict[str, ShortInts] = {}

    def position(self, tails: Ints, heads: Ints) -> Ints:
        """Places of arcs in arc order."""
        found: Ints = np.searchsorted(self.keys, tails * self.size + heads)
        return found

    def positions(self, arcs: Iterable[Arc]) -> Ints:
        pairs = np.array(list(arcs), dtype=np.int64).reshape(-1, 2)
        return self.position(pairs[:, 0], pairs[:, 1])

    def open_seconds(self, vehicle: VehicleProfile) -> ShortInts:
        """Seconds of every arc in arc order with nothing closed; weight limits are kept."""
        if vehicle.name not in self._open:
            edges = self.graph.edges
            row = (arc_time(edges[arc], vehicle) for arc in self.arcs)
            self._open[vehicle.name] = np.fromiter(row, dtype=np.int32, count=len(self.arcs))
        return self._open[vehicle.name]

    def walk(self, follow: ShortInts, nodes: Ints) -> Ints:
        """Metres from each of `nodes` to the root of `follow`, the next node on the way there."""
        from .kernel_repair import walk_metres  # numba is loaded by those who drive

        metres = np.zeros(len(nodes), dtype=np.int64)
        known = np.full(self.size, -1, dtype=np.int64)
        walk_metres(self.out_start, self.heads, self.metres, follow, nodes, known, metres)
        return metres


class Rows:
    """Shortest-path rows of one vehicle class in one direction under one set of seconds."""

    def __init__(self, arrays: RoadArrays, seconds: ShortInts, backward: bool) -> None:
        self.arrays = arrays
        self.backward = backward
        order = arrays.back_order
        ahead = (arrays.out_start, arrays.heads.astype(np.int32), seconds)
        behind = (arrays.into_start, arrays.tails[order].astype(np.int32), seconds[order])
        self.search = Search(*behind, *ahead) if backward else Search(*ahead, *behind)
        self.rows: dict[int, tuple[ShortInts, ShortInts]] = {}

    def row(self, source: int) -> tuple[ShortInts, ShortInts]:
        """(seconds, previous node) for every node, from `source` in search direction."""
        if source not in self.rows:
            g, size = self.search, self.arrays.size
            matrix = csr_array(
                (g.out_s.astype(np.float64), g.out_node, g.out_start), shape=(size, size)
            )
            found, before = dijkstra(matrix, indices=[source], return_predecessors=True)
            reached = found[0] < UNREACHABLE_S
            row = np.where(reached, found[0], UNREACHABLE_S).astype(np.int32)
            self.rows[source] = (row, np.where(reached, before[0], -9999).astype(np.int32))
        return self.rows[source]

    def repaired(self, source: int, old: Rows, changed: Ints) -> tuple[ShortInts, ShortInts]:
        """The old row of `source` made right for the arcs `changed` (in arc order)."""
        from .kernel_repair import repair

        row, before = (part.copy() for part in old.rows[source])
        arrays, g = self.arrays, self.search
        tails, heads = arrays.tails[changed], arrays.heads[changed]
        seconds = (g.into_s if self.backward else g.out_s)[changed]
        if self.backward:
            tails, heads = heads, tails
        repair(g, row, before, tails, heads, seconds)
        self.rows[source] = (row, before)
        return row, before


def arc_time(attributes: Mapping[str, Any], vehicle: VehicleProfile, slow: float = 1.0) -> int:
    """Whole seconds of one open arc for one vehicle class; `slow` stretches them."""
    limit = attributes["weight_limit_t"]
    if limit is not None and vehicle.weight_t > limit:
        return UNREACHABLE_S
    seconds = arc_seconds(attributes["length_m"], attributes["speed_kmh"], vehicle)
    return seconds if slow == 1.0 else max(1, -int(-seconds * slow // 1))


def _starts(ends: Ints, size: int) -> Ints:
    starts: Ints = np.concatenate(([0], np.cumsum(np.bincount(ends, minlength=size))))
    return starts.astype(np.int64)
