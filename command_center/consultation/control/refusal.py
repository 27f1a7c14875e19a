"""Somebody was turned away by the lock: the desk is told who, so that it may dial out to them."""

from __future__ import annotations

from ...security import Work
from .. import roster
from ..tables import ConsultationRow


async def refused_by_lock(work: Work, row: ConsultationRow, name: str) -> None:
    """A live event and a line on the timeline; the refusal itself is the caller's."""
    body = {"id": str(row.id), "what": "entry_refused", "name": name}
    roster.tell(work, row, "consultation.updated", body)
    await roster.note(work, row, "refused_locked", name=name)
    work.concerns("consultation", row.id, is_drill=row.is_drill, refused=name)
