"""Roads from an OpenStreetMap extract (`.osm.pbf`), read through libosmium.

    python -m resource_dispatch.roads.osm guangdong.osm.pbf var/roads.json.gz

Tags after the OSM wiki (Key:highway, Key:oneway, Key:maxspeed, Key:maxweight, Key:access). Ways are
cut at junctions and every few hundred metres, so that a closure shuts a stretch and not a road.
Parallel stretches between the same two nodes keep the quicker one.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..errors import RemoteDispatchError
from .geometry import distance_m
from .graph import CLASS_SPEED_KMH, Graph, RoadClass, add_road, new_graph, save_graph

PIECE_M = 500
CLASSES: dict[str, RoadClass] = {
    "motorway": RoadClass.MOTORWAY,
    "trunk": RoadClass.TRUNK,
    "primary": RoadClass.PRIMARY,
    "secondary": RoadClass.SECONDARY,
    "tertiary": RoadClass.SECONDARY,
    "unclassified": RoadClass.LOCAL,
    "residential": RoadClass.LOCAL,
    "living_street": RoadClass.LOCAL,
    "service": RoadClass.LOCAL,
    "road": RoadClass.LOCAL,
}
SHUT = frozenset({"no", "private"})
MPH_KMH = 1.609344


@dataclass(frozen=True, slots=True)
class _Way:
    """A drivable way: its nodes (OSM id, longitude, latitude) in driving order, and its tags."""

    nodes: tuple[tuple[int, float, float], ...]
    tags: Mapping[str, str]

    @property
    def road_class(self) -> RoadClass:
        return CLASSES[self.tags["highway"].removesuffix("_link")]

    @property
    def one_way(self) -> bool:
        said = self.tags.get("oneway")
        if said is not None:
            return said in ("yes", "true", "1", "-1", "reverse")
        is_round = self.tags.get("junction") in ("roundabout", "circular")
        return is_round or self.road_class is RoadClass.MOTORWAY


def load_osm(path: Path) -> Graph:
    """The road graph of an extract. Raises RemoteDispatchError for a file that is not one."""
    if not path.is_file():
        raise RemoteDispatchError("road_file_broken", path=str(path), reason="FileNotFoundError")
    try:
        ways = list(_ways(path))
    except RuntimeError as error:  # what libosmium raises for whatever is wrong
        raise RemoteDispatchError("road_file_broken", path=str(path), reason=str(error)) from error
    used = Counter(node[0] for way in ways for node in way.nodes)
    graph = new_graph()
    numbers: dict[int, int] = {}
    for way in ways:
        for piece in _pieces(way, used):
            ends = []
            for osm_id, longitude, latitude in (piece[0], piece[-1]):
                if osm_id not in numbers:
                    numbers[osm_id] = len(numbers)
                    graph.add_node(numbers[osm_id], longitude=longitude, latitude=latitude)
                ends.append(numbers[osm_id])
            if ends[0] != ends[1]:
                _lay(graph, ends[0], ends[1], way, piece)
    if graph.number_of_edges() == 0:
        raise RemoteDispatchError("road_graph_empty", path=str(path))
    return graph


def _ways(path: Path) -> Iterator[_Way]:
    import osmium  # only who imports roads needs it

    ways = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY)
    for found in ways.with_locations().with_filter(osmium.filter.KeyFilter("highway")):
        if not isinstance(found, osmium.osm.Way):
            continue
        tags = {tag.k: tag.v for tag in found.tags}
        if not _is_drivable(tags):
            continue
        nodes = tuple((n.ref, n.lon, n.lat) for n in found.nodes if n.location.valid())
        if tags.get("oneway") in ("-1", "reverse"):
            nodes = nodes[::-1]
        if len(nodes) > 1:
            yield _Way(nodes, tags)


def _is_drivable(tags: Mapping[str, str]) -> bool:
    if tags["highway"].removesuffix("_link") not in CLASSES or tags.get("area") == "yes":
        return False
    access = tags.get("motor_vehicle") or tags.get("vehicle") or tags.get("access") or "yes"
    return access not in SHUT


def _pieces(way: _Way, used: Counter[int]) -> Iterator[tuple[tuple[int, float, float], ...]]:
    """The way cut at junctions and every `PIECE_M`."""
    begun, length = 0, 0
    for k in range(1, len(way.nodes)):
        length += _metres(way.nodes[k - 1], way.nodes[k])
        is_last = k == len(way.nodes) - 1
        if is_last or used[way.nodes[k][0]] > 1 or length >= PIECE_M:
            yield way.nodes[begun : k + 1]
            begun, length = k, 0


def _metres(a: tuple[int, float, float], b: tuple[int, float, float]) -> int:
    return distance_m(a[1], a[2], b[1], b[2])


def _lay(
    graph: Graph, tail: int, head: int, way: _Way, piece: tuple[tuple[int, float, float], ...]
) -> None:
    length = max(1, sum(_metres(a, b) for a, b in pairwise(piece)))
    speed = _speed_kmh(way)
    for a, b in ((tail, head),) if way.one_way else ((tail, head), (head, tail)):
        held = graph.get_edge_data(a, b)
        if held is not None and held["length_m"] / held["speed_kmh"] <= length / speed:
            continue
        add_road(
            graph,
            a,
            b,
            length_m=length,
            road_class=way.road_class,
            speed_kmh=speed,
            is_bridge=way.tags.get("bridge", "no") != "no",
            is_tunnel=way.tags.get("tunnel", "no") != "no",
            weight_limit_t=_tonnes(way.tags.get("maxweight")),
            name=way.tags.get("ref") or way.tags.get("name") or "",
            one_way=True,
        )


def _speed_kmh(way: _Way) -> int:
    said = way.tags.get("maxspeed", "")
    number = _number(said)
    if number is None or number <= 0:
        return CLASS_SPEED_KMH[way.road_class]
    return max(1, round(number * MPH_KMH if said.endswith("mph") else number))


def _tonnes(said: str | None) -> float | None:
    if said is None:
        return None
    number = _number(said)
    if number is None or number <= 0:
        return None
    return number / 1000 if said.replace(" ", "").endswith("kg") else number


def _number(text: str) -> float | None:
    digits = text.strip().split(" ")[0].rstrip("tkgmph")
    try:
        return float(digits)
    except ValueError:
        return None


def main() -> None:
    """Write the roads of an extract where the installation looks for them."""
    if len(sys.argv) != 3:
        sys.exit("python -m resource_dispatch.roads.osm EXTRACT.osm.pbf VAR/roads.json.gz")
    graph = load_osm(Path(sys.argv[1]))
    save_graph(graph, Path(sys.argv[2]))
    sys.stdout.write(f"{graph.number_of_nodes()} nodes, {graph.number_of_edges()} arcs\n")


if __name__ == "__main__":
    main()
