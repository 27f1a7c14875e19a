"""Boundaries of cities and counties: the files, and what lies where. Pure, WGS-84 degrees.

Distances are along a plane laid at the point, good to 0.5 % within 100 km; the boundaries
themselves are thinned to 250 m.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from math import cos, hypot, radians
from typing import Literal

Level = Literal["city", "county"]
Point = tuple[float, float]
Polygon = tuple[tuple[Point, ...], ...]

KM_PER_DEGREE = 111.195


@dataclass(frozen=True, eq=False)
class Region:
    """A city or county: each polygon is an outer ring and its holes, rings are closed."""

    code: str
    name: str
    polygons: tuple[Polygon, ...]


@cache
def boundary_text(level: Level) -> str:
    """The GeoJSON file of a level, as it is served."""
    return resources.files(__package__).joinpath(f"boundaries/{level}.geojson").read_text("utf-8")


@cache
def regions(level: Level) -> tuple[Region, ...]:
    """All regions of a level."""
    return tuple(
        Region(
            code=feature["properties"]["code"],
            name=feature["properties"]["name"],
            polygons=tuple(
                tuple(tuple((x, y) for x, y in ring) for ring in polygon)
                for polygon in feature["geometry"]["coordinates"]
            ),
        )
        for feature in json.loads(boundary_text(level))["features"]
    )


def region_at(level: Level, longitude: float, latitude: float) -> Region | None:
    """The region that holds the point; None at sea and outside the province."""
    for region in regions(level):
        if holds(region, longitude, latitude):
            return region
    return None


def holds(region: Region, longitude: float, latitude: float) -> bool:
    """Whether the point lies in the region (even-odd rule over all rings)."""
    west, south, east, north = _bounds(region)
    if not (west <= longitude <= east and south <= latitude <= north):
        return False
    inside = False
    for (x0, y0), (x1, y1) in _edges(region):
        if (y0 > latitude) != (y1 > latitude):
            crossing = x0 + (latitude - y0) * (x1 - x0) / (y1 - y0)
            if longitude < crossing:
                inside = not inside
    return inside


def nearest_other_city(longitude: float, latitude: float) -> tuple[Region, float] | None:
    """The next city beyond the one that holds the point, and the kilometres to its border.

    None where no city holds the point.
    """
    home = region_at("city", longitude, latitude)
    if home is None:
        return None
    others = [
        (_distance_km(region, longitude, latitude), region)
        for region in regions("city")
        if region.code != home.code
    ]
    away, region = min(others, key=lambda pair: pair[0])
    return region, away


@cache
def _bounds(region: Region) -> tuple[float, float, float, float]:
    points = [point for polygon in region.polygons for point in polygon[0]]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _edges(region: Region) -> Iterator[tuple[Point, Point]]:
    for polygon in region.polygons:
        for ring in polygon:
            yield from pairwise(ring)


def _distance_km(region: Region, longitude: float, latitude: float) -> float:
    squeeze = cos(radians(latitude))
    nearest = min(
        _to_segment(
            (x0 - longitude) * squeeze, y0 - latitude, (x1 - longitude) * squeeze, y1 - latitude
        )
        for (x0, y0), (x1, y1) in _edges(region)
    )
    return nearest * KM_PER_DEGREE


def _to_segment(x0: float, y0: float, x1: float, y1: float) -> float:
    """From the origin to a segment."""
    dx, dy = x1 - x0, y1 - y0
    length2 = dx * dx + dy * dy
    t = 0.0 if length2 == 0 else max(0.0, min(1.0, -(x0 * dx + y0 * dy) / length2))
    return hypot(x0 + t * dx, y0 + t * dy)
