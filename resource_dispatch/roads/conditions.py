"""What has happened to the roads: closed arcs, slow arcs, and how to name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import LocalDispatchError
from .geometry import project_m
from .graph import Arc, Graph


@dataclass(frozen=True, slots=True)
class RoadConditions:
    """Closed arcs, and arcs where driving takes `factor` (>= 1) times as long."""

    closed: frozenset[Arc] = frozenset()
    slow: Mapping[Arc, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for arc, factor in self.slow.items():
            if not factor >= 1.0:
                raise LocalDispatchError("slow_factor_below_one", arc=list(arc), factor=factor)

    def closing(self, arcs: Iterable[Arc]) -> RoadConditions:
        """These conditions with more arcs closed."""
        return RoadConditions(self.closed | frozenset(arcs), self.slow)

    def opening(self, arcs: Iterable[Arc]) -> RoadConditions:
        """These conditions with some arcs open again."""
        return RoadConditions(self.closed - frozenset(arcs), self.slow)

    def slowing(self, factors: Mapping[Arc, float]) -> RoadConditions:
        """These conditions with some arcs slower (or, at factor 1, normal again)."""
        merged = {**self.slow, **factors}
        return RoadConditions(self.closed, {a: f for a, f in merged.items() if f > 1.0})


def both_ways(graph: Graph, arcs: Iterable[Arc]) -> frozenset[Arc]:
    """The arcs and their opposite directions, where the graph has them."""
    pairs = [p for a, b in arcs for p in ((a, b), (b, a))]
    return frozenset(p for p in pairs if graph.has_edge(*p))


def arcs_in_circle(
    graph: Graph, longitude: float, latitude: float, radius_m: float
) -> frozenset[Arc]:
    """Every arc that comes within `radius_m` of the point (a hazard circle closes them)."""
    arcs = list(graph.edges())
    if not arcs:
        return frozenset()
    nodes = graph.nodes
    lon = np.array([[nodes[a]["longitude"], nodes[b]["longitude"]] for a, b in arcs])
    lat = np.array([[nodes[a]["latitude"], nodes[b]["latitude"]] for a, b in arcs])
    tails = project_m(lon[:, 0], lat[:, 0], latitude)
    heads = project_m(lon[:, 1], lat[:, 1], latitude)
    middle = project_m(np.array([longitude]), np.array([latitude]), latitude)[0]
    along = heads - tails
    length2 = np.maximum((along**2).sum(axis=1), 1e-9)
    t = np.clip((((middle - tails) * along).sum(axis=1)) / length2, 0.0, 1.0)
    nearest = tails + along * t[:, None]
    inside = ((nearest - middle) ** 2).sum(axis=1) <= radius_m**2
    return frozenset(arc for arc, hit in zip(arcs, inside, strict=True) if hit)
