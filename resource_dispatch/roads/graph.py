"""The road graph: a networkx `DiGraph` with checked attributes, saved and loaded as JSON.

Nodes are integers 0..n-1 with `longitude`, `latitude` and, at places, `code` and `name`. An arc
carries `length_m`, `road_class`, `speed_kmh`, `is_bridge`, `is_tunnel`, `weight_limit_t` (or None)
and `name`. networkx is the model and the explainer; many-to-many times come from `travel.py`.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import networkx as nx

from ..errors import RemoteDispatchError

if TYPE_CHECKING:
    Graph: TypeAlias = nx.DiGraph[int]
else:
    Graph: TypeAlias = nx.DiGraph

Arc: TypeAlias = tuple[int, int]
FORMAT = "road-graph/1"


class RoadClass(StrEnum):
    """Road classes after JTG B01: 高速, 一级, 二级, 三级, 四级 and the way to the door."""

    MOTORWAY = "motorway"
    TRUNK = "trunk"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    LOCAL = "local"


CLASS_SPEED_KMH: dict[RoadClass, int] = {
    RoadClass.MOTORWAY: 100,
    RoadClass.TRUNK: 70,
    RoadClass.PRIMARY: 60,
    RoadClass.SECONDARY: 45,
    RoadClass.LOCAL: 30,
}


@dataclass(frozen=True, slots=True)
class VehicleProfile:
    """How one speed class of vehicle uses the roads."""

    name: str
    speed_factor: float
    top_speed_kmh: int
    weight_t: float


PROFILES: dict[str, VehicleProfile] = {
    "light": VehicleProfile("light", 1.0, 120, 3.5),
    "standard": VehicleProfile("standard", 0.9, 90, 16.0),
    "heavy": VehicleProfile("heavy", 0.8, 75, 32.0),
}


def arc_seconds(length_m: int, speed_kmh: float, profile: VehicleProfile) -> int:
    """Whole seconds (at least 1, rounded up) that `profile` needs for one arc."""
    speed = min(speed_kmh * profile.speed_factor, profile.top_speed_kmh)
    return max(1, -int(-length_m * 3.6 // speed))


def new_graph() -> Graph:
    return nx.DiGraph()


def add_road(
    graph: Graph,
    a: int,
    b: int,
    *,
    length_m: int,
    road_class: RoadClass,
    speed_kmh: int | None = None,
    is_bridge: bool = False,
    is_tunnel: bool = False,
    weight_limit_t: float | None = None,
    name: str = "",
    one_way: bool = False,
) -> None:
    """Add the arc a -> b, and b -> a unless `one_way`."""
    if length_m < 0:
        raise RemoteDispatchError("road_length_negative", arc=[a, b], length_m=length_m)
    speed = CLASS_SPEED_KMH[road_class] if speed_kmh is None else speed_kmh
    if speed <= 0:
        raise RemoteDispatchError("road_speed_not_positive", arc=[a, b], speed_kmh=speed)
    for tail, head in ((a, b),) if one_way else ((a, b), (b, a)):
        graph.add_edge(
            tail,
            head,
            length_m=length_m,
            road_class=road_class.value,
            speed_kmh=speed,
            is_bridge=is_bridge,
            is_tunnel=is_tunnel,
            weight_limit_t=weight_limit_t,
            name=name,
        )


def save_graph(graph: Graph, path: Path) -> None:
    """Write the graph as gzipped JSON, the same bytes for the same graph."""
    document = {
        "format": FORMAT,
        "nodes": [[node, graph.nodes[node]] for node in sorted(graph.nodes)],
        "arcs": [[a, b, graph.edges[a, b]] for a, b in sorted(graph.edges())],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def load_graph(path: Path) -> Graph:
    """Read what `save_graph` wrote; raises RemoteDispatchError on anything else."""
    try:
        document = json.loads(gzip.decompress(path.read_bytes()))
        if document["format"] != FORMAT:
            raise RemoteDispatchError("road_file_format_unknown", path=str(path))
        graph = new_graph()
        for node, attributes in document["nodes"]:
            graph.add_node(int(node), **attributes)
        for a, b, attributes in document["arcs"]:
            graph.add_edge(int(a), int(b), **attributes)
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise RemoteDispatchError(
            "road_file_broken", path=str(path), reason=type(error).__name__
        ) from error
    return graph
