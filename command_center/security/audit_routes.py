"""Routes of the audit administrator: reading the chain and verifying it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..web.context import DESK, Context
from ..web.problems import EdgeError
from ..web.routing import Route, route
from .permissions import Permission
from .repository import AuditWish, audit_rows


class AuditEntryOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    seq: int
    at: datetime
    actor_id: str
    actor_kind: str
    actor_name: str | None
    action: str
    outcome: str
    object_kind: str
    object_id: str
    request_id: str
    remote: str
    detail: dict[str, Any] | None
    is_drill: bool


class AuditOut(BaseModel):
    items: list[AuditEntryOut]


class VerificationOut(BaseModel):
    """`breaks` is empty when every row follows the one before it and none is missing."""

    is_whole: bool
    breaks: list[str]


def _instant(ctx: Context[None], name: str) -> datetime | None:
    text = ctx.query(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise EdgeError("validation_failed", field=name) from error
    if at.tzinfo is None:
        raise EdgeError("validation_failed", field=name)
    return at


@route("GET", "/audit", access=Permission.AUDIT_READ, reply=AuditOut)
async def read_audit(ctx: Context[None]) -> AuditOut:
    """Audit rows, newest first, before a number.

    `since`, `until`, `actor` (part of the name), `action`, `outcome` and `about` (an object's kind
    or id, an address, a request) narrow them down.
    """
    before = ctx.query_int("before", 2**62, low=1, high=2**62)
    limit = ctx.query_int("limit", 100, low=1, high=1000)
    wish = AuditWish(
        since=_instant(ctx, "since"),
        until=_instant(ctx, "until"),
        **{name: ctx.query(name).strip() for name in ("actor", "action", "outcome", "about")},
    )
    rows = await audit_rows(ctx.work.session, wish, before=before, limit=limit)
    return AuditOut(items=[AuditEntryOut.model_validate(row) for row in rows])


@route("GET", "/audit/verification", access=Permission.AUDIT_READ, reply=VerificationOut)
async def verify_audit(ctx: Context[None]) -> VerificationOut:
    """Verify the whole chain now."""
    breaks = await ctx.request.app[DESK].chain.verify(ctx.work.session)
    return VerificationOut(is_whole=not breaks, breaks=breaks[:100])


ROUTES: list[Route] = [read_audit, verify_audit]
