"""Slack induction by string removals for loads with windows (Christiaens & Vanden Berghe 2020).

Identical vehicles of one depot (place 0), capacity, hard windows, cost = distance. A place in a
route is judged in constant time from the earliest and latest starts kept beside it. Compiled by
numba, with itself as pure-Python twin.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..compiled import counted_out
from .kernel_routes import draw, uniform
from .problem import Ints


class Static(NamedTuple):
    """N customers, numbered from 1; `numbers` is [capacity, mean string, longest string]."""

    travel: Ints
    service: Ints
    ready: Ints
    due: Ints
    demand: Ints
    near: Ints
    urgency: Ints
    numbers: Ints


class State(NamedTuple):
    """Routes of M vehicles with load, earliest and latest start of each stop."""

    route: Ints
    length: Ints
    load: Ints
    early: Ints
    late: Ints
    vehicle_of: Ints
    total: Ints
    random: Ints
    removed: Ints
    touched: Ints


@counted_out
def refresh(s: Any, x: Any, m: int) -> None:
    """Load, earliest and latest starts of one route."""
    n = x.length[m]
    load = 0
    t = s.ready[0]
    at = 0
    for k in range(n):
        c = x.route[m, k]
        t = max(t + s.travel[at, c], s.ready[c])
        x.early[m, k] = t
        t += s.service[c]
        load += s.demand[c]
        at = c
    x.load[m] = load
    latest = s.due[0]
    after = 0
    for k in range(n - 1, -1, -1):
        c = x.route[m, k]
        latest = min(s.due[c], latest - s.travel[c, after] - s.service[c])
        x.late[m, k] = latest
        after = c


@counted_out
def distance(s: Any, x: Any) -> int:
    """Metres of all routes; a customer left out costs more than any detour."""
    total = 0
    for m in range(x.length.shape[0]):
        at = 0
        for k in range(x.length[m]):
            total += s.travel[at, x.route[m, k]]
            at = x.route[m, k]
        total += s.travel[at, 0]
    for c in range(1, x.vehicle_of.shape[0]):
        if x.vehicle_of[c] < 0:
            total += 100_000_000
    return total


@counted_out
def insert_all(s: Any, x: Any, count: int) -> None:
    """Each removed customer at its cheapest place, overlooking one in a hundred."""
    travel, route, length, early, late = s.travel, x.route, x.length, x.early, x.late
    removed = x.removed
    for j in range(count):
        c = removed[j]
        best = 2**60
        best_m = -1
        best_k = 0
        is_fresh = True
        for m in range(length.shape[0]):
            n = length[m]
            if x.load[m] + s.demand[c] > s.numbers[0] or (n == 0 and not is_fresh):
                continue
            if n == 0:
                is_fresh = False
            at = 0
            left = s.ready[0]
            for k in range(n + 1):
                after = 0 if k == n else route[m, k]
                more = travel[at, c] + travel[c, after] - travel[at, after]
                begin = max(left + travel[at, c], s.ready[c])
                if begin > s.due[c]:
                    break
                latest = s.due[0] if k == n else late[m, k]
                in_time = begin + s.service[c] + travel[c, after] <= latest
                if more < best and in_time and draw(x.random, 100) > 0:
                    best = more
                    best_m = m
                    best_k = k
                if k < n:
                    left = early[m, k] + s.service[after]
                    at = after
        if best_m < 0:
            continue
        for k in range(length[best_m], best_k, -1):
            route[best_m, k] = route[best_m, k - 1]
        route[best_m, best_k] = c
        length[best_m] += 1
        x.vehicle_of[c] = best_m
        x.touched[best_m] = 1
        refresh(s, x, best_m)


@counted_out
def ruin(s: Any, x: Any) -> int:
    """Strings from routes near a random customer; now and then a middle part is spared."""
    customers = x.vehicle_of.shape[0] - 1
    count = 0
    for c in range(1, customers + 1):
        if x.vehicle_of[c] < 0:
            x.removed[count] = c
            count += 1
    routes = 0
    for m in range(x.length.shape[0]):
        if x.length[m] > 0:
            routes += 1
    longest = min(s.numbers[2], max(1, customers // max(1, routes)))
    strings = 1 + draw(x.random, max(1, 4 * s.numbers[1] // (1 + longest)))
    seed = 1 + draw(x.random, customers)
    for j in range(s.near.shape[1]):
        if strings == 0:
            break
        c = s.near[seed, j]
        m = x.vehicle_of[c]
        if m < 0 or x.touched[m] == 1:
            continue
        n = x.length[m]
        size = 1 + draw(x.random, min(n, longest))
        spare = 0
        if size > 1 and size < n and draw(x.random, 2) == 0:
            spare = 1
            while size + spare < n and draw(x.random, 100) > 1 and spare < 4:
                spare += 1
        k = 0
        while x.route[m, k] != c:
            k += 1
        whole = size + spare
        low = max(0, k - whole + 1)
        high = min(k, n - whole)
        first = low + draw(x.random, high - low + 1)
        spared_from = first + draw(x.random, size + 1) if spare > 0 else n
        kept = first
        for i in range(first, n):
            u = x.route[m, i]
            is_out = i < first + whole and not (spared_from <= i < spared_from + spare)
            if is_out:
                x.removed[count] = u
                count += 1
                x.vehicle_of[u] = -1
            else:
                x.route[m, kept] = u
                kept += 1
        x.length[m] = kept
        x.touched[m] = 1
        refresh(s, x, m)
        strings -= 1
    return count


@counted_out
def sort_removed(s: Any, x: Any, count: int) -> None:
    """Random, or by demand, distance from the depot (both ways) or window."""
    for j in range(count - 1, 0, -1):
        k = draw(x.random, j + 1)
        x.removed[j], x.removed[k] = x.removed[k], x.removed[j]
    rule = draw(x.random, s.urgency.shape[0] + 2)
    if rule >= s.urgency.shape[0]:
        return
    for j in range(1, count):
        c = x.removed[j]
        k = j - 1
        while k >= 0 and s.urgency[rule, x.removed[k]] > s.urgency[rule, c]:
            x.removed[k + 1] = x.removed[k]
            k -= 1
        x.removed[k + 1] = c


@counted_out
def copy_route(source: Any, target: Any, m: int) -> None:
    n = source.length[m]
    target.length[m] = n
    target.load[m] = source.load[m]
    for k in range(n):
        target.route[m, k] = source.route[m, k]
        target.early[m, k] = source.early[m, k]
        target.late[m, k] = source.late[m, k]


@counted_out
def anneal(s: Any, x: Any, best: Any, kept: Any, rounds: int, heat: float) -> int:  # noqa: PLR0917
    """`rounds` at temperature `heat`; `kept` equals `x` on entry and on return."""
    accepted = 0
    for _ in range(rounds):
        for m in range(x.touched.shape[0]):
            x.touched[m] = 0
        count = ruin(s, x)
        sort_removed(s, x, count)
        insert_all(s, x, count)
        cost = distance(s, x)
        if cost < kept.total[0] - heat * math.log(uniform(x.random) + 1e-300):
            accepted += 1
            x.total[0] = cost
            kept.total[0] = cost
            for c in range(x.vehicle_of.shape[0]):
                kept.vehicle_of[c] = x.vehicle_of[c]
            for m in range(x.length.shape[0]):
                if x.touched[m] == 1:
                    copy_route(x, kept, m)
            if cost < best.total[0]:
                best.total[0] = cost
                for c in range(x.vehicle_of.shape[0]):
                    best.vehicle_of[c] = x.vehicle_of[c]
                for m in range(x.length.shape[0]):
                    copy_route(x, best, m)
        else:
            for c in range(x.vehicle_of.shape[0]):
                x.vehicle_of[c] = kept.vehicle_of[c]
            for m in range(x.length.shape[0]):
                if x.touched[m] == 1:
                    copy_route(kept, x, m)
    return accepted
