"""What the desk's orders lose when a member leaves for good or is taken off the roster."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ..tables import ConsultationRow
from . import repository


async def give_up(
    session: AsyncSession, row: ConsultationRow, participant_id: UUID, now: datetime
) -> None:
    """It left: its request to speak ends, and the chair is free again."""
    request = await repository.floor_request(session, row.id, participant_id)
    control = await repository.control_of(session, row)
    if request is not None:
        request.state = "ended" if request.state == "granted" else "withdrawn"
        request.ended_at = now
        session.add(request)
    if control.chair_id == participant_id:
        control.chair_id = control.chair_since = None
        session.add(control)


async def forget(
    session: AsyncSession, row: ConsultationRow, participant_id: UUID, now: datetime
) -> None:
    """It is off the roster: no order may name it any more."""
    await give_up(session, row, participant_id, now)
    control = await repository.control_of(session, row)
    if control.roll_call_id == participant_id:
        control.roll_call_id = None
    if control.broadcast_id == participant_id:
        control.broadcast = control.broadcast_id = None
    if control.polling is not None:
        sites = [site for site in control.polling["sites"] if site != str(participant_id)]
        was_chosen = len(sites) < len(control.polling["sites"])
        control.polling = {**control.polling, "sites": sites}
        if control.polling_id == participant_id:
            control.polling_id = None
        if was_chosen and not sites:
            control.polling = control.polling_id = control.polling_turned_at = None
    if control.chair_layout and control.chair_layout.get("seats"):
        seats = [None if s == str(participant_id) else s for s in control.chair_layout["seats"]]
        control.chair_layout = {**control.chair_layout, "seats": seats}
    session.add(control)
    for watcher in await repository.watchers_of(session, row.id, participant_id):
        watcher.watch_id = None
        session.add(watcher)
