"""Proposals: who goes, when they arrive, and why - checked against the roads and the rules."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from resource_dispatch import (
    DepotStock,
    Desk,
    DispatchChoice,
    DispatchDepot,
    DispatchLock,
    LocalDispatchError,
    MaterialNeed,
    MaxSeconds,
    Meeting,
    Need,
    Proposal,
    RemoteDispatchError,
    RoadConditions,
    both_ways,
    propose,
    recommend,
)

from .province import NOW, places, roads, task, team

SEARCH = Need(frozenset({"search"}), 5, 3600)


def _propose(tasks: list, teams: list, **more: object) -> Proposal:  # type: ignore[type-arg]
    depots = more.pop("depots", [])
    network = more.pop("network", roads())
    return propose(tasks, teams, depots, network, NOW, stop=MaxSeconds(0.3), **more)  # type: ignore[arg-type]


def test_nearest_able_team_goes_and_arrives_when_the_roads_say() -> None:
    """The line's times are the road network's own, and the runner-up is the next one."""
    teams = [team("near", 3, "search"), team("far", 30, "search"), team("wrong", 4, "wash")]
    proposal = _propose([task("K", 3, SEARCH)], teams)
    (line,) = proposal.lines
    assert line.team_id == "near"
    assert line.reason.code == "arrives_first"
    network = roads()
    job, home = task("K", 3), teams[0]
    way = network.route(
        network.spot(home.longitude, home.latitude), network.spot(job.longitude, job.latitude)
    )
    assert way is not None
    assert line.arrive_at - NOW == timedelta(seconds=way.travel_s)
    assert line.route[0] == (home.longitude, home.latitude)
    assert line.route[-1] == (job.longitude, job.latitude)
    assert line.finish_at - line.start_at == timedelta(hours=1)
    assert line.runner_up is not None
    assert line.runner_up.team_id == "far"
    assert line.runner_up.cost_more > 0
    assert proposal.unassigned == ()


def test_two_teams_are_two_different_teams() -> None:
    """A task that wants two teams is not served twice by one."""
    teams = [team(f"T{k}", k, "search") for k in range(4)]
    proposal = _propose([task("K", 1, SEARCH, SEARCH, meeting=Meeting.TOGETHER)], teams)
    assert len({line.team_id for line in proposal.lines}) == 2
    assert len({line.start_at for line in proposal.lines}) == 1


def test_successor_starts_after_its_predecessor() -> None:
    """Precedence holds between teams, not only along one team's route."""
    teams = [team(f"T{k}", k, "search") for k in range(6)]
    jobs = [task("A", 20, SEARCH), task("B", 21, SEARCH, severity=5, predecessors=("A",))]
    lines = {line.task_id: line for line in _propose(jobs, teams).lines}
    assert lines["B"].start_at >= lines["A"].finish_at


def test_locked_order_stays() -> None:
    """An order already given is not taken back, even when another team is nearer."""
    teams = [team("near", 3, "search"), team("far", 30, "search")]
    locks = [DispatchLock("far", "K")]
    (line,) = _propose([task("K", 3, SEARCH)], teams, locks=locks).lines
    assert (line.team_id, line.is_locked, line.reason.code) == ("far", True, "locked")


REFUSALS = [
    ("no_team_at_all", [], {}),
    ("skill", [team("T", 3, "wash")], {}),
    ("crew", [team("T", 3, "search", crew=2)], {}),
    ("available", [team("T", 3, "search", is_available=False)], {}),
    ("duty_end", [team("T", 3, "search", duty_end=NOW + timedelta(minutes=30))], {}),
    ("several", [team("T", 3, "wash", crew=2)], {}),
    ("precedence", [team("T", 3, "search")], {"predecessors": ("X",)}),
    ("teams_together", [team("T", 3, "search")], {"meeting": Meeting.TOGETHER, "twice": True}),
]


@pytest.mark.parametrize(("code", "teams", "more"), REFUSALS, ids=[r[0] for r in REFUSALS])
def test_unassigned_task_says_which_limit_binds(code: str, teams: list, more: dict) -> None:  # type: ignore[type-arg]
    """The reason is the constraint whose absence would let the task be served."""
    more = dict(more)
    needs = (SEARCH, SEARCH) if more.pop("twice", False) else (SEARCH,)
    jobs = [task("K", 3, *needs, **more)]
    if "predecessors" in more:
        jobs.append(task("X", 3, Need(frozenset({"dive"}))))
    proposal = _propose(jobs, teams)
    reasons = {u.task_id: u.reason for u in proposal.unassigned}
    assert reasons["K"].code == code
    for language in ("zh-CN", "en"):
        text = reasons["K"].text(language)
        assert text != code
        assert "{" not in text
        assert "?" not in text


def test_closed_roads_are_named_as_the_reason() -> None:
    """When only closures keep every team away, the reason is the roads."""
    network = roads()
    job = task("K", 3, SEARCH)
    node = network.spot(job.longitude, job.latitude).node
    around = both_ways(network.graph, network.graph.out_edges(node))
    shut = network.under(RoadConditions(around))
    home = team("T", 30, "search")
    (refused,) = _propose([job], [home], network=shut).unassigned
    assert refused.reason.code == "roads"
    assert refused.reason.fields["other_team"] == "T"


def test_materials_come_from_the_soonest_depots_and_shortage_is_told() -> None:
    """Stock is never promised twice; what is missing is said with its amount."""
    near, far = places()[3], places()[30]
    depots = [
        DispatchDepot("far", "far", far.longitude, far.latitude, {"lime": DepotStock(40, "t")}),
        DispatchDepot("near", "near", near.longitude, near.latitude, {"lime": DepotStock(15, "t")}),
    ]
    jobs = [
        task("K", 3, SEARCH, severity=5, materials=(MaterialNeed("lime", 20, "t"),)),
        task("L", 4, SEARCH, severity=2, materials=(MaterialNeed("lime", 50, "t"),)),
    ]
    proposal = _propose(jobs, [team("T", 3, "search")], depots=depots)
    sent = [(m.task_id, m.depot_id, m.quantity) for m in proposal.materials]
    assert sent == [("K", "near", 15), ("K", "far", 5), ("L", "far", 35)]
    (short,) = [u for u in proposal.unassigned if u.reason.code == "stock_short"]
    assert short.reason.fields == {"item": "lime", "missing": 15, "unit": "t"}


def test_wrong_input_names_the_item() -> None:
    """Bad data is refused with a stable code and the name of what is wrong."""
    with pytest.raises(RemoteDispatchError) as caught:
        _propose([task("K", 3, severity=9)], [])
    assert (caught.value.code, caught.value.fields["task"]) == ("task_severity_not_1_to_5", "K")
    with pytest.raises(RemoteDispatchError, match="team_twice"):
        _propose([task("K", 3)], [team("T", 1, "a"), team("T", 2, "a")])
    with pytest.raises(RemoteDispatchError, match="predecessors_in_a_circle"):
        _propose([task("A", 1, predecessors=("B",)), task("B", 1, predecessors=("A",))], [])
    with pytest.raises(LocalDispatchError, match="now_without_zone"):
        propose([], [], [], roads(), NOW.replace(tzinfo=None))


def test_front_door_loads_no_compiler() -> None:
    """Processes that only read the tables must not pay for numba or CP-SAT."""
    script = "import sys, resource_dispatch; print({'numba', 'ortools'} & set(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "set()"


def test_recommended_teams_are_ranked_and_the_others_say_why_not() -> None:
    """For one task now: the cheapest for the whole plan first, then who lacks what."""
    tasks = [task("K1", 3), task("K2", 4)]
    teams = [team("near", 3, "search"), team("far", 40, "search"), team("deaf", 3, "wash")]
    desk = Desk(tasks, teams, [], roads(), NOW)
    rows = recommend(desk, "K1")
    assert [row.team_id for row in rows] == ["near", "far", "deaf"]
    assert rows[0].cost_more == 0 < rows[1].cost_more
    assert rows[0].arrive_at is not None
    assert rows[1].arrive_at is not None
    assert rows[0].arrive_at < rows[1].arrive_at
    assert rows[2].limits == ("skill",)
    busy = recommend(desk, "K1", [DispatchChoice("near", "K2")])
    assert next(row for row in busy if row.team_id == "near").used_for == "text of K2"
    assert recommend(desk, "unknown") == ()
