"""The resource library's decisions: who is where, who is taken, what stock is promised.

Each function takes the caller's AsyncSession and never commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import LocalDispatchError, StockShortError, TeamTakenError
from ..fatigue import WINDOW, rest_until, worked
from ..requests import DepotStock, DispatchDepot, DispatchTeam
from . import repository
from .repository import Box
from .tables import (
    AssignmentState,
    Depot,
    ReservationState,
    StockItem,
    StockReservation,
    Team,
    TeamAssignment,
    TeamState,
)

MAX_LIMIT = 2_000


async def list_teams(
    session: AsyncSession,
    *,
    q: str = "",
    box: Box | None = None,
    region_prefix: str = "",
    is_drill: bool = False,
    limit: int = 500,
) -> Sequence[Team]:
    """Teams whose name, code, unit or skill matches `q`, at most `limit`."""
    return await repository.find_teams(
        session,
        q=q.strip(),
        box=box,
        region_prefix=region_prefix,
        is_drill=is_drill,
        limit=_bounded(limit),
    )


async def list_depots(
    session: AsyncSession,
    *,
    q: str = "",
    box: Box | None = None,
    region_prefix: str = "",
    is_drill: bool = False,
    limit: int = 500,
) -> list[tuple[Depot, Sequence[StockItem]]]:
    """Depots matching `q` with their stock, at most `limit`."""
    depots = await repository.find_depots(
        session,
        q=q.strip(),
        box=box,
        region_prefix=region_prefix,
        is_drill=is_drill,
        limit=_bounded(limit),
    )
    return await _with_stock(session, depots)


async def _with_stock(
    session: AsyncSession, depots: Sequence[Depot]
) -> list[tuple[Depot, Sequence[StockItem]]]:
    held: dict[UUID, list[StockItem]] = {depot.id: [] for depot in depots}
    for item in await repository.stock_of(session, list(held)):
        held[item.depot_id].append(item)
    return [(depot, held[depot.id]) for depot in depots]


def _bounded(limit: int) -> int:
    return max(1, min(limit, MAX_LIMIT))


async def dispatch_teams(
    session: AsyncSession, now: datetime, *, is_drill: bool = False
) -> list[DispatchTeam]:
    """Every team as the optimiser sees it: where it is and from when it is free."""
    busy_until: dict[UUID, datetime] = {}
    spans: dict[UUID, list[tuple[datetime, datetime]]] = {}
    for span in await repository.assignments_since(session, now - WINDOW, is_drill=is_drill):
        spans.setdefault(span.team_id, []).append((span.starts_at, span.ends_at))
        if span.state == AssignmentState.ACTIVE.value and span.ends_at > now:
            busy_until[span.team_id] = max(span.ends_at, busy_until.get(span.team_id, span.ends_at))
    teams = await repository.find_teams(session, is_drill=is_drill)
    return [
        _as_dispatch_team(team, busy_until.get(team.id), worked(spans.get(team.id, ()), now))
        for team in teams
    ]


async def assignment_spans(
    session: AsyncSession, *, is_drill: bool = False
) -> dict[UUID, tuple[datetime, datetime]]:
    """From when to when each order holds its team, by the order's id."""
    rows = await repository.ordered_assignments(session, is_drill=is_drill)
    return {row.order_id: (row.starts_at, row.ends_at) for row in rows if row.order_id is not None}


def _as_dispatch_team(
    team: Team, busy_until: datetime | None, work: tuple[int, datetime | None]
) -> DispatchTeam:
    frees = [at for at in (team.available_from, busy_until) if at is not None]
    on_duty = team.state != TeamState.OFF_DUTY.value
    known_free = team.state != TeamState.BUSY.value or bool(frees)
    return DispatchTeam(
        id=str(team.id),
        name=team.name,
        longitude=team.longitude,
        latitude=team.latitude,
        skills=frozenset(team.skills),
        crew=team.crew,
        speed_class=team.speed_class,
        authority=team.authority,
        is_available=on_duty and known_free,
        available_at=max(frees) if frees else None,
        duty_end=team.duty_end,
        region_code=team.region_code,
        worked_s=work[0],
        rest_until=rest_until(*work),
    )


async def dispatch_depots(session: AsyncSession, *, is_drill: bool = False) -> list[DispatchDepot]:
    """Every depot with the stock that is not reserved."""
    depots = await repository.find_depots(session, is_drill=is_drill)
    return [
        DispatchDepot(
            id=str(depot.id),
            name=depot.name,
            longitude=depot.longitude,
            latitude=depot.latitude,
            stock={i.item: DepotStock(i.quantity - i.reserved, i.unit) for i in items},
        )
        for depot, items in await _with_stock(session, depots)
    ]


async def assign_team(
    session: AsyncSession,
    *,
    team_id: UUID,
    incident_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    task_id: UUID | None = None,
    order_id: UUID | None = None,
    is_drill: bool = False,
) -> TeamAssignment:
    """Take the team's time. Raises TeamTakenError when any of it is taken already (F14).

    The database decides, so two callers at once cannot both win; the caller's transaction stays
    usable after the error.
    """
    team = await repository.get_team(session, team_id)
    if team is None or team.number is None:
        raise LocalDispatchError("team_unknown", team_id=str(team_id))
    if team.is_drill != is_drill:
        raise LocalDispatchError("drill_touches_real", team_id=str(team_id))
    span = TeamAssignment(
        team_id=team_id,
        team_number=team.number,
        incident_id=incident_id,
        task_id=task_id,
        order_id=order_id,
        starts_at=starts_at,
        ends_at=ends_at,
        is_drill=is_drill,
    )
    name = team.name
    try:
        async with session.begin_nested():
            session.add(span)
            await session.flush()
    except IntegrityError as error:
        if "team_is_in_one_place_at_a_time" not in str(error.orig):
            raise
        other = await repository.overlapping(session, team_id, starts_at, ends_at)
        raise TeamTakenError(
            team_id=str(team_id),
            team_name=name,
            incident_id=None if other is None else str(other.incident_id),
            until=None if other is None else other.ends_at.isoformat(),
        ) from error
    return span


async def release_team(session: AsyncSession, *, order_id: UUID, at: datetime) -> int:
    """The order is done, declined or cancelled: its team is free again from `at`."""
    return await repository.release(session, order_id, at)


async def reserve_stock(
    session: AsyncSession,
    *,
    depot_id: UUID,
    item: str,
    quantity: int,
    incident_id: UUID,
    task_id: UUID | None = None,
    reserved_by: str = "",
    is_drill: bool = False,
) -> StockReservation:
    """Promise stock to an incident. Raises StockShortError when less than that is free."""
    if quantity <= 0:
        raise LocalDispatchError("stock_quantity_not_positive", quantity=quantity)
    stock = await repository.take_stock(session, depot_id, item, quantity)
    if stock is None:
        raise StockShortError(depot_id=str(depot_id), item=item, quantity=quantity)
    if stock.is_drill != is_drill:
        raise LocalDispatchError("drill_touches_real", depot_id=str(depot_id))
    reservation = StockReservation(
        stock_item_id=stock.id,
        incident_id=incident_id,
        task_id=task_id,
        quantity=quantity,
        reserved_by=reserved_by,
        is_drill=is_drill,
    )
    session.add(reservation)
    await session.flush()
    return reservation


async def release_stock(session: AsyncSession, reservation_id: UUID, at: datetime) -> bool:
    """Give a promise back; False when it holds nothing any more."""
    reservation = await repository.lock_reservation(session, reservation_id)
    if reservation is None:
        return False
    await repository.give_stock_back(session, reservation)
    reservation.state = ReservationState.RELEASED.value
    reservation.closed_at = at
    await session.flush()
    return True
