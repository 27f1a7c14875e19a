"""Visits that must meet: every timetable is judged by a checker that knows only the instance."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import hhcrsp
from resource_dispatch import RemoteDispatchError
from resource_dispatch.optimiser import kernel_meetings as kernel
from resource_dispatch.optimiser.meetings import (
    FAR,
    Meetings,
    Timetable,
    first_state,
    solve_meetings,
    static_of,
)

FOLDER = Path(os.environ.get("TEST_DATA", "tests/data")) / "hhcrsp"
pytestmark = pytest.mark.timeout(900)  # the first call compiles the kernel: 15 s of a free core
PUBLISHED = sorted(FOLDER.glob("InstanzCPLEX_HCSRP_10_*.json"))


def instance(seed: int, jobs: int = 8, teams: int = 4) -> Meetings:
    """Every third job wants two teams together, every fourth one after the other."""
    chance = np.random.default_rng(seed)
    points = chance.integers(0, 60, (jobs + 1, 2))
    travel = np.rint(np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))).astype(np.int64)
    job_of, low, high = [], [], []
    for job in range(jobs):
        job_of += [job] * (2 if job % 3 == 0 or job % 4 == 0 else 1)
        low.append(10 if job % 3 and job % 4 == 0 else 0)
        high.append(25 if job % 3 and job % 4 == 0 else 0)
    visits = len(job_of)
    release = chance.integers(0, 300, jobs)[job_of]
    return Meetings(
        travel=travel,
        home=np.zeros(teams, dtype=np.int64),
        where=np.array(job_of) + 1,
        able=np.ones((teams, visits), dtype=np.int64),
        service=chance.integers(5, 30, visits),
        release=release,
        due=release + 60,
        job_of=np.array(job_of),
        low=np.array(low),
        high=np.array(high),
    )


def count(given: Meetings, made: Timetable) -> int:
    """The cost from the instance and the start times alone; asserts every rule."""
    team_of = {v: m for m, route in enumerate(made.routes) for v in route}
    assert sorted(team_of) == list(range(len(given.job_of)))
    way = 0
    for route in made.routes:
        clock, at = 0, 0
        for v in route:
            way += int(given.travel[at, given.where[v]])
            clock += int(given.travel[at, given.where[v]])
            assert made.start[v] >= max(clock, int(given.release[v]))
            clock, at = made.start[v] + int(given.service[v]), int(given.where[v])
        way += int(given.travel[at, 0])
    for job in range(given.jobs):
        own = np.flatnonzero(given.job_of == job)
        if len(own) == 2:
            assert team_of[own[0]] != team_of[own[1]]
            gap = made.start[own[1]] - made.start[own[0]]
            assert given.low[job] <= gap <= given.high[job]
    late = [max(0, made.start[v] - int(given.due[v])) for v in range(len(given.job_of))]
    return way + sum(late) + max(late)


@pytest.mark.parametrize("seed", range(6))
def test_timetable_obeys_the_instance_and_costs_what_it_says(seed: int) -> None:
    """Teams meet when they must, nobody is in two places, and the cost is counted right."""
    given = instance(seed)
    made = solve_meetings(given, 1.0, seed, rounds=300)
    assert count(given, made) == made.cost


def test_search_improves_on_the_first_timetable() -> None:
    """Better timetables are told as they come, each cheaper than the one before."""
    told: list[int] = []
    solve_meetings(
        instance(3, 14, 4), 1.0, 1, rounds=600, on_improved=lambda t: told.append(t.cost)
    )
    assert len(told) > 1
    assert told == sorted(told, reverse=True)


def test_same_seed_and_rounds_give_the_same_timetable() -> None:
    """With rounds instead of seconds nothing but the seed decides."""
    first, again = (solve_meetings(instance(5), 1.0, 7, rounds=200) for _ in range(2))
    assert first == again


def test_compiled_kernel_and_python_twin_agree() -> None:
    """The twin is the same code uncompiled, and must walk the same path."""
    given = instance(2, 6, 3)
    quick = solve_meetings(given, 1.0, 4, rounds=30)
    names = ("time_plan", "price", "rank_places", "put", "take", "insert", "insert_pair", "ruin")
    names += ("take_job", "take_string", "recreate", "copy", "anneal", "draw", "uniform")
    kept = {name: getattr(kernel, name) for name in names}
    try:
        for name in names:
            setattr(kernel, name, kept[name].py_func)
        slow = solve_meetings(given, 1.0, 4, rounds=30)
    finally:
        for name in names:
            setattr(kernel, name, kept[name])
    assert quick == slow


@pytest.mark.parametrize("seed", range(4))
def test_prices_of_places_are_exact(seed: int) -> None:
    """After many insertions priced one by one, timing the whole plan anew says the same."""
    given = instance(seed, 20, 5)
    static, state = static_of(given), first_state(given, seed)
    state.jobs[:] = np.arange(20)
    assert kernel.recreate(static, state, 20)
    for _ in range(200):
        assert kernel.recreate(static, state, kernel.ruin(static, state))
        start, tally = state.start.copy(), state.tally.copy()
        assert kernel.time_plan(static, state)
        assert (state.start == start).all()
        assert (state.tally == tally).all()


def test_visit_that_nobody_can_make_is_named() -> None:
    """An instance without an able team is refused, with the visit in the error."""
    given = instance(1)
    given.able[:, 2] = 0
    with pytest.raises(RemoteDispatchError, match="visit_without_able_team"):
        solve_meetings(given, 1.0, rounds=1)
    assert FAR > 10**9


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda p: p.stem)
def test_small_published_instances_reach_the_best_known(path: Path) -> None:
    """Ten patients: the best known cost, judged from the JSON alone (folder in $TEST_DATA)."""
    made = solve_meetings(hhcrsp.load(path), 1.0, 0, rounds=1500)
    best = hhcrsp.best_known(FOLDER)[path.name]
    assert hhcrsp.check(path, made) <= best * 1.005
