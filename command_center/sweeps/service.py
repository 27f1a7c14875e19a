"""Decisions about coverage studies: ask for one, call it off, hear what a worker made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import resource_dispatch as dispatch

from ..security.permissions import Permission
from ..security.work import Work, service_call
from . import repository
from .errors import SweepTooLargeError, SweepWithoutTeamsError
from .schemas import SweepIn
from .tables import SweepRow

LIMIT = 3_000
DRAWS_PER_JOB = 5
TIMES = ("available_at", "duty_end", "rest_until")
QUEUE = "sweeps"
TASK = "sweeps.draw"


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="sweep.start")
async def start_sweep(work: Work, wish: SweepIn) -> SweepRow:
    """Store the study with the region's teams of now and queue its jobs, or neither.

    Raises SweepTooLargeError and SweepWithoutTeamsError.
    """
    shares = sorted(set(wish.lost_pct))
    wanted = wish.draws * len(shares)
    if wanted > LIMIT:
        raise SweepTooLargeError(limit=LIMIT)
    found = await dispatch.dispatch_teams(work.session, work.now, is_drill=False)
    prefix = work.actor.region_prefix
    teams = [team for team in found if team.region_code.startswith(prefix)]
    if not any(team.is_available for team in teams):
        raise SweepWithoutTeamsError()
    row = SweepRow(
        region_code=work.actor.region_code,
        name=wish.name,
        question={**wish.model_dump(mode="json"), "lost_pct": shares},
        teams=[_stored(team) for team in teams],
        wanted=wanted,
        created_at=work.now,
        created_by=work.actor.name,
    )
    work.session.add(row)
    await work.session.flush()
    jobs = [
        {
            "sweep_id": str(row.id),
            "lost_pct": lost,
            "first": first,
            "count": min(DRAWS_PER_JOB, wish.draws - first),
        }
        for first in range(0, wish.draws, DRAWS_PER_JOB)
        for lost in shares
    ]
    await repository.defer(work.session, QUEUE, TASK, jobs)
    _tell(work, row, 0)
    work.concerns("sweep", row.id, question=row.question)
    return row


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="sweep.cancel")
async def cancel_sweep(work: Work, sweep_id: UUID) -> SweepRow:
    """No further draws are made; those made stay. Raises SweepNotFoundError."""
    row = await repository.sweep(work.session, sweep_id, lock=True)
    work.actor.require_region(row.region_code)
    if row.state == "running":
        row.state, row.finished_at = "cancelled", work.now
        _tell(work, row, await repository.made(work.session, row.id))
    work.concerns("sweep", row.id)
    return row


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="sweep.draws")
async def keep_draws(work: Work, sweep_id: UUID, results: Sequence[dict[str, Any]]) -> None:
    """A worker has made some draws; the last one ends the study."""
    row = await repository.sweep(work.session, sweep_id, lock=True)
    for result in results:
        await repository.keep_draw(work.session, sweep_id, result, work.now)
    made = await repository.made(work.session, sweep_id)
    if row.state == "running" and made >= row.wanted:
        row.state, row.finished_at = "done", work.now
    _tell(work, row, made)
    work.concerns("sweep", row.id, draws=len(results))


@service_call(permission=Permission.DISPATCH_PROPOSE, audit="sweep.fail")
async def fail_sweep(work: Work, sweep_id: UUID, why: str) -> None:
    """A draw cannot be made: the study ends and says so."""
    row = await repository.sweep(work.session, sweep_id, lock=True)
    if row.state == "running":
        row.state, row.finished_at = "failed", work.now
        _tell(work, row, await repository.made(work.session, row.id))
    work.concerns("sweep", row.id, why=why)


def _tell(work: Work, row: SweepRow, made: int) -> None:
    work.emit(
        "sweep.updated",
        {"id": str(row.id), "state": row.state, "made": made, "wanted": row.wanted},
        region_code=row.region_code,
    )


def _stored(team: dispatch.DispatchTeam) -> dict[str, Any]:
    """A team as JSON, as it stands; when a busy one is free again is kept."""
    stored = asdict(team)
    stored["skills"] = sorted(team.skills)
    for name in TIMES:
        stored[name] = None if stored[name] is None else stored[name].isoformat()
    return stored


def team_of(stored: dict[str, Any]) -> dispatch.DispatchTeam:
    """The team that `_stored` wrote down."""
    times = {
        name: None if stored.get(name) is None else datetime.fromisoformat(stored[name])
        for name in TIMES
    }
    return dispatch.DispatchTeam(**{**stored, **times, "skills": frozenset(stored["skills"])})


def draw_of(stored: dict[str, Any]) -> dispatch.Draw:
    """A stored draw as the dispatch room made it."""
    scenes = tuple(dispatch.DrawnIncident(**scene) for scene in stored["incidents"])
    return dispatch.Draw(**{**stored, "incidents": scenes})
