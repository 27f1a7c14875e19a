"""Every query of the dispatch desk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from ..incidents import IncidentRow, OrderRow
from .errors import DispatchPlanNotFoundError, OverrideNotFoundError
from .tables import DispatchOverrideRow, DispatchPlanRow

ACTIVE = ("issued", "received", "accepted")


async def plan(session: AsyncSession, plan_id: UUID, *, lock: bool = False) -> DispatchPlanRow:
    """Raises DispatchPlanNotFoundError."""
    query = select(DispatchPlanRow).where(col(DispatchPlanRow.id) == plan_id)
    if lock:
        query = query.with_for_update()
    row: DispatchPlanRow | None = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise DispatchPlanNotFoundError()
    return row


async def plan_state(session: AsyncSession, plan_id: UUID) -> str | None:
    query = select(col(DispatchPlanRow.state)).where(col(DispatchPlanRow.id) == plan_id)
    return (await session.execute(query)).scalar_one_or_none()


async def newest_plan(
    session: AsyncSession, region_prefix: str, *, is_drill: bool
) -> DispatchPlanRow | None:
    """The plan that the desks of this region look at."""
    query = (
        select(DispatchPlanRow)
        .where(
            col(DispatchPlanRow.region_code).startswith(region_prefix),
            col(DispatchPlanRow.is_drill) == is_drill,
        )
        .order_by(col(DispatchPlanRow.created_at).desc(), col(DispatchPlanRow.id).desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def fail_stale(session: AsyncSession, before: datetime) -> None:
    """A process that died left its plan unsolved: nobody shall wait for it."""
    await session.execute(
        update(DispatchPlanRow)
        .where(
            col(DispatchPlanRow.state).in_(["solving", "cancelling"]),
            col(DispatchPlanRow.created_at) < before,
        )
        .values(state="failed")
    )


async def overrides(
    session: AsyncSession, incident_ids: Collection[UUID]
) -> Sequence[DispatchOverrideRow]:
    """Choices by hand that hold now."""
    query = select(DispatchOverrideRow).where(
        col(DispatchOverrideRow.incident_id).in_(list(incident_ids)),
        col(DispatchOverrideRow.lifted_at).is_(None),
    )
    return (await session.scalars(query.order_by(col(DispatchOverrideRow.set_at)))).all()


async def override(session: AsyncSession, override_id: UUID) -> DispatchOverrideRow:
    """Locked for the change. Raises OverrideNotFoundError for one that is lifted or unknown."""
    query = select(DispatchOverrideRow).where(
        col(DispatchOverrideRow.id) == override_id, col(DispatchOverrideRow.lifted_at).is_(None)
    )
    row: DispatchOverrideRow | None = (
        await session.execute(query.with_for_update())
    ).scalar_one_or_none()
    if row is None:
        raise OverrideNotFoundError()
    return row


async def lift(session: AsyncSession, task_id: UUID, need: int, *, at: datetime, by: str) -> None:
    """End whatever choice by hand holds for this visit."""
    await session.execute(
        update(DispatchOverrideRow)
        .where(
            col(DispatchOverrideRow.task_id) == task_id,
            col(DispatchOverrideRow.need) == need,
            col(DispatchOverrideRow.lifted_at).is_(None),
        )
        .values(lifted_at=at, lifted_by=by)
    )


async def active_orders(
    session: AsyncSession, *, is_drill: bool
) -> Sequence[tuple[OrderRow, IncidentRow]]:
    """Orders that hold a team now, with the incident they lead to, oldest first."""
    query = (
        select(OrderRow, IncidentRow)
        .join(IncidentRow, col(IncidentRow.id) == col(OrderRow.incident_id))
        .where(col(OrderRow.state).in_(ACTIVE), col(OrderRow.is_drill) == is_drill)
        .order_by(col(OrderRow.id))
    )
    return [(row[0], row[1]) for row in await session.execute(query)]
