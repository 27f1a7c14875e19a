"""Log-in sessions and join tokens: random secrets, of which only digests are stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from . import repository
from .actor import Actor, ActorKind
from .errors import JoinTokenExpiredError, JoinTokenInvalidError
from .permissions import Permission, Role, permissions_of
from .tables import AccountRow, JoinTokenRow, SessionRow
from .work import Work, service_call

IDLE_LIMIT = timedelta(minutes=30)
_TOUCH_AFTER = timedelta(seconds=60)


def digest(secret: str) -> str:
    """What is stored instead of a secret. The secrets have 256 random bits: no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def actor_of(account: AccountRow, session_id: UUID | None, owes: Sequence[str] = ()) -> Actor:
    """Who owes a new password or a second factor may do nothing else until then."""
    roles = frozenset(Role(role) for role in account.roles if not owes)
    return Actor(
        id=str(account.id),
        name=account.display_name,
        kind=ActorKind.USER,
        permissions=permissions_of(roles),
        region_code=account.region_code,
        session_id=session_id,
        can_publish=True,
        can_play=True,
    )


async def open_session(
    session: AsyncSession,
    account: AccountRow,
    now: datetime,
    remote: str,
    owes: Sequence[str] = (),
) -> str:
    """A new session; returns the cookie's value, which is not stored."""
    secret = secrets.token_urlsafe(32)
    session.add(
        SessionRow(
            token_digest=digest(secret),
            account_id=account.id,
            created_at=now,
            last_seen_at=now,
            remote=remote,
            owes=list(owes),
        )
    )
    await session.flush()
    return secret


async def resolve_session(
    session: AsyncSession, secret: str, now: datetime, *, is_use: bool = True
) -> tuple[Actor, AccountRow] | None:
    """Who holds this cookie; None when unknown, revoked, idle for too long or disabled.

    `is_use=False` only looks: it does not put off the end of an idle session.
    """
    found = await repository.session_of(session, digest(secret))
    if found is None:
        return None
    row, account = found
    if row.revoked_at is not None or not account.is_enabled:
        return None
    if now - row.last_seen_at > IDLE_LIMIT:
        return None
    if is_use and now - row.last_seen_at > _TOUCH_AFTER:
        await repository.touch_session(session, row.id, now)
    return actor_of(account, row.id, row.owes), account


async def revoke_session(session: AsyncSession, session_id: UUID, now: datetime) -> None:
    """End one session; ending it again changes nothing."""
    await repository.end_session(session, session_id, now)


async def resolve_join_token(session: AsyncSession, secret: str, now: datetime) -> Actor:
    """The actor behind a join token. Raises JoinTokenInvalidError, JoinTokenExpiredError."""
    row = await repository.join_token_of(session, digest(secret))
    if row is None or row.revoked_at is not None:
        raise JoinTokenInvalidError()
    if row.expires_at <= now:
        raise JoinTokenExpiredError()
    return Actor(
        id=str(row.id),
        name=row.name,
        kind=ActorKind.FIELD_TEAM,
        permissions=permissions_of(frozenset({Role.FIELD_TEAM})),
        consultation_id=row.consultation_id,
        participant_id=row.participant_id,
        team_id=row.team_id,
        can_publish=row.publish,
        can_play=row.play,
    )


@service_call(permission=Permission.JOIN_TOKEN_ISSUE, audit="join_token.issue")
async def issue_join_token(
    work: Work,
    *,
    consultation_id: UUID,
    name: str,
    expires_at: datetime,
    participant_id: UUID | None = None,
    team_id: UUID | None = None,
    publish: bool = True,
    play: bool = True,
    is_drill: bool = False,
) -> str:
    """Make a join link's secret. It is returned once and cannot be read again."""
    secret = secrets.token_urlsafe(32)
    row = JoinTokenRow(
        token_digest=digest(secret),
        consultation_id=consultation_id,
        participant_id=participant_id,
        team_id=team_id,
        name=name,
        publish=publish,
        play=play,
        created_at=work.now,
        created_by=work.actor.id,
        expires_at=expires_at,
        is_drill=is_drill,
    )
    work.session.add(row)
    await work.session.flush()
    work.concerns("join_token", row.id, is_drill=is_drill, consultation_id=str(consultation_id))
    return secret


async def revoke_join_tokens(work: Work, consultation_id: UUID) -> None:
    """End every link of a consultation; called inside the service that closes it."""
    await repository.end_join_tokens(work.session, consultation_id, work.now)
