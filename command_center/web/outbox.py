"""Queries of the outbox, and an event as it goes over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..database.tables import EventRow

_seq = EventRow.__table__.c.seq  # type: ignore[attr-defined]


async def events_after(session: AsyncSession, seq: int, *, limit: int) -> Sequence[EventRow]:
    """Events with a greater number, in order."""
    found = await session.scalars(select(EventRow).where(_seq > seq).order_by(_seq).limit(limit))
    return found.all()


async def newest_seq(session: AsyncSession) -> int:
    return int((await session.execute(select(func.coalesce(func.max(_seq), 0)))).scalar_one())


def wire_event(event: EventRow) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "type": event.type,
        "incident_id": str(event.incident_id) if event.incident_id else None,
        "consultation_id": str(event.consultation_id) if event.consultation_id else None,
        "at": event.at.isoformat(),
        "actor": event.actor,
        "body": event.body,
        "is_drill": event.is_drill,
    }
