"""The optimiser on known instances, beside practice greedy, OR-Tools routing and cold CP-SAT.

By default our own RUASP generator and, where `$TEST_DATA` has them, published HHCRSP and Solomon
instances; with `--instances FOLDER` every `.npz` (RUASP), `.json` (HHCRSP) and `.txt` (Solomon).
Bounds are proven by column generation outside the time that solvers are given.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from resource_dispatch.optimiser import MaxSeconds, columns, separable, solve
from resource_dispatch.optimiser.columns import prove
from resource_dispatch.optimiser.loads import solve_loads
from resource_dispatch.optimiser.meetings import solve_in_processes, solve_meetings
from resource_dispatch.optimiser.solve import first_plan

from . import dispatch_rivals, hhcrsp, solomon
from .ruasp import Ruasp, generate, load, objective_of, practice_greedy

SIZES = ((40, 40), (40, 20), (100, 60), (300, 100))
BOUND_S = {(40, 40): 20.0, (40, 20): 20.0, (100, 60): 90.0}
SHORT_S = 1.0
LONG_S = 10.0
Clock = Callable[[], float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--instances", type=Path, help="folder of .npz files instead of our own")
    parser.add_argument("--seeds", type=int, default=3, help="instances per size")
    parser.add_argument("--parts", default="ruasp,hhcrsp,solomon", help="which families to run")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="give our searches their seconds as processor time (on a machine that is shared)",
    )
    parser.add_argument("--sizes", default="", help="such as 40x40,100x60 (tasks x teams)")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """All instances, one after another; every objective is counted again from the instance."""
    separable.warm_up()
    columns.warm_up()
    clock = time.process_time if arguments.cpu_time else time.monotonic
    long_s = float(arguments.seconds or LONG_S)
    short_s = min(SHORT_S, long_s)
    parts = set(arguments.parts.split(","))
    rows = []
    if "ruasp" in parts:
        rows = [_measure(instance, short_s, long_s, clock) for instance in _ruasp(arguments)]
    care = []
    if "hhcrsp" in parts:
        care = [_care(path, long_s, clock) for path in _files(arguments, "hhcrsp", "*.json")]
    loads = []
    if "solomon" in parts:
        loads = [_load(path, long_s, clock) for path in _files(arguments, "solomon", "*.txt")]
    return {
        "instances": rows + care + loads,
        "median_ratio_1s": _median(row["ratio_1s"] for row in rows),
        "median_ratio_10s": _median(row["ratio_10s"] for row in rows),
        "sizes": _by_size(rows),
        "hhcrsp_mean_ratio": _care_means(care),
        "solomon_worst_ratio": max((row["ratio"] or 0 for row in loads), default=None),
        "seconds": [short_s, long_s],
        "seconds_are": "processor time" if arguments.cpu_time else "wall-clock time",
        "notes": [
            "ratio_* is to the proven bound; ratio_1s and ratio_10s name the short and long time",
            "practice_greedy: whenever a team is idle, severest waiting task to the nearest able "
            "idle team; instances are paper-like, not the paper's",
            "hhcrsp: best of two processes, cost counted again from the JSON"
            if care
            else "hhcrsp: 0 cases (set TEST_DATA)",
        ],
    }


def _ruasp(arguments: argparse.Namespace) -> list[Ruasp]:
    if arguments.instances is not None:
        return [load(path) for path in sorted(arguments.instances.glob("*.npz"))]
    wanted = {tuple(map(int, s.split("x"))) for s in arguments.sizes.split(",") if s}
    return [
        generate(tasks, teams, seed)
        for tasks, teams in SIZES
        if not wanted or (tasks, teams) in wanted
        for seed in range(arguments.seeds)
    ]


def _files(arguments: argparse.Namespace, family: str, pattern: str) -> list[Path]:
    folder = arguments.instances
    if folder is None and os.environ.get("TEST_DATA"):
        folder = Path(os.environ["TEST_DATA"]) / family
    return sorted(folder.glob(pattern)) if folder is not None else []


def _load(path: Path, seconds: float, clock: Clock) -> dict[str, Any]:
    """One Solomon instance: ours and OR-Tools routing, each in one process."""
    given = solomon.load(path)
    begun = time.perf_counter()
    solve_loads(given, 0.0, 0, rounds=0)
    first_plan_s = time.perf_counter() - begun
    cost = solomon.check(given, solve_loads(given, seconds, 0, clock=clock).routes)
    best_known = solomon.best_known(path)
    row = {
        "name": path.stem,
        "size": f"solomon-{len(given.service) - 1}",
        "objective": cost,
        "bound": None,
        "best_known": best_known,
        "first_plan_s": round(first_plan_s, 4),
        "rivals": {"or_tools_routing": solomon.or_tools_routing(given, seconds)},
        "ratio": None if best_known is None else round(cost / best_known, 4),
    }
    print(row, file=sys.stderr)
    return row


def _care(path: Path, seconds: float, clock: Clock) -> dict[str, Any]:
    """One HHCRSP instance by two processes."""
    instance = hhcrsp.load(path)
    begun = time.perf_counter()
    solve_meetings(instance, 0.0, 0, rounds=0)
    first_plan_s = time.perf_counter() - begun
    made = solve_in_processes(instance, seconds, clock=clock)
    costs = [round(hhcrsp.check(path, timetable), 3) for timetable in made]
    table = path.parent / "mankowska_best.md"
    best_known = hhcrsp.best_known(path.parent).get(path.name) if table.exists() else None
    row = {
        "name": path.stem,
        "size": f"hhcrsp-{instance.jobs}",
        "objective": costs[0],
        "bound": None,
        "best_known": best_known,
        "first_plan_s": round(first_plan_s, 4),
        "processes": costs,
        "rivals": {},
        "ratio": None if best_known is None else round(costs[0] / best_known, 4),
    }
    print(row, file=sys.stderr)
    return row


def _care_means(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Mean ratio to the best known cost per size."""
    means = {}
    for size in dict.fromkeys(row["size"] for row in rows):
        known = [row["ratio"] for row in rows if row["size"] == size and row["ratio"]]
        if known:
            means[size] = round(statistics.mean(known), 4)
    return means


def _measure(instance: Ruasp, short_s: float, long_s: float, clock: Clock) -> dict[str, Any]:
    problem = instance.problem()
    begun = time.perf_counter()
    first_plan(problem)
    first_plan_s = time.perf_counter() - begun
    short = solve(problem, MaxSeconds(short_s, clock), seed=0)
    best = solve(problem, MaxSeconds(long_s, clock), seed=0)
    objective_short = objective_of(instance, short.plan.routes)
    objective = objective_of(instance, best.plan.routes)
    rivals = {
        "practice_greedy": practice_greedy(instance),
        "or_tools_routing_short": dispatch_rivals.or_tools_routing(instance, short_s),
        "or_tools_routing": dispatch_rivals.or_tools_routing(instance, long_s),
        "cp_sat_cold": dispatch_rivals.cp_sat_cold(instance, long_s),
    }
    seconds = BOUND_S.get(instance.size, 60.0 if instance.size[0] <= 120 else 0.0)
    bound = None
    if seconds:
        proof = prove(problem, best.plan, seconds, workers=2)
        bound = max((b for b in (proof.bound, best.bound) if b is not None), default=None)
    row: dict[str, Any] = {
        "name": instance.name,
        "size": "{}x{}".format(*instance.size),
        "objective": objective,
        "objective_1s": objective_short,
        "bound": bound,
        "best_known": None,
        "first_plan_s": round(first_plan_s, 4),
        "runtime_s": round(best.runtime_s, 2),
        "rivals": rivals,
        "ratio_1s": _ratio(objective_short, bound),
        "ratio_10s": _ratio(objective, bound),
        "ratio_to_practice": _ratio(objective, rivals["practice_greedy"]),
    }
    print(row, file=sys.stderr)
    return row


def _ratio(value: int, to: int | None) -> float | None:
    return None if not to else round(value / to, 5)


def _median(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 5) if known else None


def _by_size(rows: list[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Medians per size, and the slowest first plan."""
    table = {}
    for size in dict.fromkeys(row["size"] for row in rows):
        own = [row for row in rows if row["size"] == size]
        table[size] = {
            "median_ratio_1s": _median(row["ratio_1s"] for row in own),
            "median_ratio_10s": _median(row["ratio_10s"] for row in own),
            "median_ratio_to_practice": _median(row["ratio_to_practice"] for row in own),
            "median_or_tools_to_ours": _median(
                _ratio(row["rivals"]["or_tools_routing"] or 0, row["objective"]) or None
                for row in own
            ),
            "worst_first_plan_s": max(row["first_plan_s"] for row in own),
        }
    return table
