"""Queries of the resource library. Services call these; nothing here commits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

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


@dataclass(frozen=True, slots=True)
class Box:
    """A map window in WGS-84 degrees."""

    west: float
    south: float
    east: float
    north: float


async def find_teams(
    session: AsyncSession,
    *,
    q: str = "",
    box: Box | None = None,
    region_prefix: str = "",
    is_drill: bool = False,
    limit: int | None = None,
) -> Sequence[Team]:
    """Teams by part of name, code, unit or skill, inside the window."""
    query = select(Team).where(col(Team.is_drill) == is_drill).order_by(col(Team.code))
    if q:
        pattern = _pattern(q)
        query = query.where(
            or_(
                col(Team.name).ilike(pattern, escape="\\"),
                col(Team.code).ilike(pattern, escape="\\"),
                col(Team.unit_name).ilike(pattern, escape="\\"),
                col(Team.skills).contains([q]),
            )
        )
    query = _within(query, Team, box, region_prefix)
    return (await session.scalars(query.limit(limit))).all()


async def find_depots(
    session: AsyncSession,
    *,
    q: str = "",
    box: Box | None = None,
    region_prefix: str = "",
    is_drill: bool = False,
    limit: int | None = None,
) -> Sequence[Depot]:
    """Depots by part of name or code or by an item they hold, inside the window."""
    query = select(Depot).where(col(Depot.is_drill) == is_drill).order_by(col(Depot.code))
    if q:
        pattern = _pattern(q)
        holding = select(col(StockItem.depot_id)).where(
            col(StockItem.item).ilike(pattern, escape="\\")
        )
        query = query.where(
            or_(
                col(Depot.name).ilike(pattern, escape="\\"),
                col(Depot.code).ilike(pattern, escape="\\"),
                col(Depot.id).in_(holding),
            )
        )
    query = _within(query, Depot, box, region_prefix)
    return (await session.scalars(query.limit(limit))).all()


def _pattern(q: str) -> str:
    escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _within(query: Any, table: type[Team] | type[Depot], box: Box | None, prefix: str) -> Any:
    if box is not None:
        query = query.where(
            col(table.longitude).between(box.west, box.east),
            col(table.latitude).between(box.south, box.north),
        )
    if prefix:
        query = query.where(col(table.region_code).startswith(prefix, autoescape=True))
    return query


async def get_team(session: AsyncSession, team_id: UUID) -> Team | None:
    return await session.get(Team, team_id)


async def stock_of(session: AsyncSession, depot_ids: Sequence[UUID]) -> Sequence[StockItem]:
    """Stock items of these depots, by item."""
    query = select(StockItem).where(col(StockItem.depot_id).in_(depot_ids))
    return (await session.scalars(query.order_by(col(StockItem.item)))).all()


async def take_stock(
    session: AsyncSession, depot_id: UUID, item: str, quantity: int
) -> StockItem | None:
    """Reserve `quantity` in one statement; None when less than that is free."""
    query = (
        update(StockItem)
        .where(
            col(StockItem.depot_id) == depot_id,
            col(StockItem.item) == item,
            col(StockItem.quantity) - col(StockItem.reserved) >= quantity,
        )
        .values(reserved=col(StockItem.reserved) + quantity)
        .returning(StockItem)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).one_or_none()


async def give_stock_back(session: AsyncSession, reservation: StockReservation) -> None:
    query = (
        update(StockItem)
        .where(col(StockItem.id) == reservation.stock_item_id)
        .values(reserved=col(StockItem.reserved) - reservation.quantity)
    )
    await session.execute(query)


async def lock_reservation(session: AsyncSession, reservation_id: UUID) -> StockReservation | None:
    """The reservation if it still holds stock, locked against others."""
    query = (
        select(StockReservation)
        .where(
            col(StockReservation.id) == reservation_id,
            col(StockReservation.state) == ReservationState.COMMITTED.value,
        )
        .with_for_update()
    )
    return (await session.scalars(query)).one_or_none()


async def assignments_since(
    session: AsyncSession, since: datetime, *, is_drill: bool
) -> Sequence[TeamAssignment]:
    """Every assignment, released or not, that took a team's time after `since`."""
    query = select(TeamAssignment).where(
        col(TeamAssignment.ends_at) > since, col(TeamAssignment.is_drill) == is_drill
    )
    return (await session.scalars(query)).all()


async def ordered_assignments(session: AsyncSession, *, is_drill: bool) -> Sequence[TeamAssignment]:
    """Active assignments made by an order."""
    query = select(TeamAssignment).where(
        col(TeamAssignment.state) == AssignmentState.ACTIVE.value,
        col(TeamAssignment.order_id).is_not(None),
        col(TeamAssignment.is_drill) == is_drill,
    )
    return (await session.scalars(query)).all()


async def overlapping(
    session: AsyncSession, team_id: UUID, starts_at: datetime, ends_at: datetime
) -> TeamAssignment | None:
    """The first active assignment of the team that meets the span."""
    query = (
        select(TeamAssignment)
        .where(
            col(TeamAssignment.team_id) == team_id,
            col(TeamAssignment.state) == AssignmentState.ACTIVE.value,
            col(TeamAssignment.starts_at) < ends_at,
            col(TeamAssignment.ends_at) > starts_at,
        )
        .order_by(col(TeamAssignment.starts_at))
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def release(session: AsyncSession, order_id: UUID, at: datetime) -> int:
    """Free the rest of the order's span from `at`; returns how many assignments were freed."""
    query = (
        update(TeamAssignment)
        .where(
            col(TeamAssignment.order_id) == order_id,
            col(TeamAssignment.state) == AssignmentState.ACTIVE.value,
        )
        .values(
            state=AssignmentState.RELEASED.value,
            ends_at=func.greatest(
                func.least(col(TeamAssignment.ends_at), at),
                col(TeamAssignment.starts_at) + func.make_interval(0, 0, 0, 0, 0, 0, 1),
            ),
        )
    )
    result = await session.execute(query)
    return int(getattr(result, "rowcount", 0))


# --- copies that play in drills (`playing`) ---------------------------------------------------


async def team_coded(session: AsyncSession, code: str) -> Team | None:
    return (await session.scalars(select(Team).where(col(Team.code) == code))).one_or_none()


async def put_copies(
    session: AsyncSession, table: type[Team] | type[Depot], rows: list[dict[str, Any]]
) -> None:
    """Insert the copies; those that are there, by their code, are brought up to date."""
    statement = insert(table).values(rows)
    same = {name: statement.excluded[name] for name in rows[0] if name not in ("id", "code")}
    await session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=same))


async def put_stock(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """The same for stock, by depot and item."""
    statement = insert(StockItem).values(rows)
    same = {name: statement.excluded[name] for name in ("unit", "quantity", "reserved")}
    await session.execute(
        statement.on_conflict_do_update(constraint="stock_item_is_once_per_depot", set_=same)
    )


async def empty_copies(session: AsyncSession) -> None:
    """No drill holds stock any more, and what a copy held beyond its original is gone."""
    await session.execute(
        update(StockItem).where(col(StockItem.is_drill)).values(quantity=0, reserved=0)
    )


async def free_copies(session: AsyncSession, at: datetime) -> None:
    """Release whatever earlier drills still held; nobody is tired of them."""
    await session.execute(
        update(TeamAssignment)
        .where(
            col(TeamAssignment.is_drill), col(TeamAssignment.state) == AssignmentState.ACTIVE.value
        )
        .values(
            state=AssignmentState.RELEASED.value,
            ends_at=col(TeamAssignment.starts_at) + func.make_interval(0, 0, 0, 0, 0, 0, 1),
        )
    )
    await session.execute(
        update(StockReservation)
        .where(
            col(StockReservation.is_drill),
            col(StockReservation.state) == ReservationState.COMMITTED.value,
        )
        .values(state=ReservationState.RELEASED.value, closed_at=at)
    )


async def retire_copies(session: AsyncSession, codes: Collection[str]) -> None:
    """A copy whose original is gone plays no more."""
    await session.execute(
        update(Team)
        .where(col(Team.is_drill), col(Team.code).not_in(codes))
        .values(state=TeamState.OFF_DUTY.value)
    )
