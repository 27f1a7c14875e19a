"""Every query of coverage studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from .errors import SweepNotFoundError
from .tables import SweepDrawRow, SweepRow

LISTED = 50
SCHEMA = "jobs"  # procrastinate's own tables, beside ours


async def sweep(session: AsyncSession, sweep_id: UUID, *, lock: bool = False) -> SweepRow:
    """Raises SweepNotFoundError."""
    query = select(SweepRow).where(col(SweepRow.id) == sweep_id)
    if lock:
        query = query.with_for_update()
    row: SweepRow | None = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise SweepNotFoundError()
    return row


async def sweeps(session: AsyncSession, region_prefix: str) -> list[tuple[SweepRow, int]]:
    """The newest studies of a region with the number of draws made."""
    made = (
        select(func.count())
        .where(col(SweepDrawRow.sweep_id) == col(SweepRow.id))
        .correlate(SweepRow)
        .scalar_subquery()
    )
    query = (
        select(SweepRow, made)
        .where(col(SweepRow.region_code).startswith(region_prefix))
        .order_by(col(SweepRow.created_at).desc(), col(SweepRow.id).desc())
        .limit(LISTED)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def made(session: AsyncSession, sweep_id: UUID) -> int:
    query = select(func.count()).where(col(SweepDrawRow.sweep_id) == sweep_id)
    return int((await session.execute(query)).scalar_one())


async def draws(session: AsyncSession, sweep_id: UUID) -> Sequence[dict[str, Any]]:
    """What the draws made so far say."""
    query = select(col(SweepDrawRow.result)).where(col(SweepDrawRow.sweep_id) == sweep_id)
    return (await session.scalars(query)).all()


async def numbers_made(session: AsyncSession, sweep_id: UUID, lost_pct: int) -> set[int]:
    query = select(col(SweepDrawRow.number)).where(
        col(SweepDrawRow.sweep_id) == sweep_id, col(SweepDrawRow.lost_pct) == lost_pct
    )
    return set((await session.scalars(query)).all())


async def keep_draw(
    session: AsyncSession, sweep_id: UUID, result: dict[str, Any], at: datetime
) -> None:
    """Store a draw; a second worker that made the same one changes nothing."""
    await session.execute(
        insert(SweepDrawRow)
        .values(
            sweep_id=sweep_id,
            lost_pct=result["lost_pct"],
            number=result["number"],
            result=result,
            made_at=at,
        )
        .on_conflict_do_nothing()
    )


async def defer(
    session: AsyncSession, queue: str, task: str, wishes: Sequence[dict[str, Any]]
) -> None:
    """Put jobs in procrastinate's queue, in the transaction that stores what they are for."""
    path = (await session.execute(text("SHOW search_path"))).scalar_one()
    set_path = text("SELECT set_config('search_path', :path, true)")
    await session.execute(set_path, {"path": SCHEMA})
    await session.execute(
        text(
            "SELECT procrastinate_defer_jobs_v1(array_agg(ROW("
            "CAST(:queue AS varchar), CAST(:task AS varchar), 0, NULL, NULL, wish, NULL"
            ")::procrastinate_job_to_defer_v1)) FROM jsonb_array_elements(CAST(:wishes AS jsonb))"
            " AS wish"
        ),
        {"queue": queue, "task": task, "wishes": json.dumps(list(wishes))},
    )
    await session.execute(set_path, {"path": path})
