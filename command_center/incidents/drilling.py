"""What the beginning of a drill makes: a world of its own to be dispatched in.

A drill works on copies of teams and stock and can never touch the real ones (AQ/T 9007; the
dispatch room refuses to mix them). While another drill goes on its copies are left as they are.
"""

from __future__ import annotations

import resource_dispatch as dispatch

from ..security.work import Work
from . import repository
from .tables import IncidentRow
from .timeline import write
from .words import word


async def enter_drill(work: Work, incident: IncidentRow) -> None:
    """Within the service call that opens a drill's incident."""
    if await repository.has_other_open_drill(work.session, incident.id):
        return
    playing = await dispatch.renew_copies(work.session, work.now)
    body = {"teams": playing.teams, "depots": playing.depots}
    write(work, incident, "drill.resources", word("timeline", "drill_resources", **body), body)
