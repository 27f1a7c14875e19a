"""What others do with the plan library. Works in the caller's session, never commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import LocalPlansError
from . import repository
from .checks import check
from .model import Plan


@dataclass(frozen=True, slots=True)
class PlanHead:
    """A plan as lists show it."""

    id: UUID
    code: str
    version: str
    name: str
    kind: str
    tier: str
    region_code: str
    event_types: tuple[str, ...]
    status: str
    issued_by: str
    issued_on: date | None
    filing_number: str
    review_due: date | None
    is_demo: bool
    is_drill: bool


async def list_plans(
    session: AsyncSession,
    *,
    region_code: str | None = None,
    statuses: Sequence[str] = ("in_force",),
) -> list[PlanHead]:
    """Heads of the plans, ordered by region and code."""
    rows = await repository.plan_rows(session, region_code=region_code, statuses=statuses)
    return [
        PlanHead(
            id=row.id,
            code=row.code,
            version=row.version,
            name=row.name,
            kind=row.kind,
            tier=row.tier,
            region_code=row.region_code,
            event_types=tuple(row.event_types),
            status=row.status,
            issued_by=row.issued_by,
            issued_on=row.issued_on,
            filing_number=row.filing_number,
            review_due=row.review_due,
            is_demo=row.is_demo,
            is_drill=row.is_drill,
        )
        for row in rows
    ]


async def get_plan(session: AsyncSession, plan_id: UUID) -> Plan:
    """One plan, whole. Raises LocalPlansError `plan_not_found`."""
    found = await repository.find_plans(session, [plan_id])
    if not found:
        raise LocalPlansError("plan_not_found", plan_id=str(plan_id))
    return found[0]


async def plans_in_force(session: AsyncSession) -> list[Plan]:
    """Every plan in force, whole: what `propose` chooses from."""
    return await repository.plans_in_force(session)


async def add_plan(session: AsyncSession, plan: Plan) -> None:
    """Check a plan and store it. Raises RemotePlansError `plan_invalid`; nothing is stored then."""
    check(plan)
    await repository.store(session, plan)


async def remove_demo_plans(session: AsyncSession) -> None:
    """Take the demonstration plans out again."""
    await repository.remove_demo(session)
