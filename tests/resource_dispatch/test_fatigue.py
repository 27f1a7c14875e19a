"""Weariness: what it costs, when it forces a rest, and that plans and reasons say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_dispatch import MaxIterations, Need, propose
from resource_dispatch.fatigue import DELAY_S_PER_HOUR, FREE_S, rest_until, tired_s, worked
from resource_dispatch.optimiser import evaluate, solve

from .optimiser.problems import separable
from .province import NOW, roads, task, team

SEARCH = Need(frozenset({"search"}), 5, 3600)
HOUR = timedelta(hours=1)


@given(st.lists(st.tuples(st.integers(-60, 10), st.integers(1, 20)), max_size=6))
def test_work_is_counted_within_a_day_and_rest_follows_the_last_of_it(
    spans: list[tuple[int, int]],
) -> None:
    """Older work is forgotten; who has worked 12 hours rests 8 after the last; nobody else."""
    given_spans = [(NOW + b * HOUR, NOW + (b + n) * HOUR) for b, n in spans]
    total, last = worked(given_spans, NOW)
    hours = sum(max(0, b + n - max(b, -24)) for b, n in spans)
    assert total == hours * 3600
    until = rest_until(total, last)
    ends: list[datetime] = [end for _, end in given_spans if end > NOW - 24 * HOUR]
    assert until == (max(ends) + 8 * HOUR if hours >= 12 else None)
    assert tired_s(total) == max(0, total - FREE_S) * DELAY_S_PER_HOUR // 3600


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10_000))
def test_fatigue_is_a_named_term_and_rest_of_the_objective_is_untouched(seed: int) -> None:
    """Counted here by hand: severity x the team's weariness for each visit, nothing else moves."""
    problem = separable(seed, 6, 4)
    plan = solve(problem, MaxIterations(200), seed).plan
    tired = evaluate(problem, plan)
    rested = evaluate(problem.with_changes(tired_s=()), plan)
    wanted = sum(
        problem.tired_s[m] * int(problem.severity[problem.task_of[v]])
        for m, route in enumerate(plan.routes)
        for v in route
    )
    assert tired.terms["fatigue"] == wanted
    assert rested.terms == {**tired.terms, "fatigue": 0}
    assert tired.objective - rested.objective == wanted
    assert (problem.give_cost >= problem.weights.authority * problem.assign_cost).all()
    assert np.array_equal(problem.with_changes(tired_s=()).give_cost, problem.assign_cost)


def test_tired_team_is_spared_when_a_fresh_one_is_hardly_later_and_the_line_says_why() -> None:
    """The nearest has worked 20 hours of the last 24: the next one goes."""
    near, next_ = team("near", 3, "search"), team("next", 4, "search")
    fresh = propose([task("K", 3, SEARCH)], [near, next_], [], roads(), NOW)
    assert fresh.lines[0].team_id == "near"
    delay = fresh.lines[0].runner_up
    assert delay is not None
    weary = replace(near, worked_s=FREE_S + 3600 * (2 + delay.cost_more // DELAY_S_PER_HOUR))
    spared = propose([task("K", 3, SEARCH)], [weary, next_], [], roads(), NOW)
    assert spared.lines[0].team_id == "next"
    assert spared.lines[0].reason.code == "sooner_team_tired"
    assert "宜轮休" in spared.lines[0].reason.text()
    assert spared.terms["fatigue"] == 0


def test_resting_team_is_not_sent_before_it_has_rested() -> None:
    """Alone it goes when rested; on duty for less than that, the reason names the rest."""
    resting = replace(team("only", 3, "search"), worked_s=13 * 3600, rest_until=NOW + 5 * HOUR)
    (line,) = propose([task("K", 3, SEARCH)], [resting], [], roads(), NOW).lines
    assert line.depart_at >= NOW + 5 * HOUR
    leaving = replace(resting, duty_end=NOW + 4 * HOUR)
    (refused,) = propose([task("K", 3, SEARCH)], [leaving], [], roads(), NOW).unassigned
    assert refused.reason.code in ("resting", "duty_end", "several")
