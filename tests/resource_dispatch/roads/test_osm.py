"""OpenStreetMap extracts: what of their tags becomes of the road graph."""

from __future__ import annotations

from pathlib import Path

import osmium
import pytest

from resource_dispatch import RemoteDispatchError, RoadNetwork, load_graph, save_graph
from resource_dispatch.roads.geometry import distance_m
from resource_dispatch.roads.osm import load_osm

PLACES = {1: (113.00, 24.00), 2: (113.01, 24.00), 3: (113.02, 24.00), 4: (113.03, 24.00)}
PLACES |= {5: (113.01, 24.01), 6: (113.02, 24.01), 7: (113.06, 24.01)}


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """Made here, nothing of it is real: a two-way road, a weak bridge, one-way and shut roads."""
    path = tmp_path / "synthetic.osm.pbf"
    writer = osmium.SimpleWriter(str(path))
    for number, (longitude, latitude) in PLACES.items():
        writer.add_node(osmium.osm.mutable.Node(id=number, location=(longitude, latitude)))
    roads = [
        ([1, 2], {"highway": "primary", "ref": "S101", "maxspeed": "50"}),
        ([2, 3], {"highway": "secondary", "bridge": "yes", "maxweight": "10 t", "name": "演示桥"}),
        ([3, 4], {"highway": "motorway", "maxspeed": "60 mph"}),
        ([2, 5, 6], {"highway": "residential"}),
        ([6, 3], {"highway": "tertiary", "oneway": "-1"}),
        ([6, 7], {"highway": "trunk", "tunnel": "yes"}),
        ([1, 5], {"highway": "service", "access": "private"}),
        ([1, 6], {"highway": "footway"}),
    ]
    for number, (nodes, tags) in enumerate(roads):
        writer.add_way(osmium.osm.mutable.Way(id=100 + number, nodes=nodes, tags=tags))
    writer.close()
    return path


def test_tags_become_classes_directions_limits_and_lengths(extract: Path, tmp_path: Path) -> None:
    """Everything that a closure or a heavy vehicle must know survives the way into the graph."""
    graph = load_osm(extract)
    place = {
        (round(d["longitude"], 2), round(d["latitude"], 2)): n for n, d in graph.nodes(data=True)
    }
    node = {number: place[at] for number, at in PLACES.items() if at in place}
    assert sorted(node) == [1, 2, 3, 4, 5, 6, 7]
    first = graph.edges[node[1], node[2]]
    assert (first["road_class"], first["speed_kmh"], first["name"]) == ("primary", 50, "S101")
    assert first["length_m"] == distance_m(*PLACES[1], *PLACES[2])
    assert graph.has_edge(node[2], node[1])
    bridge = graph.edges[node[2], node[3]]
    assert (bridge["is_bridge"], bridge["weight_limit_t"], bridge["name"]) == (True, 10.0, "演示桥")
    assert graph.edges[node[3], node[4]]["speed_kmh"] == 97
    assert not graph.has_edge(node[4], node[3])
    assert graph.has_edge(node[3], node[6])
    assert not graph.has_edge(node[6], node[3])
    assert graph.edges[node[6], node[7]]["is_tunnel"]
    assert not graph.has_edge(node[1], node[5])
    assert not graph.has_edge(node[1], node[6])
    save_graph(graph, tmp_path / "roads.json.gz")
    assert dict(load_graph(tmp_path / "roads.json.gz").edges) == dict(graph.edges)


def test_heavy_vehicles_drive_round_the_weak_bridge(extract: Path) -> None:
    """The graph of an extract answers like any other."""
    network = RoadNetwork(load_osm(extract))
    ends = network.spot(*PLACES[1]), network.spot(*PLACES[2])
    assert network.route(*ends, "heavy") is not None
    over = network.spot(*PLACES[1]), network.spot(*PLACES[3])
    assert network.route(*over, "light") is not None
    assert network.route(*over, "heavy") is None


@pytest.mark.parametrize("content", [b"", b"not a map", b"\x00" * 64])
def test_broken_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """Whatever libosmium finds wrong reaches the operator as one error with the file's name."""
    path = tmp_path / "broken.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(RemoteDispatchError) as caught:
        load_osm(path)
    assert caught.value.fields["path"] == str(path)
