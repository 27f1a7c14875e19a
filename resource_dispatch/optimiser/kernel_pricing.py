"""Which route of one team is worth most at given dual prices: exact depth-first search.

Used by column generation. A branch is cut when even every remaining price, each paid at the
soonest time the visit could still be finished, could not make it a better route.
"""

from __future__ import annotations

from typing import Any

from ..compiled import counted_out

FAR_S = 10**9


@counted_out
def soonest_ways(s: Any, m: int, tasks: Any, count: int, least: Any) -> None:
    """`least[i]`: the shortest way by which team m can come to its i-th task from anywhere."""
    p = s.profile[m]
    for i in range(count):
        to = s.where[tasks[i]]
        best = s.travel[p, s.start[m], to]
        for j in range(count):
            if j != i and s.travel[p, s.where[tasks[j]], to] < best:
                best = s.travel[p, s.where[tasks[j]], to]
        least[i] = best


@counted_out
def cost_of_visit(s: Any, m: int, v: int, arrive: int) -> Any:
    """(finish, cost) of v when team m is there at `arrive`, travel metres not counted."""
    t = max(arrive, s.release[v])
    cost = s.extra[m, v] + s.late_cost[v] * max(0, t - s.golden[v])
    t += s.service[m, v]
    return t, cost + s.finish_cost[v] * t


@counted_out
def price_team(  # noqa: PLR0917 (a kernel takes its arrays one by one)
    s: Any, m: int, tasks: Any, count: int, price: Any, least: Any, work: Any, out: Any, limit: Any
) -> int:
    """Routes of team m with reduced cost below `limit[0]`; returns how many, n, or -n-1.

    A negative answer means that the search gave up early, with n finds all the same.

    `tasks[:count]` are the visits it may make, `price[v]` their duals. Each find fills one row of
    `out`: [reduced cost, true cost, length, visits...]. With `limit[1]` == 0 every find lowers the
    limit, so that the last row is the best route; with 1 all routes below the limit are listed.
    `limit[2]` bounds the nodes searched. `work` is scratch of shape (6, count + 1).
    """
    p = s.profile[m]
    per_metre, again = s.scalars[0], s.scalars[1]
    nexts, time, cost, gain, chosen, used = work[0], work[1], work[2], work[3], work[4], work[5]
    for i in range(count):
        used[i] = 0
    depth = 0
    nexts[0] = 0
    time[0] = s.available[m]
    cost[0] = 0
    gain[0] = 0
    found = 0
    nodes = 0
    while depth >= 0:
        i = nexts[depth]
        if i >= count:
            depth -= 1
            if depth >= 0:
                used[chosen[depth]] = 0
            continue
        nexts[depth] = i + 1
        if used[i] == 1:
            continue
        v = tasks[i]
        at = s.start[m] if depth == 0 else s.where[tasks[chosen[depth - 1]]]
        way = s.travel[p, at, s.where[v]]
        if way >= FAR_S:
            continue
        t, more = cost_of_visit(s, m, v, time[depth] + way)
        if t > s.duty_end[m]:
            continue
        if per_metre > 0:
            more += per_metre * s.metres[p, at, s.where[v]]
        if depth > 0:
            more += again
        paid = cost[depth] + more
        won = gain[depth] + price[v]
        nodes += 1
        if nodes > limit[2]:
            return -found - 1
        chosen[depth] = i
        if paid - won < limit[0]:
            if found >= out.shape[0]:
                return -found - 1
            out[found, 0] = paid - won
            out[found, 1] = paid
            out[found, 2] = depth + 1
            for d in range(depth + 1):
                out[found, 3 + d] = tasks[chosen[d]]
            found += 1
            if limit[1] == 0:
                limit[0] = paid - won
                if found == out.shape[0]:  # keep the best ones: shift out the oldest
                    for r in range(found - 1):
                        for d in range(out.shape[1]):
                            out[r, d] = out[r + 1, d]
                    found -= 1
        used[i] = 1
        hope = paid - won
        for j in range(count):
            if used[j] == 0:
                u = tasks[j]
                end, least_cost = cost_of_visit(s, m, u, t + least[j])
                if price[u] > least_cost + again and end <= s.duty_end[m]:
                    hope -= price[u] - least_cost - again
        if hope >= limit[0] or depth + 1 >= count:
            used[i] = 0
            continue
        depth += 1
        nexts[depth] = 0
        time[depth] = t
        cost[depth] = paid
        gain[depth] = won
    return found
