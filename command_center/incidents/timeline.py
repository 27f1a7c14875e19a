"""The timeline: each step with its person and its time, never changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .errors import IncidentClosedError
from .tables import IncidentRow, TimelineRow


def write(
    work: Work,
    incident: IncidentRow,
    kind: str,
    text: str,
    body: dict[str, Any] | None = None,
) -> TimelineRow:
    """Add an entry within a service call of any room, and tell the desks."""
    row = TimelineRow(
        incident_id=incident.id,
        at=work.now,
        kind=kind,
        actor_id=work.actor.id,
        actor_name=work.actor.name,
        text=text[:4000],
        body=body or {},
        is_drill=incident.is_drill,
    )
    work.session.add(row)
    tell(
        work,
        incident,
        "timeline.added",
        {"id": str(row.id), "kind": kind, "text": row.text, "at": work.now.isoformat()},
    )
    return row


def tell(work: Work, incident: IncidentRow, type_: str, body: dict[str, Any]) -> None:
    """Emit an event of this incident to those who may see its region."""
    work.emit(
        type_,
        body,
        incident_id=incident.id,
        region_code=incident.region_code,
        is_drill=incident.is_drill,
    )


async def open_incident(work: Work, incident_id: UUID, *, lock: bool = True) -> IncidentRow:
    """An incident of the actor's region that may still be changed.

    Raises IncidentNotFoundError (also for another region's) and IncidentClosedError.
    """
    row = await repository.incident(work.session, incident_id, lock=lock)
    work.actor.require_region(row.region_code)
    if row.state != "open":
        raise IncidentClosedError()
    return row


@service_call(permission=Permission.INCIDENT_EDIT, audit="timeline.add")
async def add_note(work: Work, incident_id: UUID, text: str) -> TimelineRow:
    """A remark typed by the duty desk."""
    incident = await open_incident(work, incident_id, lock=False)
    row = write(work, incident, "note", text)
    await work.session.flush()
    work.concerns("incident", incident.id, is_drill=incident.is_drill, timeline_id=str(row.id))
    return row
