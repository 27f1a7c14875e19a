"""Answers of the optimiser as plain JSON, as they are stored and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import resource_dispatch as dispatch

from ..database.ids import new_id
from ..incidents.words import word
from .question import Asked, Standing


def answers_content(
    asked: Asked, answers: Sequence[dispatch.ProposedAlternative]
) -> list[dict[str, Any]]:
    """The alternatives side by side; each gain is what it saves against the first of them."""
    first = answers[0].cost
    return [_answer(asked, answer, first - answer.cost) for answer in answers]


def _answer(asked: Asked, answer: dispatch.ProposedAlternative, gain: int) -> dict[str, Any]:
    found = answer.proposal
    before = {(c.task_id, c.need): c.team_id for c in asked.previous}
    figures = found.figures
    return {
        "name": answer.name,
        "cost": answer.cost,
        "gain": gain,
        "solver": found.solver,
        "gap": found.gap,
        "note": found.note.text() if found.note else None,
        "terms": dict(found.terms),
        "figures": {
            "served": figures.served,
            "unserved": figures.unserved,
            "late": figures.late,
            "mean_arrive_minutes": _minutes(figures.mean_arrive_s),
            "last_arrive_minutes": _minutes(figures.last_arrive_s),
            "distance_km": figures.distance_km,
            "cover_missing": figures.cover_missing,
        },
        "changes": [
            {
                "task_id": change.task_id,
                "task_text": change.task_text,
                "need": change.need,
                "from_team": change.from_team,
                "to_team": change.to_team,
            }
            for change in answer.changes
        ],
        "cover": [
            {"region_code": cover.group + "00", "wanted": cover.wanted, "left": cover.left}
            for cover in found.cover
        ],
        "lines": [_line(asked, line, before) for line in found.lines],
        "materials": [_load(asked, load) for load in found.materials],
        "unassigned": [_open(asked, left) for left in found.unassigned],
    }


def _line(
    asked: Asked, line: dispatch.ProposalLine, before: dict[tuple[str, int], str]
) -> dict[str, Any]:
    runner_up, cost = None, None
    if line.runner_up is not None:
        minutes = _minutes((line.runner_up.arrive_at - asked.now).total_seconds())
        runner_up = word(
            "dispatch", "runner_up", team=line.runner_up.team_name, minutes=max(0, minutes)
        )
        cost = line.runner_up.cost_more
    previous = before.get((line.task_id, line.need))
    return {
        "id": str(new_id()),
        "incident_id": str(asked.incident_of[line.task_id].id),
        "task_id": line.task_id,
        "task_text": line.task_text,
        "need": line.need,
        "team_id": line.team_id,
        "team_name": line.team_name,
        "skills": list(line.skills),
        "crew": line.crew,
        "authority": line.authority,
        "depart_at": line.depart_at.isoformat(),
        "arrive_at": line.arrive_at.isoformat(),
        "start_at": line.start_at.isoformat(),
        "finish_at": line.finish_at.isoformat(),
        "travel_minutes": line.travel_minutes,
        "distance_km": round(line.distance_m / 1000, 1),
        "route": [list(point) for point in line.route],
        "reason": line.reason.text(),
        "runner_up": runner_up,
        "runner_up_cost": cost,
        "fallback": line.fallback.text() if line.fallback else None,
        "is_override": line.is_override,
        "is_downwind": line.is_downwind,
        "is_changed": previous is not None and previous != line.team_id,
    }


def _load(asked: Asked, load: dispatch.MaterialLine) -> dict[str, Any]:
    return {
        "id": str(new_id()),
        "incident_id": str(asked.incident_of[load.task_id].id),
        "task_id": load.task_id,
        "depot_id": load.depot_id,
        "depot_name": load.depot_name,
        "item": load.item,
        "quantity": load.quantity,
        "unit": load.unit,
        "depart_at": load.depart_at.isoformat(),
        "arrive_at": load.arrive_at.isoformat(),
        "route": [list(point) for point in load.route],
    }


def _open(asked: Asked, left: dispatch.Unassigned) -> dict[str, Any]:
    incident = asked.incident_of[left.task_id]
    return {
        "task_id": left.task_id,
        "task_text": left.task_text,
        "incident_id": str(incident.id),
        "longitude": incident.longitude,
        "latitude": incident.latitude,
        "reason": left.reason.text(),
    }


def orders_content(asked: Asked, roads: dispatch.RoadNetwork) -> list[dict[str, Any]]:
    """Orders already given, each with the delay that the closed roads bring it."""
    under = roads.under(asked.conditions)
    return [_standing(asked, standing, roads, under) for standing in asked.standing]


def _standing(
    asked: Asked, standing: Standing, roads: dispatch.RoadNetwork, under: dispatch.RoadNetwork
) -> dict[str, Any]:
    order, incident = standing.order, standing.incident
    team = asked.homes.get(str(order.team_id))
    way = usual = None
    if team is not None:
        ends = (
            roads.spot(team.longitude, team.latitude),
            roads.spot(incident.longitude, incident.latitude),
        )
        usual = roads.route(*ends, team.speed_class)
        way = under.route(*ends, team.speed_class) if order.arrived_at is None else usual
    travel_s = 0 if usual is None else usual.travel_s
    arrive_at = order.arrived_at or standing.begins_at + timedelta(seconds=travel_s)
    delay_s = 0 if way is None or usual is None else max(0, way.travel_s - usual.travel_s)
    return {
        "order_id": str(order.id),
        "number": order.number,
        "incident_id": str(incident.id),
        "task_text": order.task_text,
        "team_id": str(order.team_id),
        "team_name": order.team_name,
        "state": order.state,
        "depart_at": standing.begins_at.isoformat(),
        "arrive_at": arrive_at.isoformat(),
        "finish_at": max(arrive_at, standing.ends_at).isoformat(),
        "delay_minutes": _minutes(delay_s),
        "is_cut_off": usual is not None and way is None,
        "route": [] if way is None else [list(point) for point in way.points],
    }


def _minutes(seconds: float) -> int:
    return -(-int(seconds) // 60)
