"""RUASP instances: our own generator, paper-like (Wex et al. 2014), and the `.npz` file format.

Units are 0.1 minute. `cap[m, n]` team m can do task n; `p[m, n]` processing; `s[m, n+1, n+1]`
travel of team m between tasks, row n from its start; `w[n]` severity 1-5. The objective is the
sum of w x completion.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resource_dispatch.optimiser import NEVER_S, Problem, Weights

Ints = npt.NDArray[np.int64]
SPEEDS_KMH = (50.0, 60.0, 80.0)
CAPABILITIES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Ruasp:
    """One instance: m teams, n tasks."""

    name: str
    cap: npt.NDArray[np.bool_]
    p: Ints
    s: Ints
    w: Ints

    @property
    def size(self) -> tuple[int, int]:
        """(tasks, teams)"""
        return self.cap.shape[1], self.cap.shape[0]

    def problem(self) -> Problem:
        """The instance as a dispatch problem with the completion term alone."""
        tasks, teams = self.size
        never = np.full(teams, NEVER_S, dtype=np.int64)
        return Problem(
            team_ids=tuple(f"T{m}" for m in range(teams)),
            task_ids=tuple(f"K{n}" for n in range(tasks)),
            crew=np.ones(teams, dtype=np.int64),
            has_skill=self.cap,
            has_crew=np.ones_like(self.cap),
            service_s=self.p,
            travel_s=self.s,
            metres=np.zeros((1, 1, 1), dtype=np.int64).repeat(teams, axis=0)
            + np.zeros_like(self.s),
            profile=np.arange(teams, dtype=np.int64),
            start=np.full(teams, tasks, dtype=np.int64),
            where=np.arange(tasks, dtype=np.int64),
            available_s=np.zeros(teams, dtype=np.int64),
            duty_end_s=never,
            task_of=np.arange(tasks, dtype=np.int64),
            severity=self.w,
            release_s=np.zeros(tasks, dtype=np.int64),
            golden_s=np.full(tasks, NEVER_S, dtype=np.int64),
            meeting=np.zeros(tasks, dtype=np.int64),
            predecessors=((),) * tasks,
            assign_cost=np.zeros((teams, tasks), dtype=np.int64),
            previous_team=np.full(tasks, -1, dtype=np.int64),
            coverage_group=np.full(teams, -1, dtype=np.int64),
            coverage_floor=np.zeros(0, dtype=np.int64),
            weights=Weights(completion=1, lateness=0, coverage=0, fairness=0, distance=0),
        )


def load(path: Path) -> Ruasp:
    """Read one `.npz`; the arrays must be whole numbers of the right shapes."""
    with np.load(path, allow_pickle=False) as stored:
        cap = stored["cap"].astype(np.bool_)
        p, s, w = (np.asarray(stored[key]).astype(np.int64) for key in ("p", "s", "w"))
    teams, tasks = cap.shape
    if p.shape != cap.shape or s.shape != (teams, tasks + 1, tasks + 1) or w.shape != (tasks,):
        raise ValueError(f"{path.name}: shapes of cap, p, s and w do not fit together")
    return Ruasp(path.stem, cap, p, s, w)


def save(instance: Ruasp, path: Path) -> None:
    np.savez_compressed(path, cap=instance.cap, p=instance.p, s=instance.s, w=instance.w)


def generate(tasks: int, teams: int, seed: int, regime: str = "P") -> Ruasp:
    """One random instance of regime P (provincial geometry) or L (random, team-dependent)."""
    chance = np.random.default_rng([seed, tasks, teams, ord(regime)])
    cap = _capabilities(chance, tasks, teams)
    w = chance.integers(1, 6, tasks)
    name = f"{regime}-{tasks}x{teams}-{seed}"
    if regime == "L":
        p = _tenths(np.maximum(1.0, chance.normal(20, 10, (teams, tasks))))
        s = _tenths(np.maximum(0.1, chance.normal(1, 0.3, (teams, tasks + 1, tasks + 1))))
        for m in range(teams):
            np.fill_diagonal(s[m], 0)
        return Ruasp(name, cap, p, s, w)
    depots = chance.uniform(0, 500, (21, 2))
    centres = chance.uniform(100, 400, (2, 2))
    places = chance.uniform(0, 500, (tasks, 2))
    for n in range(tasks):
        if chance.random() < 0.7:
            places[n] = np.clip(chance.normal(centres[chance.integers(2)], 25), 0, 500)
    starts = depots[chance.integers(0, 21, teams)]
    speeds = chance.choice(SPEEDS_KMH, teams)
    base = np.maximum(15.0, chance.normal(120, 60, tasks))
    p = _tenths(base[None, :] * chance.uniform(0.7, 1.4, teams)[:, None])
    s = np.zeros((teams, tasks + 1, tasks + 1), dtype=np.int64)
    for m in range(teams):
        points = np.vstack((places, starts[m]))
        km = 1.35 * np.sqrt(((points[:, None] - points[None, :]) ** 2).sum(axis=-1))
        s[m] = _tenths(km / speeds[m] * 60)
    return Ruasp(name, cap, p, s, w)


def _tenths(minutes: npt.NDArray[np.float64]) -> Ints:
    tenths: Ints = np.rint(minutes * 10).astype(np.int64)
    return tenths


def _capabilities(chance: np.random.Generator, tasks: int, teams: int) -> npt.NDArray[np.bool_]:
    """A task wants one of five capabilities, a team has one or two; each is held by somebody."""
    wants = chance.integers(0, CAPABILITIES, tasks)
    has = np.zeros((teams, CAPABILITIES), dtype=np.bool_)
    for m in range(teams):
        has[m, chance.choice(CAPABILITIES, chance.integers(1, 3), replace=False)] = True
    for c in range(CAPABILITIES):
        if not has[:, c].any():
            has[chance.integers(teams), c] = True
    cap: npt.NDArray[np.bool_] = has[:, wants]
    return cap


def practice_greedy(instance: Ruasp) -> int:
    """The objective of common practice: whenever a team is idle, severest waiting task first.

    A task goes to the nearest (by travel) of the able teams that are idle at that moment; it waits
    when there is none. Nobody looks ahead.
    """
    tasks, teams = instance.size
    at = [tasks] * teams
    free = [0] * teams
    waiting = sorted(range(tasks), key=lambda k: (-int(instance.w[k]), k))
    now = objective = 0
    while waiting:
        for n in list(waiting):
            idle = [m for m in range(teams) if free[m] <= now and instance.cap[m, n]]
            if idle:
                m = min(idle, key=lambda k: (int(instance.s[k, at[k], n]), k))
                free[m] = now + int(instance.s[m, at[m], n]) + int(instance.p[m, n])
                at[m] = n
                objective += int(instance.w[n]) * free[m]
                waiting.remove(n)
        now = min((f for f in free if f > now), default=now + 1)
    return objective


def objective_of(instance: Ruasp, routes: tuple[tuple[int, ...], ...]) -> int:
    """An independent count of sum w x completion; raises ValueError on an invalid plan."""
    tasks, teams = instance.size
    seen: list[int] = []
    objective = 0
    for m, route in enumerate(routes):
        t, at = 0, tasks
        for n in route:
            if not instance.cap[m, n]:
                raise ValueError(f"team {m} cannot do task {n}")
            t += int(instance.s[m, at, n]) + int(instance.p[m, n])
            objective += int(instance.w[n]) * t
            at = n
            seen.append(n)
    if sorted(seen) != list(range(tasks)) or len(routes) != teams:
        raise ValueError("not every task exactly once")
    return objective
