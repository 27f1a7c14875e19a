"""商请: what asking is expected to cost, who goes if the answer is no, and that both are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from resource_dispatch import Desk, DispatchTask, DispatchTeam, MaxIterations, Need, Proposal
from resource_dispatch.optimiser import evaluate, solve

from .province import NOW, roads, task, team

SEARCH = Need(frozenset({"search"}), 5, 3600)


def asked(name: str, place: int, **more: object) -> DispatchTeam:
    """A team that may decline."""
    return team(name, place, "search", authority="request", **more)  # type: ignore[arg-type]


def plan(jobs: list[DispatchTask], teams: list[DispatchTeam]) -> Proposal:
    desk = Desk(jobs, teams, [], roads(), NOW)
    return desk.proposal(solve(desk.problem, MaxIterations(300), 1))


@pytest.mark.parametrize("accept_pct", [0, 40, 95, 100])
def test_expected_cost_is_the_chance_times_what_the_next_team_costs_more(accept_pct: int) -> None:
    """Counted from the roads: the ordered team sets out when the answer has come."""
    teams = [asked("enterprise", 3, accept_pct=accept_pct, answer_s=900), team("city", 8, "search")]
    desk = Desk([task("K", 3, SEARCH, severity=4)], teams, [], roads(), NOW)
    way = desk.problem.travel_s
    near, far = (
        int(way[desk.problem.profile[m], desk.problem.start[m], desk.problem.where[0]])
        for m in (0, 1)
    )
    later = 4 * (900 + far - near)
    assert desk.problem.assign_cost[0, 0] == later * (100 - accept_pct) // 100
    assert desk.problem.assign_cost[1, 0] == 0


def test_team_that_never_comes_is_not_asked() -> None:
    """The same team is asked when it mostly comes and left out when it always declines."""
    jobs = [task("K", 3, SEARCH)]
    willing = [asked("enterprise", 3, accept_pct=95), team("city", 5, "search")]
    unwilling = [asked("enterprise", 3, accept_pct=0), team("city", 5, "search")]
    assert plan(jobs, willing).lines[0].team_id == "enterprise"
    (line,) = plan(jobs, unwilling).lines
    assert (line.team_id, line.fallback) == ("city", None)
    assert line.reason.code == "sooner_team_must_be_asked"


def test_line_names_who_goes_if_the_asked_team_declines() -> None:
    """The ordered team before the other asked one, though that is nearer; its time is true."""
    teams = [
        asked("enterprise", 3, accept_pct=90, answers=12, answer_s=600),
        asked("neighbour", 4, accept_pct=90),
        team("city", 8, "search"),
    ]
    jobs = [task("K", 3, SEARCH)]
    (line,) = plan(jobs, teams).lines
    assert line.team_id == "enterprise"
    found = line.fallback
    assert found is not None
    assert (found.team_id, found.reason.code, found.odds.code) == (
        "city",
        "order_next",
        "odds_known",
    )
    late = replace(teams[2], available_at=NOW + timedelta(seconds=600))
    (alone,) = plan(jobs, [late]).lines
    assert found.arrive_at == alone.arrive_at
    desk = Desk(jobs, teams, [], roads(), NOW)
    judged = solve(desk.problem, MaxIterations(300), 1)
    after = Desk(jobs, [replace(teams[0], is_available=False), teams[1], late], [], roads(), NOW)
    moved = judged.plan.without(0).inserted(2, 0, 0)
    assert found.cost_more == evaluate(after.problem, moved).objective - judged.objective
    assert found.expected_cost == found.cost_more * 10 // 100
    for language, words in (("zh-CN", "若10分钟后婉拒，改命令city"), ("en", "city is ordered")):
        text = found.text(language)
        assert words in text
        assert "90" in text
        assert "?" not in text


def test_without_another_team_the_line_says_that_nobody_can_come() -> None:
    """No fallback is told as such, and odds without answers as assumed; orders have neither."""
    (line,) = plan([task("K", 3, SEARCH)], [asked("enterprise", 3)]).lines
    assert line.fallback is not None
    assert line.fallback.team_id is None
    assert line.fallback.odds.code == "odds_assumed"
    assert line.fallback.reason.code == "nobody_else"
    (ordered,) = plan([task("K", 3, SEARCH)], [team("city", 3, "search")]).lines
    assert ordered.fallback is None


def test_next_team_does_not_leave_other_work_for_it() -> None:
    """A team that the plan uses elsewhere comes after that, when the answer has come."""
    jobs = [task("K", 3, SEARCH, severity=5), task("L", 8, SEARCH)]
    teams = [asked("enterprise", 3, accept_pct=99, answer_s=60), team("city", 8, "search")]
    found = plan(jobs, teams)
    lines = {line.task_id: line for line in found.lines}
    assert (lines["K"].team_id, lines["L"].team_id) == ("enterprise", "city")
    next_one = lines["K"].fallback
    assert next_one is not None
    assert next_one.team_id == "city"
    assert next_one.arrive_at is not None
    assert next_one.arrive_at > lines["L"].finish_at
