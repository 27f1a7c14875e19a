"""The resources that play in drills: copies of the real ones, so that a drill can touch none.

A copy has its original's code behind `DRL-`, a marked name and no telephone. `renew_copies` makes
the drill's world anew: every copy at home with its original's crew and stock, nobody out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ..phrases import words
from . import repository
from .tables import Depot, StockItem, Team, TeamState, new_uuid

MARK = "DRL-"
AT_ONCE = 500
T = TypeVar("T")
_TEAM = (
    "kind", "unit_name", "region_code", "longitude", "latitude", "skills", "crew", "vehicles",
    "speed_class", "authority", "duty_end", "is_demo",
)  # fmt: skip
_DEPOT = ("unit_name", "region_code", "longitude", "latitude", "is_demo")


@dataclass(frozen=True, slots=True)
class Playing:
    """How many of each play now."""

    teams: int
    depots: int


async def renew_copies(session: AsyncSession, now: datetime) -> Playing:
    """Bring every copy up to its original and home. Never commits."""
    await repository.free_copies(session, now)
    teams = await repository.find_teams(session)
    await _put(session, Team, [_team(team) for team in teams])
    depots = await repository.find_depots(session)
    await _put(session, Depot, [_depot(depot) for depot in depots])
    await _stock(session, depots)
    await repository.retire_copies(session, {MARK + team.code for team in teams})
    return Playing(len(teams), len(depots))


async def copy_of(session: AsyncSession, team: Team) -> Team | None:
    """The copy that plays for a real team, made where there is none yet."""
    found = await repository.team_coded(session, MARK + team.code)
    if found is not None:
        return found
    await _put(session, Team, [_team(team)])
    return await repository.team_coded(session, MARK + team.code)


def _name(name: str) -> str:
    return words("drill", "name").format(name=name)[:200]


def _team(team: Team) -> dict[str, Any]:
    off_duty = team.state == TeamState.OFF_DUTY.value
    return {
        **{field: getattr(team, field) for field in _TEAM},
        "id": new_uuid(),
        "code": MARK + team.code,
        "name": _name(team.name),
        "state": team.state if off_duty else TeamState.AVAILABLE.value,
        "available_from": None,
        "contact_name": "",
        "phone": "",
        "is_drill": True,
    }


def _depot(depot: Depot) -> dict[str, Any]:
    return {
        **{field: getattr(depot, field) for field in _DEPOT},
        "id": new_uuid(),
        "code": MARK + depot.code,
        "name": _name(depot.name),
        "contact_name": "",
        "phone": "",
        "is_drill": True,
    }


async def _stock(session: AsyncSession, depots: Iterable[Depot]) -> None:
    code_of = {depot.id: MARK + depot.code for depot in depots}
    copies = {copy.code: copy.id for copy in await repository.find_depots(session, is_drill=True)}
    held = await repository.stock_of(session, list(code_of))
    await repository.empty_copies(session)
    rows = [_held(item, copies[code_of[item.depot_id]]) for item in held]
    for part in _parts(rows):
        await repository.put_stock(session, part)


def _held(item: StockItem, depot_id: UUID) -> dict[str, Any]:
    return {
        "id": new_uuid(),
        "depot_id": depot_id,
        "item": item.item,
        "unit": item.unit,
        "quantity": item.quantity,
        "reserved": 0,
        "is_drill": True,
        "is_demo": item.is_demo,
    }


async def _put(
    session: AsyncSession, table: type[Team] | type[Depot], rows: list[dict[str, Any]]
) -> None:
    for part in _parts(rows):
        await repository.put_copies(session, table, part)


def _parts(rows: list[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while part := list(islice(left, AT_ONCE)):
        yield part
