"""Queries of accounts and of the audit chain."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from .tables import AccountRow, AuditRow


async def account_named(
    session: AsyncSession, username: str, *, lock: bool = False
) -> AccountRow | None:
    """The account of this log-in name; `lock` serialises log-ins, so that failures are counted."""
    query = select(AccountRow).where(AccountRow.username == username.casefold())  # type: ignore[arg-type]
    if lock:
        query = query.with_for_update()
    found: AccountRow | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def audit_rows(session: AsyncSession, *, before: int, limit: int) -> Sequence[AuditRow]:
    """Newest first."""
    query = select(AuditRow).where(col(AuditRow.seq) < before)
    return (await session.scalars(query.order_by(col(AuditRow.seq).desc()).limit(limit))).all()
