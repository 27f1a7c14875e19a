"""A small made-up province for the dispatch tests: places, roads, teams and tasks by seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from functools import cache

from resource_dispatch import (
    DispatchTask,
    DispatchTeam,
    Need,
    RoadNetwork,
    RoadPlace,
    demo_roads,
)

NOW = datetime(2026, 11, 3, 18, 58, tzinfo=UTC)
SKILLS = ("search", "seal", "wash", "carry", "evacuate")


@cache
def places(count: int = 60, seed: int = 5) -> tuple[RoadPlace, ...]:
    chance = random.Random(seed)
    return tuple(
        RoadPlace(
            f"44{k:04d}",
            f"P{k}",
            110 + 6.5 * chance.random(),
            21 + 4 * chance.random(),
            "city" if k < 12 else "county",
        )
        for k in range(count)
    )


@cache
def roads(count: int = 60, seed: int = 5) -> RoadNetwork:
    return RoadNetwork(demo_roads(places(count, seed), seed))


def team(name: str, place: int, *skills: str, **more: object) -> DispatchTeam:
    """A team at one of the places."""
    spot = places()[place]
    fields: dict[str, object] = {"crew": 12, "region_code": spot.code, **more}
    return DispatchTeam(
        name,
        name,
        spot.longitude,
        spot.latitude,
        frozenset(skills),
        **fields,  # type: ignore[arg-type]
    )


def task(name: str, place: int, *needs: Need, **more: object) -> DispatchTask:
    """A task near one of the places; without needs it wants one search team."""
    spot = places()[place]
    return DispatchTask(
        name,
        f"text of {name}",
        spot.longitude + 0.02,
        spot.latitude + 0.01,
        needs or (Need(frozenset({"search"})),),
        **more,  # type: ignore[arg-type]
    )
