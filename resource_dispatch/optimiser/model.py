"""`Model`: states a dispatch problem in names and units, checks it, and makes the arrays.

model = Model(travel_s, metres)
model.add_team(TeamSpec("T01", location=0, skills=frozenset({"search"}), crew=12))
model.add_task(TaskSpec("K04", location=5, severity=4, needs=(Need(frozenset({"search"})),)))
result = solve(model.problem(), MaxSeconds(1.0), seed=0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import RemoteDispatchError
from .problem import NEVER_S, Ints, Lock, Meeting, Pin, Problem, Weights


@dataclass(frozen=True, slots=True)
class Need:
    """One visit that a task wants: a team with all these skills and at least this crew."""

    skills: frozenset[str]
    min_crew: int = 1
    duration_s: int = 3_600


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task. `severity` 1-5; `golden_s` None means that nothing is ever late."""

    id: str
    location: int
    needs: tuple[Need, ...]
    severity: int = 3
    release_s: int = 0
    golden_s: int | None = None
    meeting: Meeting = Meeting.AS_THEY_COME
    predecessors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TeamSpec:
    """One team. `available_s` None means not available; `cost_s` is what asking it costs,
    `tired_s` what its weariness does."""

    id: str
    location: int
    skills: frozenset[str]
    crew: int = 1
    profile: int = 0
    available_s: int | None = 0
    duty_end_s: int | None = None
    cost_s: int = 0
    coverage_group: str | None = None
    tired_s: int = 0


@dataclass(frozen=True, slots=True)
class LockSpec:
    """An order already given: the team makes the task's `need`-th visit, not before `start_s`."""

    team_id: str
    task_id: str
    need: int = 0
    start_s: int = 0


class Model:
    """Collects teams, tasks and locks over given travel tables, then makes the `Problem`."""

    def __init__(
        self,
        travel_s: Ints,
        metres: Ints,
        weights: Weights | None = None,
        downwind: Ints | None = None,
    ) -> None:
        """The tables have shape (profiles, locations, locations)."""
        if travel_s.ndim != 3 or travel_s.shape[1] != travel_s.shape[2]:
            raise RemoteDispatchError("travel_table_not_square", shape=list(travel_s.shape))
        if metres.shape != travel_s.shape:
            raise RemoteDispatchError("travel_tables_differ", shape=list(metres.shape))
        if (travel_s < 0).any() or (metres < 0).any():
            raise RemoteDispatchError("travel_negative")
        self._travel_s = np.minimum(travel_s, NEVER_S).astype(np.int64)
        self._metres = metres.astype(np.int64)
        self._downwind = downwind
        self._weights = weights or Weights()
        self._teams: dict[str, TeamSpec] = {}
        self._tasks: dict[str, TaskSpec] = {}
        self._locks: list[LockSpec] = []
        self._pins: dict[tuple[str, int], str] = {}
        self._previous: dict[tuple[str, int], str] = {}
        self._coverage: dict[str, int] = {}

    def add_team(self, team: TeamSpec) -> None:
        """Raises RemoteDispatchError naming the team and the field that is wrong."""
        self._check_unique(team.id, self._teams, "team")
        self._check_location(team.location, team=team.id)
        if not 0 <= team.profile < len(self._travel_s):
            raise RemoteDispatchError("team_profile_unknown", team=team.id, profile=team.profile)
        if team.crew < 1:
            raise RemoteDispatchError("team_crew_not_positive", team=team.id, crew=team.crew)
        if team.available_s is not None and team.available_s < 0:
            raise RemoteDispatchError("team_available_before_zero", team=team.id)
        if team.tired_s < 0:
            raise RemoteDispatchError("team_tired_negative", team=team.id)
        if team.cost_s < 0:
            raise RemoteDispatchError("team_cost_negative", team=team.id)
        self._teams[team.id] = team

    def add_task(self, task: TaskSpec) -> None:
        """Raises RemoteDispatchError naming the task and the field that is wrong."""
        self._check_unique(task.id, self._tasks, "task")
        self._check_location(task.location, task=task.id)
        if not 1 <= task.severity <= 5:
            raise RemoteDispatchError("task_severity_not_1_to_5", task=task.id)
        if not task.needs:
            raise RemoteDispatchError("task_without_needs", task=task.id)
        if task.release_s < 0:
            raise RemoteDispatchError("task_release_negative", task=task.id)
        for need in task.needs:
            if need.duration_s < 0 or need.min_crew < 1:
                raise RemoteDispatchError("task_need_out_of_range", task=task.id)
        self._tasks[task.id] = task

    def lock(self, order: LockSpec) -> None:
        """Keep an order already given as it is."""
        self._locks.append(order)

    def pin(self, task_id: str, need: int, team_id: str) -> None:
        """A person gives this visit to this team: kept by every solver, if it can be made."""
        self._pins[(task_id, need)] = team_id

    def remember(self, task_id: str, need: int, team_id: str) -> None:
        """The plan before gave this visit to this team; another team counts as a change."""
        self._previous[(task_id, need)] = team_id

    def want_coverage(self, floors: Mapping[str, int]) -> None:
        """How many available teams of each coverage group should stay at home."""
        self._coverage.update(floors)

    def problem(self) -> Problem:
        """The arrays. Raises RemoteDispatchError for unknown names, cycles or clashing locks."""
        teams, tasks = list(self._teams.values()), list(self._tasks.values())
        visits = [(t, n) for t, task in enumerate(tasks) for n in task.needs]
        task_number = {task.id: t for t, task in enumerate(tasks)}
        predecessors = tuple(self._predecessors(task, task_number) for task in tasks)
        _check_acyclic(predecessors, [task.id for task in tasks])
        groups = sorted(self._coverage)
        group_number = {name: g for g, name in enumerate(groups)}
        first = np.cumsum([0, *(len(task.needs) for task in tasks)])
        return Problem(
            team_ids=tuple(team.id for team in teams),
            task_ids=tuple(task.id for task in tasks),
            crew=_row(team.crew for team in teams),
            has_skill=_table(teams, visits, lambda m, n: n.skills <= m.skills).astype(np.bool_),
            has_crew=_table(teams, visits, lambda m, n: m.crew >= n.min_crew).astype(np.bool_),
            service_s=_table(teams, visits, lambda _, n: n.duration_s),
            travel_s=self._travel_s,
            metres=self._metres,
            profile=_row(team.profile for team in teams),
            start=_row(team.location for team in teams),
            where=_row(tasks[t].location for t, _ in visits),
            available_s=_row(_or_never(team.available_s) for team in teams),
            duty_end_s=_row(_or_never(team.duty_end_s) for team in teams),
            task_of=_row(t for t, _ in visits),
            severity=_row(task.severity for task in tasks),
            release_s=_row(task.release_s for task in tasks),
            golden_s=_row(_or_never(task.golden_s) for task in tasks),
            meeting=_row(int(task.meeting) for task in tasks),
            predecessors=predecessors,
            assign_cost=_table(teams, visits, lambda m, _: m.cost_s)
            * _row(tasks[t].severity for t, _ in visits),
            previous_team=self._previous_teams(tasks),
            coverage_group=_row(group_number.get(team.coverage_group or "", -1) for team in teams),
            coverage_floor=_row(self._coverage[g] for g in groups),
            locks=self._lock_rows(task_number, first),
            pins=self._pin_rows(task_number, first),
            tired_s=tuple(team.tired_s for team in teams),
            downwind=self._downwind,
            weights=self._weights,
        )

    def _check_unique(self, name: str, known: Mapping[str, object], kind: str) -> None:
        if name in known:
            raise RemoteDispatchError(f"{kind}_twice", **{kind: name})

    def _check_location(self, location: int, **fields: object) -> None:
        if not 0 <= location < self._travel_s.shape[1]:
            raise RemoteDispatchError("location_unknown", location=location, **fields)

    def _predecessors(self, task: TaskSpec, number: Mapping[str, int]) -> tuple[int, ...]:
        for name in task.predecessors:
            if name not in number:
                raise RemoteDispatchError("predecessor_unknown", task=task.id, predecessor=name)
        return tuple(sorted({number[name] for name in task.predecessors}))

    def _previous_teams(self, tasks: Sequence[TaskSpec]) -> Ints:
        names = list(self._teams)
        row = []
        for task in tasks:
            for n in range(len(task.needs)):
                team = self._previous.get((task.id, n))
                row.append(names.index(team) if team in self._teams else -1)
        return _row(row)

    def _pin_rows(self, number: Mapping[str, int], first: Ints) -> tuple[Pin, ...]:
        names = {name: m for m, name in enumerate(self._teams)}
        rows = []
        for (task, need), team in self._pins.items():
            if team not in names or task not in number:
                raise RemoteDispatchError("pin_unknown", team=team, task=task)
            if not 0 <= need < len(self._tasks[task].needs):
                raise RemoteDispatchError("pin_need_unknown", task=task)
            rows.append(Pin(names[team], int(first[number[task]]) + need))
        return tuple(rows)

    def _lock_rows(self, number: Mapping[str, int], first: Ints) -> tuple[Lock, ...]:
        names = {name: m for m, name in enumerate(self._teams)}
        rows: list[Lock] = []
        for order in self._locks:
            if order.team_id not in names or order.task_id not in number:
                raise RemoteDispatchError("lock_unknown", team=order.team_id, task=order.task_id)
            needs = self._tasks[order.task_id].needs
            if not 0 <= order.need < len(needs):
                raise RemoteDispatchError("lock_need_unknown", task=order.task_id)
            visit = int(first[number[order.task_id]]) + order.need
            if any(row.visit == visit for row in rows):
                raise RemoteDispatchError("lock_twice", task=order.task_id, need=order.need)
            rows.append(Lock(names[order.team_id], visit, order.start_s))
        return tuple(rows)


def _or_never(value: int | None) -> int:
    return NEVER_S if value is None else min(value, NEVER_S)


def _row(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _table(
    teams: Sequence[TeamSpec],
    visits: Sequence[tuple[int, Need]],
    cell: Callable[[TeamSpec, Need], int],
) -> Ints:
    """One cell per team and visit, shape (M, V)."""
    table = np.zeros((len(teams), len(visits)), dtype=np.int64)
    for m, team in enumerate(teams):
        for v, (_, need) in enumerate(visits):
            table[m, v] = cell(team, need)
    return table


def _check_acyclic(predecessors: Sequence[tuple[int, ...]], names: Sequence[str]) -> None:
    left = set(range(len(predecessors)))
    while left:
        ready = {t for t in left if not left.intersection(predecessors[t])}
        if not ready:
            raise RemoteDispatchError("predecessors_in_a_circle", tasks=[names[t] for t in left])
        left -= ready
