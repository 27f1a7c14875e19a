"""Ruin and recreate over independent routes, with annealing: the fast inner loop.

For problems whose tasks have one visit each and no predecessors, so that a route's cost depends on
that route alone (after Christiaens & Vanden Berghe, "Slack induction by string removals", 2020).
Plain loops over integer arrays; compiled by numba, and the same code is its own pure-Python twin.
Costs are thousandths of the objective's unit.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..compiled import counted_out
from .problem import Ints

IMPOSSIBLE = 2**60
FAR_S = 10**9


class Static(NamedTuple):
    """What does not change. M teams, V visits; costs in thousandths."""

    travel: Ints
    metres: Ints
    profile: Ints
    start: Ints
    where: Ints
    service: Ints
    available: Ints
    duty_end: Ints
    release: Ints
    golden: Ints
    finish_cost: Ints
    late_cost: Ints
    extra: Ints
    unserved: Ints
    able_teams: Ints
    able_count: Ints
    near: Ints
    urgency: Ints
    movable: Ints
    held: Ints
    group: Ints
    floor: Ints
    scalars: Ints


class State(NamedTuple):
    """One solution: routes with finish time and cost after each visit, and what is unserved."""

    route: Ints
    length: Ints
    finish: Ints
    cost: Ints
    team_of: Ints
    idle: Ints
    total: Ints
    random: Ints
    scratch_visits: Ints
    scratch_teams: Ints


@counted_out
def draw(random: Any, below: int) -> int:
    """A whole number 0 <= n < below (MINSTD, so that both twins draw alike)."""
    random[0] = random[0] * 48271 % 2147483647
    drawn: int = random[0] % below
    return drawn


@counted_out
def uniform(random: Any) -> float:
    random[0] = random[0] * 48271 % 2147483647
    share: float = random[0] / 2147483647.0
    return share


@counted_out
def step(s: Any, m: int, at: int, begin: int, v: int) -> Any:
    """(finish, cost) of visit v by team m leaving location `at` at `begin`; cost -1 = cannot."""
    p = s.profile[m]
    to = s.where[v]
    way = s.travel[p, at, to]
    if way >= FAR_S:
        return 0, -1
    t = begin + way
    t = max(t, s.release[v])
    late = t - s.golden[v]
    cost = s.extra[m, v]
    if s.scalars[0] > 0:
        cost += s.metres[p, at, to] * s.scalars[0]
    if late > 0:
        cost += s.late_cost[v] * late
    t += s.service[m, v]
    if t > s.duty_end[m]:
        return 0, -1
    return t, cost + s.finish_cost[v] * t


@counted_out
def refresh(s: Any, x: Any, m: int) -> None:
    """Recompute finish times and costs along one route."""
    at = s.start[m]
    t = s.available[m]
    cost = 0
    x.finish[m, 0] = t
    x.cost[m, 0] = 0
    for k in range(x.length[m]):
        v = x.route[m, k]
        t, more = step(s, m, at, t, v)
        cost += more
        if k > 0:
            cost += s.scalars[1]
        at = s.where[v]
        x.finish[m, k + 1] = t
        x.cost[m, k + 1] = cost


@counted_out
def best_place(s: Any, x: Any, v: int) -> Any:
    """(cost, team, position) of the cheapest place for v; team -1 when leaving it out is cheaper.

    Arrays are bound to locals and `step` is written out: calls here are what the time goes to.
    """
    travel, metres, where, service = s.travel, s.metres, s.where, s.service
    duty_end, release, golden, extra = s.duty_end, s.release, s.golden, s.extra
    finish_cost, late_cost = s.finish_cost, s.late_cost
    route, length, finish, cost = x.route, x.length, x.finish, x.cost
    per_metre, again, cover = s.scalars[0], s.scalars[1], s.scalars[2]
    spot = where[v]
    best = s.unserved[v]
    best_m = -1
    best_k = 0
    for a in range(s.able_count[v]):
        m = s.able_teams[v, a]
        x.random[0] = x.random[0] * 48271 % 2147483647
        if x.random[0] & 63 == 0:
            continue
        n = length[m]
        p = s.profile[m]
        end = duty_end[m]
        base = again if n > 0 else 0
        if n == 0 and s.group[m] >= 0 and x.idle[s.group[m]] <= s.floor[s.group[m]]:
            base = cover
        for k in range(s.held[m], n + 1):
            at = s.start[m] if k == 0 else where[route[m, k - 1]]
            way = travel[p, at, spot]
            if way >= FAR_S:
                continue
            t = max(finish[m, k] + way, release[v])
            more = base + extra[m, v] + late_cost[v] * max(0, t - golden[v])
            t += service[m, v]
            more += finish_cost[v] * t
            if per_metre > 0:
                more += per_metre * metres[p, at, spot]
            if more >= best or t > end:  # later visits hardly ever gain from a detour
                continue
            more += cost[m, k]
            whole = cost[m, n]
            at = spot
            for j in range(k, n):
                u = route[m, j]
                to = where[u]
                way = travel[p, at, to]
                t = max(t + way, release[u])
                more += extra[m, u] + late_cost[u] * max(0, t - golden[u])
                t += service[m, u]
                more += finish_cost[u] * t
                if per_metre > 0:
                    more += per_metre * metres[p, at, to]
                if j > 0:
                    more += again
                if way >= FAR_S or t > end or more - whole >= best:
                    more = IMPOSSIBLE
                    break
                at = to
                if t == finish[m, j + 1]:
                    more += whole - cost[m, j + 1]
                    break
            if more - whole < best:
                best = more - whole
                best_m = m
                best_k = k
    return best, best_m, best_k


@counted_out
def put(s: Any, x: Any, m: int, k: int, v: int) -> None:
    n = x.length[m]
    if n == 0 and s.group[m] >= 0:
        x.idle[s.group[m]] -= 1
    for j in range(n, k, -1):
        x.route[m, j] = x.route[m, j - 1]
    x.route[m, k] = v
    x.length[m] = n + 1
    x.team_of[v] = m
    refresh(s, x, m)


@counted_out
def take(s: Any, x: Any, v: int) -> None:
    """Remove v from its route without refreshing it."""
    m = x.team_of[v]
    n = x.length[m]
    k = 0
    while x.route[m, k] != v:
        k += 1
    for j in range(k, n - 1):
        x.route[m, j] = x.route[m, j + 1]
    x.length[m] = n - 1
    x.team_of[v] = -1
    if n == 1 and s.group[m] >= 0:
        x.idle[s.group[m]] += 1


@counted_out
def total_cost(s: Any, x: Any) -> int:
    cost = 0
    for m in range(x.length.shape[0]):
        cost += x.cost[m, x.length[m]]
    for v in range(x.team_of.shape[0]):
        if x.team_of[v] < 0:
            cost += s.unserved[v]
    for g in range(s.floor.shape[0]):
        if x.idle[g] < s.floor[g]:
            cost += s.scalars[2] * (s.floor[g] - x.idle[g])
    return cost


@counted_out
def copy_team(source: Any, target: Any, m: int) -> None:
    n = source.length[m]
    target.length[m] = n
    target.finish[m, 0] = source.finish[m, 0]
    for k in range(n):
        v = source.route[m, k]
        target.route[m, k] = v
        target.finish[m, k + 1] = source.finish[m, k + 1]
        target.cost[m, k + 1] = source.cost[m, k + 1]
        target.team_of[v] = m


@counted_out
def copy_solution(source: Any, target: Any) -> None:
    for v in range(source.team_of.shape[0]):
        target.team_of[v] = source.team_of[v]
    for m in range(source.length.shape[0]):
        copy_team(source, target, m)
    for g in range(source.idle.shape[0]):
        target.idle[g] = source.idle[g]
    target.total[0] = source.total[0]


@counted_out
def ruin(s: Any, x: Any, removed: Any, touched: Any, most: int) -> int:
    """Take out up to `most` visits near a random one, a stretch of each route; returns how many."""
    count = 0
    visits = x.team_of.shape[0]
    for v in range(visits):
        if x.team_of[v] < 0:
            removed[count] = v
            count += 1
    waiting = count
    goal = waiting + 1 + draw(x.random, most)
    seed = draw(x.random, visits)
    scattered = draw(x.random, 4) == 0
    for j in range(-1, s.near.shape[1]):
        if count >= goal:
            break
        u = seed
        if j >= 0:
            u = draw(x.random, visits) if scattered else s.near[seed, j]
        m = x.team_of[u]
        if m < 0 or s.movable[u] == 0 or touched[m] == 1:
            continue
        n = x.length[m]
        k = s.held[m]
        while x.route[m, k] != u:
            k += 1
        low = k - draw(x.random, k - s.held[m] + 1)
        high = k + draw(x.random, n - k)
        touched[m] = 1
        for _ in range(low, high + 1):
            if count >= goal:
                break
            removed[count] = x.route[m, low]
            count += 1
            take(s, x, removed[count - 1])
        refresh(s, x, m)
    return count


@counted_out
def order_removed(s: Any, x: Any, removed: Any, count: int) -> None:
    """Shuffle, then stably sort by a rule drawn at random."""
    for j in range(count - 1, 0, -1):
        k = draw(x.random, j + 1)
        removed[j], removed[k] = removed[k], removed[j]
    rule = draw(x.random, 4)
    if rule == 0:
        return
    for j in range(1, count):
        v = removed[j]
        key = s.urgency[rule - 1, v]
        k = j - 1
        while k >= 0 and s.urgency[rule - 1, removed[k]] > key:
            removed[k + 1] = removed[k]
            k -= 1
        removed[k + 1] = v


@counted_out
def recreate(s: Any, x: Any, removed: Any, count: int, touched: Any) -> None:
    """Put each visit where it costs least, now and then overlooking a place (a blink)."""
    for j in range(count):
        v = removed[j]
        _, best_m, best_k = best_place(s, x, v)
        if best_m >= 0:
            touched[best_m] = 1
            put(s, x, best_m, best_k, v)


@counted_out
def anneal(  # noqa: PLR0917 (numba takes no keywords from a kernel's caller)
    s: Any, x: Any, best: Any, backup: Any, iterations: int, hot: float, cold: float, most: int
) -> int:
    """`iterations` rounds, cooling from `hot` to `cold`; `best` keeps the best. Returns accepts.

    `backup` must equal `x` on entry and does on return.
    """
    visits = x.team_of.shape[0]
    teams = x.length.shape[0]
    removed = x.scratch_visits
    touched = x.scratch_teams
    accepted = 0
    for i in range(iterations):
        temperature = hot * math.exp(math.log(cold / hot) * i / iterations)
        for m in range(teams):
            touched[m] = 0
        count = ruin(s, x, removed, touched, most)
        order_removed(s, x, removed, count)
        recreate(s, x, removed, count, touched)
        cost = total_cost(s, x)
        limit = backup.total[0] - temperature * math.log(uniform(x.random) + 1e-300)
        if cost < limit:
            x.total[0] = cost
            accepted += 1
            for v in range(visits):
                backup.team_of[v] = x.team_of[v]
            for m in range(teams):
                if touched[m] == 1:
                    copy_team(x, backup, m)
            for g in range(x.idle.shape[0]):
                backup.idle[g] = x.idle[g]
            backup.total[0] = cost
            if cost < best.total[0]:
                copy_solution(x, best)
        else:
            for v in range(visits):
                x.team_of[v] = backup.team_of[v]
            for m in range(teams):
                if touched[m] == 1:
                    copy_team(backup, x, m)
            for g in range(x.idle.shape[0]):
                x.idle[g] = backup.idle[g]
            x.total[0] = backup.total[0]
    return accepted
