"""Jobs of one or two visits whose teams must meet: the home-care problem's search (HHCRSP)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import monotonic, perf_counter

import numpy as np

from ..errors import RemoteDispatchError
from . import kernel_meetings as kernel
from .problem import Ints

NEIGHBOURS = 40
FAR = 10**12
SLICE_S = 0.05
HOT, COLD = 1.0, 0.01
JOBS_OUT = 16
LONGEST_STRING = 6


@dataclass(frozen=True, slots=True, eq=False)
class Meetings:
    """One instance. Visit v belongs to `job_of[v]`; a job's second visit follows its first.

    The second visit of a job starts `low[job]` to `high[job]` after the first (0, 0 = together).
    Whole numbers of one unit for travel and time.
    """

    travel: Ints
    home: Ints
    where: Ints
    able: Ints
    service: Ints
    release: Ints
    due: Ints
    job_of: Ints
    low: Ints
    high: Ints

    @property
    def jobs(self) -> int:
        return len(self.low)

    @property
    def teams(self) -> int:
        return len(self.home)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Routes of visits and each visit's start; cost = travel + tardiness + greatest tardiness."""

    routes: tuple[tuple[int, ...], ...]
    start: tuple[int, ...]
    cost: int
    rounds: int


def static_of(instance: Meetings) -> kernel.Static:
    """The kernel's arrays."""
    visits = len(instance.job_of)
    pairs = np.full((instance.jobs, 2), -1, dtype=np.int64)
    mate = np.full(visits, -1, dtype=np.int64)
    second = np.zeros(visits, dtype=np.int64)
    for v, job in enumerate(instance.job_of):
        if pairs[job, 0] < 0:
            pairs[job, 0] = v
        elif pairs[job, 1] < 0:
            pairs[job, 1] = v
            mate[v], mate[pairs[job, 0]] = pairs[job, 0], v
            second[v] = 1
        else:
            raise RemoteDispatchError("job_has_three_visits", job=int(job))
    count = instance.able.sum(axis=0).astype(np.int64)
    if (count == 0).any():
        raise RemoteDispatchError("visit_without_able_team", visit=int(np.argmin(count)))
    able_teams = np.full((visits, int(count.max())), -1, dtype=np.int64)
    for v in range(visits):
        able_teams[v, : count[v]] = np.flatnonzero(instance.able[:, v])
    first = pairs[:, 0]
    place, release = instance.where[first], instance.release[first]
    between = instance.travel[np.ix_(place, place)] + np.abs(release[:, None] - release[None]) // 2
    between = between.astype(np.float64)
    np.fill_diagonal(between, np.inf)
    near = np.argsort(between, axis=1, kind="stable")[
        :, : max(1, min(instance.jobs - 1, NEIGHBOURS))
    ]
    choice = np.array([min(count[v] for v in pair if v >= 0) for pair in pairs])
    urgency = np.stack((release, instance.due[first], choice - 100 * (pairs[:, 1] >= 0)))
    at_home = np.zeros(instance.teams, dtype=np.int64)
    return kernel.Static(
        travel=instance.travel,
        where=np.concatenate((instance.where, instance.home)),
        service=np.concatenate((instance.service, at_home)),
        release=instance.release,
        due=instance.due,
        mate=mate,
        is_second=second,
        low=instance.low[instance.job_of],
        high=instance.high[instance.job_of],
        able_teams=able_teams,
        able_count=count,
        job_of=instance.job_of,
        job_visits=pairs,
        near=np.ascontiguousarray(near.astype(np.int64)),
        urgency=urgency.astype(np.int64),
        sizes=np.array([min(JOBS_OUT, max(2, instance.jobs // 2)), LONGEST_STRING]),
    )


def first_state(instance: Meetings, seed: int) -> kernel.State:
    """Nothing planned yet."""
    visits, teams = len(instance.job_of), instance.teams
    nodes = visits + teams
    return kernel.State(
        succ=np.arange(nodes, dtype=np.int64),
        pred=np.arange(nodes, dtype=np.int64),
        team_of=np.full(visits, -1, dtype=np.int64),
        start=np.zeros(nodes, dtype=np.int64),
        tally=np.zeros(4, dtype=np.int64),
        random=np.array([(seed * 7919 + 104729) % 2147483646 + 1], dtype=np.int64),
        tick=np.zeros(1, dtype=np.int64),
        stamp=np.zeros(visits, dtype=np.int64),
        later=np.zeros(visits, dtype=np.int64),
        touched=np.zeros(8 * visits + 8, dtype=np.int64),
        undo=np.zeros((8 * visits + 8, 2), dtype=np.int64),
        jobs=np.zeros(instance.jobs, dtype=np.int64),
        places=np.zeros((kernel.PAIR_PLACES + 1, 3), dtype=np.int64),
        string=np.zeros(visits, dtype=np.int64),
    )


def solve_meetings(
    instance: Meetings,
    seconds: float,
    seed: int = 0,
    *,
    rounds: int | None = None,
    clock: Callable[[], float] = monotonic,
    on_improved: Callable[[Timetable], None] | None = None,
) -> Timetable:
    """The best timetable within `seconds` of `clock`, or after exactly `rounds`.

    With `rounds` only the seed decides; `process_time` as the clock spends processor time.
    Raises RemoteDispatchError when not even the first plan can be made.
    """
    static = static_of(instance)
    state, best, kept = (first_state(instance, seed) for _ in range(3))
    state.jobs[:] = np.argsort(instance.release[static.job_visits[:, 0]], kind="stable")
    for attempt in range(20):
        if kernel.recreate(static, state, instance.jobs):
            break
        state.succ[:] = state.pred[:] = np.arange(len(state.succ))
        state.team_of[:] = -1
        state.jobs[:] = np.random.default_rng([seed, attempt]).permutation(instance.jobs)
    else:
        raise RemoteDispatchError("no_first_timetable")
    kernel.copy(state, best)
    kernel.copy(state, kept)
    if on_improved is not None:
        on_improved(_timetable(best, 0))
    done = _run(static, (state, best, kept), seconds, rounds, clock, on_improved)
    return _timetable(best, done)


def _run(  # noqa: PLR0917 (all that a search has)
    static: kernel.Static,
    states: tuple[kernel.State, kernel.State, kernel.State],
    seconds: float,
    rounds: int | None,
    clock: Callable[[], float],
    on_improved: Callable[[Timetable], None] | None,
) -> int:
    state, best, kept = states
    jobs = len(static.job_visits)
    typical = best.tally[0] / max(1, jobs)
    hot, cold = HOT * typical, COLD * typical
    begun, done, size, told = clock(), 0, 20, int(best.tally[0])
    while True:
        share = 1.0
        if rounds is not None:
            share = done / rounds if rounds else 1.0
        elif seconds > 0:
            share = (clock() - begun) / seconds
        if share >= 1:
            return done
        if rounds is not None:
            size = min(50, rounds - done)
        slice_begun = perf_counter()
        heat = hot * (cold / hot) ** share
        kernel.anneal(static, state, best, kept, size, heat)
        done += size
        took = perf_counter() - slice_begun
        size = max(5, min(5_000, int(size * min(3.0, SLICE_S / max(took, 1e-6)))))
        if on_improved is not None and best.tally[0] < told:
            told = int(best.tally[0])
            on_improved(_timetable(best, done))


def _timetable(state: kernel.State, rounds: int) -> Timetable:
    visits = len(state.team_of)
    routes = []
    for home in range(visits, len(state.succ)):
        route = []
        v = int(state.succ[home])
        while v < visits:
            route.append(v)
            v = int(state.succ[v])
        routes.append(tuple(route))
    start = tuple(int(t) for t in state.start[:visits])
    return Timetable(tuple(routes), start, int(state.tally[0]), rounds)


def solve_in_processes(
    instance: Meetings,
    seconds: float,
    seeds: tuple[int, ...] = (0, 1),
    *,
    clock: Callable[[], float] = monotonic,
) -> list[Timetable]:
    """One process per seed, best first."""
    with ProcessPoolExecutor(len(seeds), mp_context=get_context("spawn")) as pool:
        found = list(pool.map(_solve_one, [(instance, seconds, seed, clock) for seed in seeds]))
    return sorted(found, key=lambda timetable: timetable.cost)


def _solve_one(order: tuple[Meetings, float, int, Callable[[], float]]) -> Timetable:
    return solve_meetings(order[0], order[1], order[2], clock=order[3])
