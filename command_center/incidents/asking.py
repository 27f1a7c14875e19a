"""How likely a team that is asked (商请) comes: what teams of its city answered before.

The setting counts as so many answers; the more there are, the less it matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy.ext.asyncio import AsyncSession

import resource_dispatch as dispatch

from . import repository

ASSUMED_ANSWERS = 4
REMEMBERED = timedelta(days=3 * 365)
CITY_DIGITS = 4


@dataclass(frozen=True, slots=True)
class AskingRule:
    """What is assumed before there are answers."""

    accept_pct: int = 70
    answer_s: int = 600


async def teams_with_odds(
    session: AsyncSession, now: datetime, rule: AskingRule, *, is_drill: bool
) -> list[dispatch.DispatchTeam]:
    """Every team; those that must be asked know how their city's teams answered."""
    teams = await dispatch.dispatch_teams(session, now, is_drill=is_drill)
    city = {team.id: team.region_code[:CITY_DIGITS] for team in teams}
    by_city: dict[str, list[repository.RequestAnswer]] = {}
    for answer in await repository.request_answers(session, now - REMEMBERED, is_drill=is_drill):
        if answer.team_id in city:
            by_city.setdefault(city[answer.team_id], []).append(answer)
    return [
        _with_odds(team, by_city.get(city[team.id], []), rule)
        if team.authority == "request"
        else team
        for team in teams
    ]


def _with_odds(
    team: dispatch.DispatchTeam, answers: Sequence[repository.RequestAnswer], rule: AskingRule
) -> dispatch.DispatchTeam:
    accepted = sum(answer.is_accepted for answer in answers)
    share = (rule.accept_pct * ASSUMED_ANSWERS + 100 * accepted) / (ASSUMED_ANSWERS + len(answers))
    waits = [answer.waited_s for answer in answers if not answer.is_accepted]
    return replace(
        team,
        accept_pct=round(share),
        answers=len(answers),
        answer_s=round(median(waits)) if waits else rule.answer_s,
    )
