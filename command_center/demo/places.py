"""Places of the demo province: divisions with their points, and spots strewn near them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random

from ..onemap import Region, holds, regions

PROVINCE_CODE = "440000"
SCENE = (113.86, 24.40)  # the fictitious chemical park in 翁城镇
TOWNS = {"440229113": (113.852, 24.392), "441881120": (113.02, 24.27)}
CITIES_WITHOUT_COUNTIES = frozenset({"441900", "442000"})


@dataclass(frozen=True, slots=True)
class Place:
    """A division. `tier` is province, city, county or town; WGS-84 degrees."""

    code: str
    parent_code: str
    tier: str
    name: str
    longitude: float
    latitude: float


@cache
def divisions() -> tuple[Place, ...]:
    """1 province, 21 cities, 122 counties and districts, ordered as published."""
    return tuple(
        Place(
            row["code"],
            row["parent_code"],
            row["tier"],
            row["name"],
            float(row["longitude"]),
            float(row["latitude"]),
        )
        for row in _rows("divisions.csv")
    )


@cache
def towns() -> dict[str, str]:
    """Names of the 1,610 towns and subdistricts by code."""
    return {row["code"]: row["name"] for row in _rows("towns.csv")}


@cache
def by_code() -> dict[str, Place]:
    """Divisions by code."""
    return {place.code: place for place in divisions()}


def cities() -> list[Place]:
    """The 21 cities."""
    return [place for place in divisions() if place.tier == "city"]


def counties() -> list[Place]:
    """The 122 counties and districts."""
    return [place for place in divisions() if place.tier == "county"]


def full_name(place: Place) -> str:
    """韶关市翁源县: a county with its city before it."""
    if place.tier != "county":
        return place.name
    return by_code()[place.parent_code].name + place.name


def strewn(place: Place, chance: Random, within_degrees: float = 0.05) -> tuple[float, float]:
    """A spot near the place and inside its boundary, so that nothing lies at sea.

    Where the source has no boundary of the district, its city's is used.
    """
    known = _boundaries()
    region = known.get(place.code) or known.get(place.parent_code)
    for _ in range(40):
        longitude = place.longitude + chance.uniform(-within_degrees, within_degrees)
        latitude = place.latitude + chance.uniform(-within_degrees, within_degrees)
        if region is None or holds(region, longitude, latitude):
            return round(longitude, 5), round(latitude, 5)
    return place.longitude, place.latitude


@cache
def _boundaries() -> dict[str, Region]:
    return {region.code: region for region in (*regions("city"), *regions("county"))}


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files(__package__).joinpath(f"geography/{name}").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
