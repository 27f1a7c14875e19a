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


DOWNWIND_HALF_DEG = 45.0
SAMPLES = 9


def arcs_downwind(
    graph: Graph, longitude: float, latitude: float, wind_from_deg: float, radius_m: float
) -> frozenset[Arc]:
    """Every arc that comes into the sector where the wind carries what a place gives off.

    The sector reaches `radius_m` from the point and 45 degrees to both sides of the wind, which is
    named by where it comes from (0 = north, 90 = east). Arcs are looked at in nine points.
    """
    arcs = list(graph.edges())
    if not arcs:
        return frozenset()
    nodes = graph.nodes
    lon = np.array([[nodes[a]["longitude"], nodes[b]["longitude"]] for a, b in arcs])
    lat = np.array([[nodes[a]["latitude"], nodes[b]["latitude"]] for a, b in arcs])
    middle = project_m(np.array([longitude]), np.array([latitude]), latitude)[0]
    tails = project_m(lon[:, 0], lat[:, 0], latitude) - middle
    heads = project_m(lon[:, 1], lat[:, 1], latitude) - middle
    hit = np.zeros(len(arcs), dtype=np.bool_)
    for share in np.linspace(0.0, 1.0, SAMPLES):
        at = tails + (heads - tails) * share
        far = np.hypot(at[:, 0], at[:, 1])
        bearing = np.degrees(np.arctan2(at[:, 0], at[:, 1]))
        off = np.abs((bearing - wind_from_deg - 180.0 + 180.0) % 360.0 - 180.0)
        hit |= (far > 1.0) & (far <= radius_m) & (off <= DOWNWIND_HALF_DEG)
    return frozenset(arc for arc, is_in in zip(arcs, hit, strict=True) if is_in)
