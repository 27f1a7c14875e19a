"""What happens to a consultation by itself when its time has come: run by the leading switchboard.

Nothing here is remembered: whether something is due is read from the rows, so a killed web process
only delays it until another one leads.
"""

from __future__ import annotations

from uuid import UUID

from ...security import SYSTEM, Desk
from .. import repository as rosters
from ..service import close_consultation
from . import repository
from .polling import next_look, turn


async def run_due(desk: Desk, consultation_id: UUID) -> None:
    """Turn the polling, if its time or who is shown is gone; end a meeting that ends by itself."""
    async with desk.database.session() as session:
        row = await rosters.consultation(session, consultation_id)
        control = await repository.control_of(session, row)
    now = desk.clock()
    if control.ends_by_itself and control.ends_at is not None and control.ends_at <= now:
        async with desk.work(SYSTEM) as work:
            await close_consultation(work, consultation_id)
        return
    if next_look(control, now) is not None:
        await turn(desk, consultation_id)
