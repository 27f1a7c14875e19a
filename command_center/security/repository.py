"""Queries of accounts, sessions, join tokens and the audit chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
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


async def account_of(session: AsyncSession, id_: UUID, *, lock: bool = False) -> AccountRow | None:
    """The account of this id."""
    return await session.get(AccountRow, id_, with_for_update=lock or None)


@dataclass(frozen=True, slots=True)
class Presence:
    """Of one account: how many sessions are open, and when it was last there."""

    open_sessions: int = 0
    last_seen_at: datetime | None = None


async def accounts(
    session: AsyncSession, *, q: str, region_prefix: str, limit: int
) -> Sequence[AccountRow]:
    """Accounts of the region by part of their name, log-in name or unit."""
    query = select(AccountRow).where(
        col(AccountRow.region_code).startswith(region_prefix, autoescape=True)
    )
    if q:
        fields = (AccountRow.username, AccountRow.display_name, AccountRow.unit_name)
        query = query.where(or_(*(col(field).icontains(q, autoescape=True) for field in fields)))
    query = query.order_by(col(AccountRow.region_code), col(AccountRow.username))
    return (await session.scalars(query.limit(limit))).all()


async def presence(
    session: AsyncSession, account_ids: Sequence[UUID], alive_since: datetime
) -> dict[UUID, Presence]:
    """Who is there: sessions that are not revoked and were used since `alive_since`."""
    is_open = col(SessionRow.revoked_at).is_(None) & (col(SessionRow.last_seen_at) > alive_since)
    query = (
        select(
            col(SessionRow.account_id),
            func.count().filter(is_open),
            func.max(col(SessionRow.last_seen_at)),
        )
        .where(col(SessionRow.account_id).in_(account_ids))
        .group_by(col(SessionRow.account_id))
    )
    return {row[0]: Presence(row[1], row[2]) for row in await session.execute(query)}


@dataclass(frozen=True, slots=True)
class AuditWish:
    """Which audit rows: those that meet everything that is given."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    action: str = ""
    outcome: str = ""
    about: str = ""


async def audit_rows(
    session: AsyncSession, wish: AuditWish, *, before: int, limit: int
) -> Sequence[AuditRow]:
    """Newest first."""
    query = select(AuditRow).where(col(AuditRow.seq) < before, *_audited(wish))
    return (await session.scalars(query.order_by(col(AuditRow.seq).desc()).limit(limit))).all()


def _audited(wish: AuditWish) -> list[Any]:
    conditions: list[Any] = []
    if wish.since is not None:
        conditions.append(col(AuditRow.at) >= wish.since)
    if wish.until is not None:
        conditions.append(col(AuditRow.at) < wish.until)
    if wish.actor:
        conditions.append(
            or_(
                col(AuditRow.actor_name).icontains(wish.actor, autoescape=True),
                col(AuditRow.actor_id) == wish.actor,
            )
        )
    if wish.action:
        conditions.append(col(AuditRow.action) == wish.action)
    if wish.outcome:
        conditions.append(col(AuditRow.outcome) == wish.outcome)
    if wish.about:
        conditions.append(
            or_(
                col(AuditRow.object_id) == wish.about,
                col(AuditRow.object_kind) == wish.about,
                col(AuditRow.remote) == wish.about,
                col(AuditRow.request_id) == wish.about,
            )
        )
    return conditions


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
    """Note that the session is in use. Does not wait: whoever holds the row notes the same."""
    free = (
        select(col(SessionRow.id))
        .where(col(SessionRow.id) == id_)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    await session.execute(
        update(SessionRow).where(col(SessionRow.id) == free).values(last_seen_at=at)
    )


async def end_session(session: AsyncSession, id_: UUID, at: datetime) -> None:
    await session.execute(
        update(SessionRow)
        .where(col(SessionRow.id) == id_, col(SessionRow.revoked_at).is_(None))
        .values(revoked_at=at)
    )


async def end_sessions(
    session: AsyncSession, account_id: UUID, at: datetime, *, but: UUID | None = None
) -> int:
    """End every open session of the account, `but` one; how many there were."""
    which = [col(SessionRow.account_id) == account_id, col(SessionRow.revoked_at).is_(None)]
    if but is not None:
        which.append(col(SessionRow.id) != but)
    ended = await session.execute(update(SessionRow).where(*which).values(revoked_at=at))
    return int(getattr(ended, "rowcount", 0))


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
