"""The demonstration's roads, grown anew in each process: 0.1 s, the same for the same seed."""

from __future__ import annotations

from functools import cache

from resource_dispatch import RoadNetwork, RoadPlace, demo_roads

from . import places
from .places import PROVINCE_CODE, TOWNS

ROAD_SEED = 2026


@cache
def demo_road_network(seed: int = ROAD_SEED) -> RoadNetwork:
    """Roads between the seats of cities and counties and to the towns of the story.

    Made up: no road of this graph exists. The province's own seat is left out because it stands in
    its capital.
    """
    known = [
        RoadPlace(place.code, place.name, place.longitude, place.latitude, place.tier)
        for place in places.divisions()
        if place.code != PROVINCE_CODE
    ]
    known += [
        RoadPlace(code, places.towns()[code], longitude, latitude, "town")
        for code, (longitude, latitude) in TOWNS.items()
    ]
    return RoadNetwork(demo_roads(known, seed))
