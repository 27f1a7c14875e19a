"""The road graph as arrays, in arc order (tail, head) and in that of the opposite direction."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .graph import Arc, Graph, VehicleProfile, arc_seconds

Ints = npt.NDArray[np.int64]
ShortInts = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
UNREACHABLE_S = 10**9


class Scratch(threading.local):
    """Room for one whole row, for each thread its own; `touched` and `known` are left clean."""

    def __init__(self, size: int) -> None:
        self.seconds = np.zeros(size, dtype=np.int32)
        self.before = np.zeros(size, dtype=np.int32)
        self.touched = np.zeros(size, dtype=np.uint8)
        self.known = np.full(size, -1, dtype=np.int64)


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
        self.out_node = self.heads.astype(np.int32)
        self.into_node = self.tails[self.back_order].astype(np.int32)
        self.scratch = Scratch(self.size)
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
        if len(nodes):
            known = self.scratch.known
            walk_metres(self.out_start, self.heads, self.metres, follow, nodes, known, metres)
        return metres


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
