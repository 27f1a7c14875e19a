"""How likely an asked team (商请) comes is learnt from what its city answered before."""

from __future__ import annotations

from datetime import timedelta

from command_center.database.ids import new_id
from command_center.incidents import AskingRule, IncidentRow, OrderRow, teams_with_odds
from command_center.security import SYSTEM, Desk
from command_center.security.work import Work

from .activation import Active, active, library

__all__ = ["active", "library"]  # pytest finds fixtures by their names in the module
RULE = AskingRule(accept_pct=50, answer_s=900)


async def odds(work: Work) -> tuple[int, int, int]:
    """(percent, answers, seconds until a refusal) of the one team that must be asked."""
    teams = await teams_with_odds(work.session, work.now, RULE, is_drill=False)
    assert {team.answers for team in teams if team.authority == "order"} == {0}
    (asked,) = [team for team in teams if team.authority == "request"]
    return asked.accept_pct, asked.answers, asked.answer_s


async def test_answers_of_the_city_move_the_setting_and_are_told_on_the_line(
    active: Active, desk: Desk
) -> None:
    """The setting weighs four answers; unknown teams, open requests and orders do not count."""
    async with desk.work(SYSTEM) as work:
        known = await odds(work)
        teams = await teams_with_odds(work.session, work.now, RULE, is_drill=False)
        asked = next(team for team in teams if team.authority == "request")
        incident = await work.session.get(IncidentRow, active.incident_id)
        assert incident is not None

        def answered(kind: str, team_id: str, **marks: object) -> None:
            row = OrderRow(
                number=f"T-{new_id()}"[:32],
                incident_id=incident.id,
                task_text="侦检",
                team_id=team_id,
                team_name="演示队",
                kind=kind,
                issued_at=work.now - timedelta(days=30),
                issued_by="陈示一",
                region_code="440229",
                **marks,
            )
            work.session.add(row)

        at = work.now - timedelta(days=30)
        for minutes in (4, 6, 20):
            refused = {"declined_at": at + timedelta(minutes=minutes), "declined_by": "队长"}
            answered("request", asked.id, state="declined", **refused)
        answered("request", asked.id, state="done", accepted_at=at + timedelta(minutes=1))
        answered("request", asked.id, state="issued")
        answered("order", asked.id, state="done", accepted_at=at + timedelta(minutes=1))
        answered("request", str(new_id()), state="done", accepted_at=at + timedelta(minutes=1))
        await work.session.flush()
        percent, answers, wait_s = await odds(work)
        assert answers == known[1] + 4
        if known[1] == 0:  # no other test left answers
            assert (percent, wait_s) == (38, 360)
        assert percent < 50
