"""The dispatch problem as arrays: what every solver, the evaluator and the explainer read.

A *task* is one piece of work at one place; it needs one or more *visits*, each by one team. Times
are whole seconds after the problem's zero, distances whole metres, costs whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NEVER_S = 10**9


class Meeting(IntEnum):
    """How the visits of one task relate in time."""

    AS_THEY_COME = 0
    TOGETHER = 1
    IN_ORDER = 2


@dataclass(frozen=True, slots=True)
class Weights:
    """What one unit of each named term costs; the order of size is the hierarchy of the aims."""

    unserved: int = 2_000_000
    completion: int = 1
    lateness: int = 3
    coverage: int = 1_800
    changes: int = 1_200
    authority: int = 1
    fatigue: int = 1
    fairness: int = 60
    distance: int = 1
    downwind: int = 3_600


@dataclass(frozen=True, slots=True)
class Lock:
    """A visit already ordered: this team, in this place of its route, not before this second."""

    team: int
    visit: int
    start_s: int


@dataclass(frozen=True, slots=True)
class Pin:
    """A visit that a person gave to a team, whatever its skills and crew; no solver undoes it."""

    team: int
    visit: int


@dataclass(frozen=True, eq=False)
class Problem:
    """Shapes: M teams, V visits, T tasks, P travel profiles, L locations.

    `crew[m]` is the head count, `available_s[m]` when a team may set out (`NEVER_S` = not at
    all), `duty_end_s[m]` when its last visit must be finished. `travel_s[p, a, b]` is `NEVER_S`
    where no road leads. `golden_s` is when lateness begins. `assign_cost[m, v]` is what choosing
    that team costs beyond time, `tired_s[m]` the delay that its weariness counts as (empty: nobody
    is tired). `downwind[p, a, b]` is 1 where the way from a to b ends through a plume (None: there
    is none). `previous_team[v]` is the team of the plan before, or -1. A team with
    `coverage_group[m]` >= 0 counts for that group, which wants `coverage_floor[g]` of its
    teams left at home.
    """

    team_ids: tuple[str, ...]
    task_ids: tuple[str, ...]
    crew: Ints
    has_skill: Bools
    has_crew: Bools
    service_s: Ints
    travel_s: Ints
    metres: Ints
    profile: Ints
    start: Ints
    where: Ints
    available_s: Ints
    duty_end_s: Ints
    task_of: Ints
    severity: Ints
    release_s: Ints
    golden_s: Ints
    meeting: Ints
    predecessors: tuple[tuple[int, ...], ...]
    assign_cost: Ints
    previous_team: Ints
    coverage_group: Ints
    coverage_floor: Ints
    locks: tuple[Lock, ...] = ()
    pins: tuple[Pin, ...] = ()
    tired_s: tuple[int, ...] = ()
    downwind: Ints | None = None
    weights: Weights = field(default_factory=Weights)

    @property
    def teams(self) -> int:
        return len(self.team_ids)

    @property
    def tasks(self) -> int:
        return len(self.task_ids)

    @property
    def visits(self) -> int:
        return len(self.task_of)

    @property
    def able(self) -> Bools:
        """Which team may make which visit: by skill and crew, or because a person said so."""
        able = self.has_skill & self.has_crew
        for pin in self.pins:
            able[:, pin.visit] = False
            able[pin.team, pin.visit] = True
        return able

    @cached_property
    def give_cost(self) -> Ints:
        """What giving a visit to a team costs beyond time: asking it, and its weariness, (M, V)."""
        cost: Ints = self.weights.authority * self.assign_cost
        if self.tired_s:
            tired = np.array(self.tired_s, dtype=np.int64)
            cost = cost + self.weights.fatigue * np.outer(tired, self.severity[self.task_of])
        return cost

    @property
    def is_separable(self) -> bool:
        """Whether each task has one visit and none waits for another task."""
        return self.visits == self.tasks and not any(self.predecessors)

    @cached_property
    def facts(self) -> Facts:
        """The same as plain lists: reading one number of an array costs ten times as much."""
        return Facts(self)

    def visits_of(self, task: int) -> tuple[int, ...]:
        """The visits of one task, in their order."""
        return self.facts.visits[task]

    def with_changes(self, **fields: object) -> Problem:
        """This problem with some fields replaced (used to relax one constraint)."""
        return replace(self, **fields)  # type: ignore[arg-type]


class Facts:
    """A problem's rows as Python lists, for code that walks plans step by step."""

    def __init__(self, problem: Problem) -> None:
        self.task_of: list[int] = problem.task_of.tolist()
        self.where: list[int] = problem.where.tolist()
        self.start: list[int] = problem.start.tolist()
        self.profile: list[int] = problem.profile.tolist()
        self.available_s: list[int] = problem.available_s.tolist()
        self.duty_end_s: list[int] = problem.duty_end_s.tolist()
        self.severity: list[int] = problem.severity.tolist()
        self.release_s: list[int] = problem.release_s.tolist()
        self.golden_s: list[int] = problem.golden_s.tolist()
        self.meeting: list[int] = problem.meeting.tolist()
        self.previous_team: list[int] = problem.previous_team.tolist()
        self.coverage_group: list[int] = problem.coverage_group.tolist()
        self.coverage_floor: list[int] = problem.coverage_floor.tolist()
        members: list[list[int]] = [[] for _ in range(problem.tasks)]
        for visit, task in enumerate(self.task_of):
            members[task].append(visit)
        self.visits: list[tuple[int, ...]] = [tuple(visits) for visits in members]
        self.lock_start = {lock.visit: lock.start_s for lock in problem.locks}
        self.pinned = {pin.visit: pin.team for pin in problem.pins}
        self.held: list[list[int]] = [[] for _ in range(problem.teams)]
        for lock in sorted(problem.locks, key=lambda k: k.start_s):
            self.held[lock.team].append(lock.visit)


@dataclass(frozen=True, slots=True)
class Plan:
    """For each team its visits in order. A visit in no route is not made."""

    routes: tuple[tuple[int, ...], ...]

    @staticmethod
    def empty(problem: Problem) -> Plan:
        """Nothing but the locked visits."""
        routes: list[list[int]] = [[] for _ in range(problem.teams)]
        for lock in sorted(problem.locks, key=lambda k: k.start_s):
            routes[lock.team].append(lock.visit)
        return Plan(tuple(tuple(route) for route in routes))

    def team_of(self, visits: int) -> list[int]:
        """The team of each of `visits` visits, -1 where it is not made."""
        teams = [-1] * visits
        for team, route in enumerate(self.routes):
            for visit in route:
                teams[visit] = team
        return teams

    def inserted(self, team: int, position: int, visit: int) -> Plan:
        route = self.routes[team]
        return self._with(team, (*route[:position], visit, *route[position:]))

    def without(self, visit: int) -> Plan:
        return Plan(tuple(tuple(v for v in route if v != visit) for route in self.routes))

    def _with(self, team: int, route: tuple[int, ...]) -> Plan:
        return Plan((*self.routes[:team], route, *self.routes[team + 1 :]))
