"""Loads with windows: tours obey the instance, the distance is counted right, the twin agrees."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import solomon
from resource_dispatch.optimiser import kernel_loads as kernel
from resource_dispatch.optimiser.loads import Loads, solve_loads


def instance(seed: int, customers: int = 14, vehicles: int = 6) -> Loads:
    chance = np.random.default_rng(seed)
    points = chance.integers(0, 100, (customers + 1, 2))
    span = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    ready = chance.integers(0, 300, customers + 1)
    ready[0] = 0
    due = ready + 150
    due[0] = 2_000
    demand = chance.integers(1, 10, customers + 1)
    demand[0] = 0
    service = np.full(customers + 1, 10)
    service[0] = 0
    return Loads(np.rint(span).astype(np.int64), service, ready, due, demand, 40, vehicles)


@pytest.mark.parametrize("seed", range(5))
def test_tours_obey_the_instance_and_are_as_long_as_they_say(seed: int) -> None:
    """Windows, loads and vehicles hold, judged by a checker that shares no code."""
    given = instance(seed)
    made = solve_loads(given, 1.0, seed, rounds=500)
    assert made.unserved == ()
    assert solomon.check(given, made.routes) * solomon.UNIT == pytest.approx(made.distance)
    assert made.distance <= solve_loads(given, 1.0, seed, rounds=0).distance


def test_customer_that_fits_nowhere_is_named() -> None:
    """A load above any vehicle's capacity is left out and said so."""
    given = instance(1)
    given.demand[3] = 99
    assert solve_loads(given, 1.0, 0, rounds=50).unserved == (3,)


def test_compiled_kernel_and_python_twin_agree() -> None:
    """The twin is the same code uncompiled, and must walk the same path."""
    given = instance(2, 9, 4)
    quick = solve_loads(given, 1.0, 3, rounds=60)
    names = ("refresh", "distance", "insert_all", "ruin", "sort_removed", "copy_route", "anneal")
    names += ("draw", "uniform")
    kept = {name: getattr(kernel, name) for name in names}
    try:
        for name in names:
            setattr(kernel, name, kept[name].py_func)
        slow = solve_loads(given, 1.0, 3, rounds=60)
    finally:
        for name in names:
            setattr(kernel, name, kept[name])
    assert quick == slow
