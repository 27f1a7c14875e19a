"""Finding a road on the map: the one nearest to a click, and the bridges of a window."""

from __future__ import annotations

import numpy as np

from .geometry import project_m
from .graph import Arc, Graph
from .network import RoadNetwork

NEAR_NODES = 24


def nearest_arc(roads: RoadNetwork, longitude: float, latitude: float) -> tuple[Arc, int]:
    """The arc nearest to the point, and the metres to it.

    Looked for among the arcs of the nearest nodes: on a road graph whose pieces are a few
    kilometres at most that is the true nearest.
    """
    graph = roads.graph
    nodes = roads.nearest_nodes(longitude, latitude, NEAR_NODES)
    arcs = sorted({arc for n in nodes for arc in (*graph.out_edges(n), *graph.in_edges(n))})
    metres = _metres_to(graph, arcs, longitude, latitude)
    best = int(np.argmin(metres))
    return arcs[best], round(float(metres[best]))


def _metres_to(
    graph: Graph, arcs: list[Arc], longitude: float, latitude: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    places = graph.nodes
    lon = np.array([[places[a]["longitude"], places[b]["longitude"]] for a, b in arcs])
    lat = np.array([[places[a]["latitude"], places[b]["latitude"]] for a, b in arcs])
    tails = project_m(lon[:, 0], lat[:, 0], latitude)
    along = project_m(lon[:, 1], lat[:, 1], latitude) - tails
    point = project_m(np.array([longitude]), np.array([latitude]), latitude)[0]
    length2 = np.maximum((along**2).sum(axis=1), 1e-9)
    t = np.clip(((point - tails) * along).sum(axis=1) / length2, 0.0, 1.0)
    metres: np.ndarray[tuple[int], np.dtype[np.float64]] = np.sqrt(
        ((tails + along * t[:, None] - point) ** 2).sum(axis=1)
    )
    return metres


def bridges(graph: Graph, window: tuple[float, float, float, float], limit: int = 500) -> list[Arc]:
    """One direction of every bridge that begins in (west, south, east, north)."""
    west, south, east, north = window
    found = []
    for a, b, attributes in graph.edges(data=True):
        if not attributes["is_bridge"] or (a > b and graph.has_edge(b, a)):
            continue
        place = graph.nodes[a]
        if west <= place["longitude"] <= east and south <= place["latitude"] <= north:
            found.append((a, b))
            if len(found) >= limit:
                break
    return found
