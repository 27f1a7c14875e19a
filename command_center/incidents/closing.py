"""Finishing clocks, and closing an incident."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .clocks import minutes_late
from .errors import (
    ClockNotFoundError,
    ClockNotRunningError,
    ExplanationMissingError,
    TimesImpossibleError,
)
from .tables import ClockRow, IncidentRow
from .timeline import open_incident, tell, write
from .words import word


@service_call(permission=Permission.INCIDENT_EDIT, audit="clock.done")
async def finish_clock(
    work: Work,
    incident_id: UUID,
    clock_id: UUID,
    *,
    at: datetime | None = None,
    explanation: str | None = None,
) -> ClockRow:
    """A reporting step was done, at `at` or now. A late one needs its explanation and stays late.

    Raises ClockNotFoundError, ClockNotRunningError, ExplanationMissingError, TimesImpossibleError.
    """
    incident = await open_incident(work, incident_id, lock=False)
    row = await work.session.get(ClockRow, clock_id)
    if row is None or row.incident_id != incident.id:
        raise ClockNotFoundError()
    done_at = at or work.now
    if done_at > work.now or done_at < row.starts_at:
        raise TimesImpossibleError(field="at", rule="outside_of_the_clock")
    late = minutes_late(row.due_at, done_at)
    if late and not explanation:
        raise ExplanationMissingError(minutes_late=late)
    if not await repository.finish_clock(
        work.session, clock_id, at=done_at, by=work.actor.name, explanation=explanation
    ):
        raise ClockNotRunningError()
    await work.session.refresh(row)
    text = word("timeline", "clock_done", label=row.label)
    if late:
        text = word(
            "timeline", "clock_late", label=row.label, minutes=late, explanation=explanation
        )
    write(work, incident, "clock.late" if late else "clock.done", text, {"clock_id": str(row.id)})
    tell(work, incident, "clock.updated", {"id": str(row.id)})
    work.concerns("clock", row.id, is_drill=incident.is_drill, minutes_late=late)
    return row


@service_call(permission=Permission.INCIDENT_CLOSE, audit="incident.close")
async def close_incident(work: Work, incident_id: UUID, grounds: str) -> IncidentRow:
    """End: clocks still running are closed with their trace, responses end, nothing is deleted."""
    incident = await open_incident(work, incident_id)
    for clock in await repository.clocks(work.session, [incident.id]):
        if clock.done_at is None and clock.closed_at is None:
            clock.closed_at = work.now
            clock.explanation = word("clock", "closed_by_end")
    for response in await repository.responses(work.session, [incident.id]):
        if response.ended_at is None:
            response.ended_at = work.now
    incident.state, incident.closed_at, incident.updated_at = "closed", work.now, work.now
    write(work, incident, "incident.closed", word("timeline", "closed", grounds=grounds))
    tell(work, incident, "incident.updated", {"state": "closed"})
    work.concerns("incident", incident.id, is_drill=incident.is_drill)
    await work.session.flush()
    return incident
