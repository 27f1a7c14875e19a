"""Queries of accounts."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from .tables import AccountRow


async def account_named(
    session: AsyncSession, username: str, *, lock: bool = False
) -> AccountRow | None:
    """The account of this log-in name; `lock` serialises log-ins, so that failures are counted."""
    query = select(AccountRow).where(AccountRow.username == username.casefold())  # type: ignore[arg-type]
    if lock:
        query = query.with_for_update()
    found: AccountRow | None = (await session.execute(query)).scalar_one_or_none()
    return found
