"""Coverage studies: what befalls the province by chance, and how well what we have answers.

A *draw* throws incidents onto the road graph, takes some teams away, closes some roads and plans
what is left. The same number under the same seed throws the same incidents whatever share of teams
is lost, and whoever is lost at 10 % is lost at 20 % too: variants are compared on the same luck.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from .optimiser.evaluate import evaluate
from .optimiser.model import Need
from .optimiser.solve import solve
from .optimiser.stop import MaxIterations
from .proposals import Desk
from .requests import DispatchTask, DispatchTeam
from .roads import RoadConditions, RoadNetwork, arcs_in_circle, both_ways

ROUNDS = 400
AROUND = 12
CLOSED_RADIUS_M = 1_500
WORK_S = (3_600, 14_400)


@dataclass(frozen=True, slots=True)
class Study:
    """What is thrown: incidents at once, tasks of each, closed places near each, golden time."""

    incidents: int
    tasks_each: int
    closures: int
    golden_minutes: int
    seed: int


@dataclass(frozen=True, slots=True)
class DrawnIncident:
    """One incident of a draw and when the first team came; None: nobody came."""

    region_code: str
    longitude: float
    latitude: float
    first_arrive_s: int | None


@dataclass(frozen=True, slots=True)
class Draw:
    """How one draw ended. `cover_missing` counts teams that cities then miss at home."""

    number: int
    lost_pct: int
    served: int
    unserved: int
    late: int
    last_arrive_s: int
    cover_missing: int
    incidents: tuple[DrawnIncident, ...]


def draw_once(
    study: Study,
    teams: Sequence[DispatchTeam],
    roads: RoadNetwork,
    now: datetime,
    *,
    number: int,
    lost_pct: int,
) -> Draw:
    """Throw draw `number` and plan it; the answer depends on nothing but the arguments."""
    chance = random.Random(f"{study.seed}:{number}")
    places = _places(roads)
    scenes = [_scene(chance, roads, places) for _ in range(study.incidents)]
    skills = sorted(skill for team in teams for skill in team.skills)
    tasks = [
        _task(chance, f"{i}.{k}", scene, skills, now, study)
        for i, scene in enumerate(scenes)
        for k in range(study.tasks_each)
    ]
    conditions = RoadConditions()
    for scene in scenes:
        conditions = _closed(chance, roads, conditions, scene, study.closures)
    left = [
        replace(team, is_available=False) if chance.random() * 100 < lost_pct else team
        for team in teams
    ]
    desk = Desk(tasks, left, [], roads.under(conditions), now)
    plan = solve(desk.problem, MaxIterations(ROUNDS), study.seed + number).plan
    judged = evaluate(desk.problem, plan)
    figures = desk.figures(plan, judged)
    first: dict[int, int] = {}
    for visit, team in enumerate(plan.team_of(desk.problem.visits)):
        if team >= 0:
            scene_number = visit // study.tasks_each
            arrive = judged.arrive_s[visit]
            first[scene_number] = min(first.get(scene_number, arrive), arrive)
    return Draw(
        number,
        lost_pct,
        figures.served,
        figures.unserved,
        figures.late,
        figures.last_arrive_s,
        figures.cover_missing,
        tuple(
            DrawnIncident(code, longitude, latitude, first.get(i))
            for i, (code, longitude, latitude, _) in enumerate(scenes)
        ),
    )


_Scene = tuple[str, float, float, int]


def _places(roads: RoadNetwork) -> list[int]:
    """Nodes that are named places with a division's code; any node where there are none."""
    nodes = roads.graph.nodes
    named = [n for n in nodes if nodes[n].get("code")]
    return named or list(nodes)


def _scene(chance: random.Random, roads: RoadNetwork, places: Sequence[int]) -> _Scene:
    """(division, longitude, latitude, node) of a road node near a place drawn evenly."""
    nodes = roads.graph.nodes
    place = chance.choice(places)
    around = roads.nearest_nodes(nodes[place]["longitude"], nodes[place]["latitude"], AROUND)
    node = chance.choice(around)
    code = str(nodes[place].get("code", ""))
    return code, nodes[node]["longitude"], nodes[node]["latitude"], node


def _task(  # noqa: PLR0917 (one throw)
    chance: random.Random,
    name: str,
    scene: _Scene,
    skills: Sequence[str],
    now: datetime,
    study: Study,
) -> DispatchTask:
    """A skill is wanted as often as teams have it."""
    wanted = frozenset({chance.choice(skills)}) if skills else frozenset[str]()
    return DispatchTask(
        id=name,
        text=name,
        longitude=scene[1],
        latitude=scene[2],
        needs=(Need(wanted, 1, chance.randrange(*WORK_S)),),
        severity=chance.randint(2, 5),
        golden_at=now + timedelta(minutes=study.golden_minutes),
    )


def _closed(
    chance: random.Random,
    roads: RoadNetwork,
    conditions: RoadConditions,
    scene: _Scene,
    count: int,
) -> RoadConditions:
    """Roads closed around places some way off the scene, which itself stays open."""
    nodes = roads.graph.nodes
    near = roads.nearest_nodes(scene[1], scene[2], 4 * AROUND)[AROUND:]
    for _ in range(count if near else 0):
        node = nodes[chance.choice(near)]
        arcs = arcs_in_circle(roads.graph, node["longitude"], node["latitude"], CLOSED_RADIUS_M)
        conditions = conditions.closing(both_ways(roads.graph, arcs))
    return conditions


def summary(draws: Iterable[Draw], golden_minutes: int) -> dict[str, Any]:
    """Tables of a study: one row per share of teams lost, one per division, worst first.

    Minutes are whole, shares are percent with one decimal; quantiles are nearest ranks.
    """
    by_loss: dict[int, list[Draw]] = {}
    for draw in sorted(draws, key=lambda d: (d.lost_pct, d.number)):
        by_loss.setdefault(draw.lost_pct, []).append(draw)
    variants = [_variant(lost, rows, golden_minutes) for lost, rows in by_loss.items()]
    base = by_loss[min(by_loss)] if by_loss else []
    return {"variants": variants, "regions": _regions(base, golden_minutes)}


def _variant(lost_pct: int, draws: Sequence[Draw], golden_minutes: int) -> dict[str, Any]:
    scenes = [scene for draw in draws for scene in draw.incidents]
    first = sorted(s.first_arrive_s for s in scenes if s.first_arrive_s is not None)
    served = sum(draw.served for draw in draws)
    wanted = served + sum(draw.unserved for draw in draws)
    return {
        "lost_pct": lost_pct,
        "draws": len(draws),
        "served_pct": _percent(served, wanted),
        "late_pct": _percent(sum(draw.late for draw in draws), served),
        "reached_pct": _percent(sum(s <= golden_minutes * 60 for s in first), len(scenes)),
        "first_minutes": {f"p{q}": _minutes(_quantile(first, q)) for q in (10, 25, 50, 75, 90)},
        "last_minutes_p90": _minutes(_quantile(sorted(d.last_arrive_s for d in draws), 90)),
        "cover_missing": round(sum(d.cover_missing for d in draws) / len(draws), 1),
    }


def _regions(draws: Sequence[Draw], golden_minutes: int) -> list[dict[str, Any]]:
    by_region: dict[str, list[DrawnIncident]] = {}
    for draw in draws:
        for scene in draw.incidents:
            by_region.setdefault(scene.region_code, []).append(scene)
    rows = []
    for code, scenes in by_region.items():
        first = sorted(s.first_arrive_s for s in scenes if s.first_arrive_s is not None)
        rows.append(
            {
                "region_code": code,
                "incidents": len(scenes),
                "reached_pct": _percent(sum(s <= golden_minutes * 60 for s in first), len(scenes)),
                "first_minutes_p50": _minutes(_quantile(first, 50)),
            }
        )
    return sorted(rows, key=lambda row: (row["reached_pct"], row["region_code"]))


def _quantile(ordered: Sequence[int], percent: int) -> int | None:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else None


def _minutes(seconds: int | None) -> int | None:
    return None if seconds is None else -(-seconds // 60)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
