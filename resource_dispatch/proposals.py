"""`propose`: from tasks, teams, depots and roads to a plan with arrival times and reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np

from .asking import NOBODY_S, REQUEST, asking_costs, next_team
from .errors import LocalDispatchError
from .fatigue import tired_s
from .materials import plan_materials
from .optimiser.evaluate import Evaluation, coverage_gap, evaluate
from .optimiser.explain import Choice, Refusal, explain_choices, explain_refusals
from .optimiser.model import LockSpec, Model, TaskSpec, TeamSpec
from .optimiser.problem import NEVER_S, Ints, Plan, Problem, Weights
from .optimiser.result import Result
from .optimiser.solve import completed, solve
from .optimiser.stop import MaxSeconds, Stop
from .phrases import Reason
from .requests import (
    Change,
    Cover,
    DispatchChoice,
    DispatchDepot,
    DispatchLock,
    DispatchTask,
    DispatchTeam,
    Fallback,
    PlanFigures,
    Plume,
    Proposal,
    ProposalLine,
    RunnerUp,
    Unassigned,
)
from .roads import PROFILES, UNREACHABLE_S, RoadNetwork, arcs_downwind

PROFILE_NAMES = tuple(PROFILES)
DETOUR_S = 1_800  # a way around a plume may take so much longer
STAY_AT_HOME_SHARE = 3
Solver = Callable[[Problem, Stop | None, int], Result]


def propose(
    tasks: Sequence[DispatchTask],
    teams: Sequence[DispatchTeam],
    depots: Sequence[DispatchDepot],
    roads: RoadNetwork,
    now: datetime,
    *,
    stop: Stop | None = None,
    seed: int = 0,
    locks: Sequence[DispatchLock] = (),
    weights: Weights | None = None,
) -> Proposal:
    """The best plan found before `stop` (default one second), in this process.

    `now` must be timezone-aware; all times of the answer are in its zone. Tasks without needs take
    part only with their materials. Raises RemoteDispatchError when the input breaks a rule.
    """
    desk = Desk(tasks, teams, depots, roads, now, locks=locks, weights=weights)
    return desk.proposal(solve(desk.problem, stop or MaxSeconds(1.0), seed))


class Desk:
    """One dispatch question made ready: `problem` goes to a solver, `proposal` words its result."""

    def __init__(
        self,
        tasks: Sequence[DispatchTask],
        teams: Sequence[DispatchTeam],
        depots: Sequence[DispatchDepot],
        roads: RoadNetwork,
        now: datetime,
        *,
        locks: Sequence[DispatchLock] = (),
        overrides: Sequence[DispatchChoice] = (),
        weights: Weights | None = None,
    ) -> None:
        if now.tzinfo is None:
            raise LocalDispatchError("now_without_zone")
        self.tasks = list(tasks)
        self.served = [task for task in tasks if task.needs]
        self.teams = list(teams)
        self.depots = list(depots)
        self.roads = roads
        self.now = now
        self.locks = list(locks)
        self.overrides = list(overrides)
        self._task_spots = [roads.spot(t.longitude, t.latitude) for t in self.served]
        self._team_spots = [roads.spot(t.longitude, t.latitude) for t in self.teams]
        self._around = self._ways_around()
        self.problem = self._problem(weights)

    def _problem(self, weights: Weights | None) -> Problem:
        seconds, metres = self._tables(self.roads)
        downwind = self._avoid_plumes(seconds, metres)
        model = Model(seconds, metres, weights, downwind)
        for number, team in enumerate(self.teams):
            model.add_team(self._team_spec(len(self.served) + number, team))
        for number, task in enumerate(self.served):
            model.add_task(self._task_spec(number, task))
        for lock in self.locks:
            start = 0 if lock.start_at is None else max(0, self._second(lock.start_at))
            model.lock(LockSpec(lock.team_id, lock.task_id, lock.need, start))
        for pin in self.overrides:
            model.pin(pin.task_id, pin.need, pin.team_id)
        self._floors = self._coverage_floors()
        model.want_coverage(self._floors)
        problem = model.problem()
        return problem.with_changes(assign_cost=asking_costs(problem, self.teams))

    def _tables(self, roads: RoadNetwork) -> tuple[Ints, Ints]:
        """Travel from anywhere to the tasks; nobody travels to a team's home in a plan."""
        spots = self._task_spots + self._team_spots
        size, targets = len(spots), len(self._task_spots)
        seconds = np.full((len(PROFILE_NAMES), size, size), NEVER_S, dtype=np.int64)
        metres = np.zeros((len(PROFILE_NAMES), size, size), dtype=np.int64)
        used = {team.speed_class for team in self.teams}
        for p, name in enumerate(PROFILE_NAMES):
            if name in used and targets:
                way, length = roads.tables(spots, self._task_spots, name)
                seconds[p, :, :targets] = np.where(way >= UNREACHABLE_S, NEVER_S, way)
                metres[p, :, :targets] = length
        return seconds, metres

    def _ways_around(self) -> dict[int, RoadNetwork]:
        """For each task with a plume the roads without those that the plume lies on."""
        made: dict[tuple[float, float, Plume], RoadNetwork] = {}
        found = {}
        for number, task in enumerate(self.served):
            if task.plume is None:
                continue
            key = (task.longitude, task.latitude, task.plume)
            if key not in made:
                arcs = arcs_downwind(
                    self.roads.graph, *key[:2], task.plume.wind_from_deg, task.plume.radius_m
                )
                made[key] = self.roads.under(self.roads.conditions.closing(arcs))
            found[number] = made[key]
        return found

    def _avoid_plumes(self, seconds: Ints, metres: Ints) -> Ints | None:
        """Put the ways around plumes in the tables; 1 where there is none within reason."""
        if not self._around:
            return None
        spots = self._task_spots + self._team_spots
        downwind = np.zeros_like(seconds)
        for p, name in enumerate(PROFILE_NAMES):
            if name not in {team.speed_class for team in self.teams}:
                continue
            for number, network in self._around.items():
                way, length = network.tables(spots, [self._task_spots[number]], name)
                direct = seconds[p, :, number]
                is_open = direct < NEVER_S
                around = is_open & (way[:, 0] < UNREACHABLE_S) & (way[:, 0] <= direct + DETOUR_S)
                seconds[p, around, number] = way[around, 0]
                metres[p, around, number] = length[around, 0]
                downwind[p, is_open & ~around, number] = 1
        return downwind

    def _team_spec(self, location: int, team: DispatchTeam) -> TeamSpec:
        if team.speed_class not in PROFILE_NAMES:
            raise LocalDispatchError("speed_class_unknown", team=team.id)
        frees = (team.available_at, team.rest_until)
        free = max((max(0, self._second(at)) for at in frees if at is not None), default=0)
        end = None if team.duty_end is None else self._second(team.duty_end)
        return TeamSpec(
            team.id,
            location,
            frozenset(team.skills),
            team.crew,
            PROFILE_NAMES.index(team.speed_class),
            free if team.is_available else None,
            end,
            coverage_group=self._group(team),
            tired_s=tired_s(team.worked_s),
        )

    def _task_spec(self, location: int, task: DispatchTask) -> TaskSpec:
        known = {t.id for t in self.served}
        release = 0 if task.release_at is None else max(0, self._second(task.release_at))
        golden = None if task.golden_at is None else self._second(task.golden_at)
        return TaskSpec(
            task.id,
            location,
            task.needs,
            task.severity,
            release,
            golden,
            task.meeting,
            tuple(p for p in task.predecessors if p in known),
        )

    def _group(self, team: DispatchTeam) -> str | None:
        return team.region_code[:4] or None

    def _coverage_floors(self) -> dict[str, int]:
        """A third of each city's available teams (rounded down) should stay at home."""
        count: dict[str, int] = {}
        for team in self.teams:
            group = self._group(team)
            if group is not None and team.is_available:
                count[group] = count.get(group, 0) + 1
        return {group: n // STAY_AT_HOME_SHARE for group, n in count.items()}

    def _second(self, at: datetime) -> int:
        return round((at - self.now).total_seconds())

    def time(self, second: int) -> datetime:
        """The moment that the optimiser calls `second`."""
        return self.now + timedelta(seconds=second)

    def proposal(self, result: Result, note: Reason | None = None) -> Proposal:
        """The result in words, times and routes, with materials beside it."""
        problem = self.problem
        plan = completed(problem, result.plan)
        judged = evaluate(problem, plan)
        lines = [
            self._line(choice, plan, judged) for choice in explain_choices(problem, plan, judged)
        ]
        lines.sort(key=lambda line: (line.arrive_at, line.task_id, line.need))
        refusals = explain_refusals(problem, plan, self._open_roads())
        unassigned = [self._unassigned(refusal) for refusal in refusals]
        materials, short = plan_materials(self.tasks, self.depots, self.roads, self.now)
        return Proposal(
            result.solver,
            tuple(lines),
            tuple(materials),
            tuple(unassigned + short),
            judged.objective,
            dict(judged.terms),
            result.gap,
            result.first_plan_s,
            result.runtime_s,
            note,
            self._cover(plan),
            self.figures(plan, judged),
        )

    def plan_of(self, choices: Sequence[DispatchChoice]) -> Plan:
        """The routes that these lines make, as far as their teams and tasks are still there."""
        team_number = {team.id: m for m, team in enumerate(self.teams)}
        task_number = {task.id: t for t, task in enumerate(self.served)}
        routes: list[list[int]] = [[] for _ in self.teams]
        for choice in sorted(choices, key=lambda c: c.start_at or self.now):
            m, t = team_number.get(choice.team_id), task_number.get(choice.task_id)
            visits = () if t is None else self.problem.visits_of(t)
            if m is not None and choice.need < len(visits):
                routes[m].append(visits[choice.need])
        return Plan(tuple(tuple(route) for route in routes))

    def changes(self, before: Plan, after: Plan) -> tuple[Change, ...]:
        """Visits that the plan before gave to another team than the plan after."""
        found = []
        pairs = zip(
            before.team_of(self.problem.visits), after.team_of(self.problem.visits), strict=True
        )
        for visit, (old, new) in enumerate(pairs):
            if old >= 0 and old != new:
                task = self.served[int(self.problem.task_of[visit])]
                name = self.teams[new].name if new >= 0 else None
                need = self._need_number(visit)
                found.append(Change(task.id, task.text, need, self.teams[old].name, name))
        return tuple(found)

    def _cover(self, plan: Plan) -> tuple[Cover, ...]:
        left = dict.fromkeys(self._floors, 0)
        for team, route in zip(self.teams, plan.routes, strict=True):
            group = self._group(team)
            if group is not None and team.is_available and not route:
                left[group] += 1
        return tuple(Cover(g, wanted, left[g]) for g, wanted in sorted(self._floors.items()))

    def figures(self, plan: Plan, judged: Evaluation) -> PlanFigures:
        """What a plan comes to."""
        problem = self.problem
        made = [v for route in plan.routes for v in route]
        late = {
            int(problem.task_of[v])
            for v in made
            if judged.start_s[v] > problem.golden_s[problem.task_of[v]]
        }
        arrive = [judged.arrive_s[v] for v in made]
        return PlanFigures(
            served=len(made),
            unserved=problem.visits - len(made),
            late=len(late),
            mean_arrive_s=round(sum(arrive) / len(arrive)) if arrive else 0,
            last_arrive_s=max(arrive, default=0),
            distance_km=judged.terms["distance"] // max(1, problem.weights.distance),
            cover_missing=coverage_gap(problem, plan),
        )

    def _open_roads(self) -> Ints | None:
        """Travel with nothing closed and no weight limit, for the reason `roads`."""
        if (self.problem.travel_s[:, :, : len(self.served)] < NEVER_S).all():
            return None
        return self._tables(self.roads.wide_open())[0]

    def _need_number(self, visit: int) -> int:
        task = int(self.problem.task_of[visit])
        return self.problem.visits_of(task).index(visit)

    def _line(self, choice: Choice, plan: Plan, judged: Evaluation) -> ProposalLine:
        visit, m = choice.visit, choice.team
        task_number = int(self.problem.task_of[visit])
        task, team = self.served[task_number], self.teams[m]
        route_visits = plan.routes[m]
        position = route_visits.index(visit)
        origin = self._team_spots[m]
        if position:
            origin = self._task_spots[int(self.problem.task_of[route_visits[position - 1]])]
        here = self.problem.start[m]
        if position:
            here = self.problem.where[route_visits[position - 1]]
        is_downwind = self.problem.downwind is not None and bool(
            self.problem.downwind[self.problem.profile[m], here, task_number]
        )
        roads = self.roads if is_downwind else self._around.get(task_number, self.roads)
        way = roads.route(origin, self._task_spots[task_number], team.speed_class)
        runner_up = None
        if choice.runner_up >= 0:
            other = self.teams[choice.runner_up]
            runner_up = RunnerUp(
                other.id,
                other.name,
                self.time(choice.runner_up_arrive_s),
                choice.runner_up_cost,
            )
        need = self._need_number(visit)
        return ProposalLine(
            task_id=task.id,
            task_text=task.text,
            need=need,
            team_id=team.id,
            team_name=team.name,
            skills=tuple(sorted(team.skills)),
            crew=team.crew,
            authority=team.authority,
            depart_at=self.time(judged.depart_s[visit]),
            arrive_at=self.time(judged.arrive_s[visit]),
            start_at=self.time(judged.start_s[visit]),
            finish_at=self.time(judged.finish_s[visit]),
            travel_s=judged.arrive_s[visit] - judged.depart_s[visit],
            distance_m=0 if way is None else way.distance_m,
            route=() if way is None else way.points,
            reason=self._choice_reason(choice, plan, judged),
            runner_up=runner_up,
            is_locked=choice.code == "locked",
            is_override=choice.code in ("override", "override_unable"),
            is_downwind=is_downwind,
            fallback=self._fallback(choice, plan, judged),
        )

    def _fallback(self, choice: Choice, plan: Plan, judged: Evaluation) -> Fallback | None:
        """Who goes if the line's team is asked and declines."""
        team = self.teams[choice.team]
        if team.authority != REQUEST or choice.code == "locked":
            return None
        odds = Reason(
            "asked",
            "odds_known" if team.answers else "odds_assumed",
            {"accept_pct": team.accept_pct, "answers": team.answers},
        )
        after = {"answer_min": _minutes(team.answer_s)}
        found = next_team(self.problem, plan, judged, choice.visit, self.teams)
        refuses_pct = 100 - max(0, min(100, team.accept_pct))
        if found is None:
            severity = int(self.problem.severity[self.problem.task_of[choice.visit]])
            cost = severity * NOBODY_S
            reason = Reason("asked", "nobody_else", after)
            return Fallback(
                team.accept_pct, None, None, None, cost, cost * refuses_pct // 100, odds, reason
            )
        other = self.teams[found.team]
        expected = max(0, found.cost_more) * refuses_pct // 100
        fields: dict[str, str | int | tuple[str, ...]] = {
            **after,
            "other_team": other.name,
            "other_min": _minutes(found.arrive_s),
            "later_min": max(0, _minutes(found.arrive_s) - _minutes(judged.arrive_s[choice.visit])),
            "expected": expected,
        }
        reason = Reason("asked", "ask_next" if other.authority == REQUEST else "order_next", fields)
        return Fallback(
            team.accept_pct,
            other.id,
            other.name,
            self.time(found.arrive_s),
            found.cost_more,
            expected,
            odds,
            reason,
        )

    def _choice_reason(self, choice: Choice, plan: Plan, judged: Evaluation) -> Reason:
        need = self._need(choice.visit)
        fields: dict[str, str | int | tuple[str, ...]] = {
            "skills": tuple(sorted(need)),
            "arrive_min": _minutes(judged.arrive_s[choice.visit]),
        }
        if choice.other >= 0:
            fields["other_team"] = self.teams[choice.other].name
            fields["other_min"] = _minutes(choice.other_arrive_s)
            fields["other_hours"] = self.teams[choice.other].worked_s // 3_600
            if plan.routes[choice.other]:
                busy = int(self.problem.task_of[plan.routes[choice.other][0]])
                fields["other_task"] = self.served[busy].text
        if choice.runner_up >= 0:
            fields["cost_more"] = choice.runner_up_cost
            fields["cost_less"] = -choice.runner_up_cost
        return Reason("assigned", choice.code, fields)

    def _need(self, visit: int) -> frozenset[str]:
        task = self.served[int(self.problem.task_of[visit])]
        return task.needs[self._need_number(visit)].skills

    def _unassigned(self, refusal: Refusal) -> Unassigned:
        task = self.served[refusal.task]
        skills = sorted({skill for need in task.needs for skill in need.skills})
        fields: dict[str, str | int | tuple[str, ...]] = {
            "skills": tuple(skills),
            "min_crew": max(need.min_crew for need in task.needs),
            "count": refusal.count,
            "constraints": refusal.constraints,
        }
        code = refusal.code
        if refusal.other >= 0:
            team = self.teams[refusal.other]
            fields["other_team"] = team.name
            fields["other_min"] = _minutes(refusal.other_travel_s)
            fields["finish_time"] = self._clock(refusal.finish_s)
            if code == "duty_end" and team.duty_end is not None:
                fields["other_time"] = self._clock(self._second(team.duty_end))
            free = int(self.problem.available_s[refusal.other])
            if code == "available" and free < NEVER_S:
                rests = team.rest_until is not None and self._second(team.rest_until) == free
                code = "resting" if rests else "available_at"
                fields["other_time"] = self._clock(free)
        pinned = [pin for pin in self.overrides if pin.task_id == task.id]
        if pinned:
            names = {team.id: team.name for team in self.teams}
            fields["pinned_team"] = names[pinned[0].team_id]
        if refusal.other_task >= 0:
            fields["other_task"] = self.served[refusal.other_task].text
        return Unassigned(task.id, task.text, Reason("unassigned", code, fields))

    def _clock(self, second: int) -> str:
        return self.time(min(second, NEVER_S)).strftime("%H:%M")


def _minutes(seconds: int) -> int:
    return -(-seconds // 60)
