"""Loads from one depot by identical vehicles with capacity and windows: least distance (VRPTW)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, perf_counter

import numpy as np

from . import kernel_loads as kernel
from .problem import Ints

MEAN_STRING = 10
LONGEST_STRING = 10
SLICE_S = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Loads:
    """Place 0 is the depot; whole numbers, travel counts both as time and as distance."""

    travel: Ints
    service: Ints
    ready: Ints
    due: Ints
    demand: Ints
    capacity: int
    vehicles: int


@dataclass(frozen=True, slots=True)
class Tours:
    """Routes of customers, without the depot. `unserved` customers fitted nowhere."""

    routes: tuple[tuple[int, ...], ...]
    distance: int
    unserved: tuple[int, ...]
    rounds: int


def solve_loads(
    given: Loads,
    seconds: float,
    seed: int = 0,
    *,
    rounds: int | None = None,
    clock: Callable[[], float] = monotonic,
) -> Tours:
    """The best tours within `seconds` of `clock`, or after exactly `rounds` (seed decides)."""
    static = _static(given)
    state, best, kept = (_state(given, seed) for _ in range(3))
    customers = len(given.service) - 1
    state.removed[:] = np.argsort(-given.travel[0, 1:], kind="stable") + 1
    kernel.insert_all(static, state, customers)
    state.total[0] = kernel.distance(static, state)
    for other in (best, kept):
        for source, target in zip(state, other, strict=True):
            target[...] = source
    hot = 0.1 * float(state.total[0]) / max(1, customers)
    cold = hot / 200
    begun, done, size = clock(), 0, 50
    while True:
        share = 1.0
        if rounds is not None:
            share = done / rounds if rounds else 1.0
            size = min(50, rounds - done)
        elif seconds > 0:
            share = (clock() - begun) / seconds
        if share >= 1:
            return _tours(best, done)
        slice_begun = perf_counter()
        kernel.anneal(static, state, best, kept, size, hot * (cold / hot) ** share)
        done += size
        took = max(perf_counter() - slice_begun, 1e-6)
        size = max(10, min(20_000, int(size * min(3.0, SLICE_S / took))))


def _static(given: Loads) -> kernel.Static:
    far = given.travel[0]
    return kernel.Static(
        travel=given.travel,
        service=given.service,
        ready=given.ready,
        due=given.due,
        demand=given.demand,
        near=np.ascontiguousarray(_near(given)),
        urgency=np.stack((-given.demand, -far, far, given.due - given.ready)),
        numbers=np.array([given.capacity, MEAN_STRING, LONGEST_STRING], dtype=np.int64),
    )


def _near(given: Loads) -> Ints:
    """For each customer all customers by distance, itself first; the depot is left out."""
    far = given.travel.astype(np.float64)
    far[:, 0] = np.inf
    np.fill_diagonal(far, -1.0)
    far[0, 0] = np.inf
    order: Ints = np.argsort(far, axis=1, kind="stable")[:, : len(far) - 1]
    return order


def _state(given: Loads, seed: int) -> kernel.State:
    size = len(given.service)
    wide = (given.vehicles, size + 1)
    return kernel.State(
        route=np.zeros(wide, dtype=np.int64),
        length=np.zeros(given.vehicles, dtype=np.int64),
        load=np.zeros(given.vehicles, dtype=np.int64),
        early=np.zeros(wide, dtype=np.int64),
        late=np.zeros(wide, dtype=np.int64),
        vehicle_of=np.full(size, -1, dtype=np.int64),
        total=np.zeros(1, dtype=np.int64),
        random=np.array([(seed * 7919 + 104729) % 2147483646 + 1], dtype=np.int64),
        removed=np.zeros(size - 1, dtype=np.int64),
        touched=np.zeros(given.vehicles, dtype=np.int64),
    )


def _tours(state: kernel.State, rounds: int) -> Tours:
    routes = tuple(
        tuple(int(c) for c in state.route[m, : state.length[m]])
        for m in range(len(state.length))
        if state.length[m]
    )
    unserved = tuple(int(c) for c in np.flatnonzero(state.vehicle_of < 0) if c > 0)
    distance = int(state.total[0]) - 100_000_000 * len(unserved)
    return Tours(routes, distance, unserved, rounds)
