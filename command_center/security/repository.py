"""Queries of accounts, sessions, join tokens and the audit chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from .tables import AccountRow, AuditRow, JoinTokenRow, SessionRow


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


async def session_of(
    session: AsyncSession, token_digest: str
) -> tuple[SessionRow, AccountRow] | None:
    """A log-in session with its account, by the digest of the cookie."""
    query = (
        select(SessionRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(SessionRow.account_id))
        .where(col(SessionRow.token_digest) == token_digest)
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else (found[0], found[1])


async def touch_session(session: AsyncSession, id_: UUID, at: datetime) -> None:
    await session.execute(
        update(SessionRow).where(col(SessionRow.id) == id_).values(last_seen_at=at)
    )


async def end_session(session: AsyncSession, id_: UUID, at: datetime) -> None:
    await session.execute(
        update(SessionRow)
        .where(col(SessionRow.id) == id_, col(SessionRow.revoked_at).is_(None))
        .values(revoked_at=at)
    )


async def join_token_of(session: AsyncSession, token_digest: str) -> JoinTokenRow | None:
    """A join token by its digest, also one that is over."""
    query = select(JoinTokenRow).where(col(JoinTokenRow.token_digest) == token_digest)
    row: JoinTokenRow | None = (await session.execute(query)).scalar_one_or_none()
    return row


async def end_join_tokens(session: AsyncSession, consultation_id: UUID, at: datetime) -> None:
    await session.execute(
        update(JoinTokenRow)
        .where(
            col(JoinTokenRow.consultation_id) == consultation_id,
            col(JoinTokenRow.revoked_at).is_(None),
        )
        .values(revoked_at=at)
    )
