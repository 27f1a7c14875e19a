"""Which depot sends what: soonest depots first, most urgent tasks first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from .phrases import Reason
from .requests import DispatchDepot, DispatchTask, MaterialLine, Unassigned
from .roads import UNREACHABLE_S, RoadNetwork

TRUCK = "standard"
LOADING_S = 1_200


def plan_materials(
    tasks: Sequence[DispatchTask],
    depots: Sequence[DispatchDepot],
    roads: RoadNetwork,
    now: datetime,
) -> tuple[list[MaterialLine], list[Unassigned]]:
    """Loads for every wanted item, and what is short. Loading takes `LOADING_S`."""
    left = {(d.id, item): stock.quantity for d in depots for item, stock in d.stock.items()}
    wanting = [task for task in tasks if task.materials]
    depot_spots = [roads.spot(d.longitude, d.latitude) for d in depots]
    lines: list[MaterialLine] = []
    short: list[Unassigned] = []
    for task in sorted(wanting, key=lambda t: -t.severity):
        target = roads.spot(task.longitude, task.latitude)
        seconds = roads.matrix(depot_spots, [target], TRUCK)[:, 0]
        order = sorted(range(len(depots)), key=lambda k: int(seconds[k]))
        for need in task.materials:
            missing = need.quantity
            holders = 0
            for k in order:
                depot = depots[k]
                quantity = min(missing, left.get((depot.id, need.item), 0))
                if quantity <= 0:
                    continue
                holders += 1
                if seconds[k] >= UNREACHABLE_S:
                    continue
                route = roads.route(depot_spots[k], target, TRUCK)
                if route is None:
                    continue
                left[depot.id, need.item] -= quantity
                missing -= quantity
                leave = now + timedelta(seconds=LOADING_S)
                lines.append(
                    MaterialLine(
                        task.id,
                        depot.id,
                        depot.name,
                        need.item,
                        quantity,
                        need.unit or depot.stock[need.item].unit,
                        leave,
                        leave + timedelta(seconds=route.travel_s),
                        route.travel_s,
                        route.distance_m,
                        route.points,
                    )
                )
            if missing > 0:
                code = "stock_no_road" if holders and missing == need.quantity else "stock_short"
                reason = Reason(
                    "unassigned",
                    code,
                    {"item": need.item, "missing": missing, "unit": need.unit},
                )
                short.append(Unassigned(task.id, task.text, reason))
    return lines, short
