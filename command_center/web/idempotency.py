"""Repeated requests: the same Idempotency-Key gets the first answer, once and for all.

The key's row is inserted in the transaction of the change, so it is there exactly when the change
is. A second request with the key waits for the first one's commit on the unique index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from ..database.tables import IdempotencyRow
from ..security.work import Work
from .problems import EdgeError

LOCK_NOT_AVAILABLE = "55P03"  # lock_timeout ran out
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Once:
    """This request is the first with its key."""

    actor_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The first answer."""

    status: int
    body: bytes
    headers: dict[str, str]


async def begin_once(work: Work, key: str, digest: str) -> Once | Replay:
    """Claim the key or return the first answer. Raises EdgeError when it was another request."""
    if _KEY.fullmatch(key) is None:
        raise EdgeError("idempotency_key_invalid")
    actor_id = work.actor.id
    claim = (
        insert(IdempotencyRow)
        .values(
            actor_id=actor_id,
            key=key,
            request_digest=digest,
            headers={},
            created_at=work.now,
            is_drill=False,
        )
        .on_conflict_do_nothing()
        .returning(col(IdempotencyRow.key))
    )
    try:
        claimed = await work.session.execute(claim)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise EdgeError("request_in_progress") from error
        raise
    if claimed.scalar_one_or_none() is not None:
        return Once(actor_id, key)
    row = await work.session.get(IdempotencyRow, (actor_id, key), populate_existing=True)
    if row is None or row.status is None:
        raise EdgeError("request_in_progress")
    if row.request_digest != digest:
        raise EdgeError("idempotency_key_reused")
    return Replay(row.status, row.body or b"", row.headers)


async def finish_once(
    work: Work, once: Once, status: int, body: bytes, headers: dict[str, str]
) -> None:
    """Keep the answer beside the change."""
    await work.session.execute(
        update(IdempotencyRow)
        .where(IdempotencyRow.actor_id == once.actor_id, IdempotencyRow.key == once.key)  # type: ignore[arg-type]
        .values(status=status, body=body, headers=headers)
    )
