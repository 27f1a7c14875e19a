"""Ruin and recreate where visits meet: two teams at one place, together or one after the other.

Start times are exact: each route runs forward until a visit whose mate has not arrived yet; when
both have, their starts follow in closed form, so a whole plan is timed in one pass. Insertions are
ranked by what they do to their own route and to mates, the best few are timed exactly. Cost =
travel + total tardiness + greatest tardiness, in the arrays' own unit (HHCRSP, Mankowska, Meisel,
Bierwirth 2014). Compiled by numba, with itself as pure-Python twin.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..compiled import compiled
from .kernel_routes import draw, uniform
from .problem import Ints

IMPOSSIBLE = 2**60
CANDIDATES = 4


class Static(NamedTuple):
    """M teams from location `home[m]` and back; V visits; jobs of one or two visits."""

    travel: Ints
    home: Ints
    where: Ints
    service: Ints
    release: Ints
    due: Ints
    mate: Ints
    is_second: Ints
    low: Ints
    high: Ints
    able_teams: Ints
    able_count: Ints
    job_of: Ints
    job_visits: Ints
    near: Ints
    urgency: Ints


class State(NamedTuple):
    """One solution; `tally` holds [cost, travel, total tardiness, greatest tardiness]."""

    route: Ints
    length: Ints
    team_of: Ints
    start: Ints
    tally: Ints
    random: Ints
    arrive: Ints
    heads: Ints
    queue: Ints
    jobs: Ints
    places: Ints


@compiled
def time_plan(s: Any, x: Any) -> bool:
    """Set every start time and the tally; False when routes wait for each other for ever."""
    travel, where, route, length = s.travel, s.where, x.route, x.length
    start, arrive, heads, queue = x.start, x.arrive, x.heads, x.queue
    teams = length.shape[0]
    left = 0
    way = 0
    for m in range(teams):
        heads[m] = 0
        queue[m] = m
        left += length[m]
        for k in range(length[m]):
            start[route[m, k]] = -1
            arrive[route[m, k]] = -1
    waiting = teams
    late_sum = 0
    late_most = 0
    while waiting > 0:
        waiting -= 1
        m = queue[waiting]
        k = heads[m]
        n = length[m]
        while k < n:
            v = route[m, k]
            if start[v] < 0:
                t = 0
                at = s.home[m]
                if k > 0:
                    u = route[m, k - 1]
                    t = start[u] + s.service[u]
                    at = where[u]
                t = max(t + travel[at, where[v]], s.release[v])
                w = s.mate[v]
                if w >= 0 and x.team_of[w] >= 0:
                    arrive[v] = t
                    if arrive[w] < 0:
                        break
                    a, b = v, w
                    if s.is_second[v] == 1:
                        a, b = w, v
                    start[a] = max(arrive[a], arrive[b] - s.high[a])
                    start[b] = max(arrive[b], start[a] + s.low[a])
                    queue[waiting] = x.team_of[w]
                    waiting += 1
                else:
                    start[v] = t
            late = start[v] - s.due[v]
            if late > 0:
                late_sum += late
                late_most = max(late_most, late)
            at = s.home[m] if k == 0 else where[route[m, k - 1]]
            way += travel[at, where[v]]
            left -= 1
            k += 1
        heads[m] = k
        if k == n and n > 0:
            way += travel[where[route[m, n - 1]], s.home[m]]
            heads[m] = n + 1
    if left > 0:
        return False
    x.tally[0] = way + late_sum + late_most
    x.tally[1] = way
    x.tally[2] = late_sum
    x.tally[3] = late_most
    return True


@compiled
def pushed(  # noqa: PLR0917 (a kernel takes its numbers one by one)
    s: Any, x: Any, m: int, k: int, ready: int, at: int
) -> Any:
    """(tardiness added, greatest) when route m reaches its k-th visit from `at` at `ready`."""
    added = 0
    most = 0
    t = ready
    for j in range(k, x.length[m]):
        u = x.route[m, j]
        t = max(t + s.travel[at, s.where[u]], x.start[u])
        delay = t - x.start[u]
        if delay <= 0:
            break
        late = max(0, t - s.due[u])
        added += late - max(0, x.start[u] - s.due[u])
        most = max(most, late)
        w = s.mate[u]
        if w >= 0 and x.team_of[w] >= 0:
            a = w if s.is_second[u] == 1 else u
            then = t + s.low[a] if s.is_second[u] == 0 else t - s.high[a]
            if then > x.start[w]:
                late = max(0, then - s.due[w])
                added += late - max(0, x.start[w] - s.due[w])
                most = max(most, late)
        at = s.where[u]
        t += s.service[u]
    return added, most


@compiled
def rank_places(s: Any, x: Any, v: int) -> int:
    """Fill `places` with the best few [cost, team, position]; returns how many."""
    count = 0
    w = s.mate[v]
    is_met = w >= 0 and x.team_of[w] >= 0
    a = w if is_met and s.is_second[v] == 1 else v
    most_now = x.tally[3]
    for i in range(s.able_count[v]):
        m = s.able_teams[v, i]
        if is_met and x.team_of[w] == m:
            continue
        n = x.length[m]
        for k in range(n + 1):
            if draw(x.random, 64) == 0:
                continue
            t = 0
            at = s.home[m]
            if k > 0:
                u = x.route[m, k - 1]
                t = x.start[u] + s.service[u]
                at = s.where[u]
            to = s.home[m] if k == n else s.where[x.route[m, k]]
            cost = s.travel[at, s.where[v]] + s.travel[s.where[v], to]
            if n > 0:
                cost -= s.travel[at, to]
            t = max(t + s.travel[at, s.where[v]], s.release[v])
            most = 0
            if is_met:
                other = x.start[w]
                if s.is_second[v] == 1:
                    t = max(t, other + s.low[a])
                    other = t - s.high[a]
                else:
                    t = max(t, other - s.high[a])
                    other = t + s.low[a]
                if other > x.start[w]:
                    late = max(0, other - s.due[w])
                    cost += late - max(0, x.start[w] - s.due[w])
                    most = late
                    q = x.team_of[w]
                    j = 0
                    while x.route[q, j] != w:
                        j += 1
                    more, high = pushed(s, x, q, j + 1, other + s.service[w], s.where[w])
                    cost += more
                    most = max(most, high)
            late = max(0, t - s.due[v])
            cost += late
            if count == CANDIDATES and cost >= x.places[count - 1, 0]:
                continue
            more, high = pushed(s, x, m, k, t + s.service[v], s.where[v])
            cost += more + max(0, max(most, late, high) - most_now)
            if count == CANDIDATES:
                if cost >= x.places[count - 1, 0]:
                    continue
                count -= 1
            j = count
            while j > 0 and x.places[j - 1, 0] > cost:
                x.places[j] = x.places[j - 1]
                j -= 1
            x.places[j, 0] = cost
            x.places[j, 1] = m
            x.places[j, 2] = k
            count += 1
    return count


@compiled
def put(x: Any, m: int, k: int, v: int) -> None:
    for j in range(x.length[m], k, -1):
        x.route[m, j] = x.route[m, j - 1]
    x.route[m, k] = v
    x.length[m] += 1
    x.team_of[v] = m


@compiled
def take(x: Any, v: int) -> None:
    m = x.team_of[v]
    k = 0
    while x.route[m, k] != v:
        k += 1
    for j in range(k, x.length[m] - 1):
        x.route[m, j] = x.route[m, j + 1]
    x.length[m] -= 1
    x.team_of[v] = -1


@compiled
def insert(s: Any, x: Any, v: int) -> bool:
    """Put v where the exact cost is least among the best few places."""
    count = rank_places(s, x, v)
    best = IMPOSSIBLE
    chosen = -1
    for i in range(count):
        if i > 0 and x.places[i, 0] > x.places[0, 0] * 2 and chosen >= 0:
            break
        m, k = x.places[i, 1], x.places[i, 2]
        put(x, m, k, v)
        if time_plan(s, x) and x.tally[0] < best:
            best = x.tally[0]
            chosen = i
        take(x, v)
    if chosen < 0:
        return False
    put(x, x.places[chosen, 1], x.places[chosen, 2], v)
    is_timed: bool = time_plan(s, x)
    return is_timed


@compiled
def ruin(s: Any, x: Any, most: int) -> int:
    """Take out up to `most` jobs: near a seed, along routes, late ones or anywhere."""
    jobs = s.job_visits.shape[0]
    goal = 1 + draw(x.random, most)
    seed = draw(x.random, jobs)
    kind = draw(x.random, 5)
    if kind == 0:  # start from the latest visit of a few
        latest = -1
        for _ in range(8):
            j = draw(x.random, jobs)
            v = s.job_visits[j, 0]
            if x.start[v] - s.due[v] > latest:
                latest = x.start[v] - s.due[v]
                seed = j
    count = 0
    step = 0
    while count < goal and step < s.near.shape[1] * 2:
        job = seed
        if step > 0:
            if kind == 1:
                job = draw(x.random, jobs)
            else:
                job = s.near[seed, min(s.near.shape[1] - 1, step - 1)]
                if draw(x.random, 4) == 0:
                    step += 1
                    continue
        step += 1
        v = s.job_visits[job, 0]
        m = x.team_of[v]
        if m < 0:
            continue
        stretch = 1
        k = 0
        if kind >= 3:  # a stretch of the route that holds it
            while x.route[m, k] != v:
                k += 1
            stretch = 1 + draw(x.random, 3)
        for _ in range(stretch):
            if count >= goal or (kind >= 3 and k >= x.length[m]):
                break
            u = v
            if kind >= 3:
                u = x.route[m, k]
            gone = s.job_of[u]
            x.jobs[count] = gone
            count += 1
            for i in range(2):
                w = s.job_visits[gone, i]
                if w >= 0:
                    take(x, w)
    return count


@compiled
def recreate(s: Any, x: Any, count: int) -> bool:
    """Put the jobs back in a drawn order, the two visits of a job in either order."""
    jobs = x.jobs
    for j in range(count - 1, 0, -1):
        k = draw(x.random, j + 1)
        jobs[j], jobs[k] = jobs[k], jobs[j]
    rule = draw(x.random, 5)
    if rule < s.urgency.shape[0]:
        for j in range(1, count):
            job = jobs[j]
            key = s.urgency[rule, job]
            k = j - 1
            while k >= 0 and s.urgency[rule, jobs[k]] > key:
                jobs[k + 1] = jobs[k]
                k -= 1
            jobs[k + 1] = job
    if not time_plan(s, x):
        return False
    for j in range(count):
        a, b = s.job_visits[jobs[j], 0], s.job_visits[jobs[j], 1]
        if b >= 0 and draw(x.random, 2) == 0:
            a, b = b, a
        if not insert(s, x, a):
            return False
        if b >= 0 and not insert(s, x, b):
            return False
    return True


@compiled
def copy(source: Any, target: Any) -> None:
    for m in range(source.length.shape[0]):
        target.length[m] = source.length[m]
        for k in range(source.length[m]):
            target.route[m, k] = source.route[m, k]
    target.team_of[:] = source.team_of
    target.start[:] = source.start
    target.tally[:] = source.tally


@compiled
def anneal(  # noqa: PLR0917 (a kernel takes its arrays one by one)
    s: Any, x: Any, best: Any, kept: Any, rounds: int, heat: float, most: int
) -> int:
    """`rounds` of ruin and recreate at temperature `heat`; returns how many were accepted.

    `kept` equals `x` on entry and on return.
    """
    accepted = 0
    for _ in range(rounds):
        count = ruin(s, x, most)
        if recreate(s, x, count):
            limit = kept.tally[0] - heat * math.log(uniform(x.random) + 1e-300)
            if x.tally[0] < limit:
                accepted += 1
                copy(x, kept)
                if x.tally[0] < best.tally[0]:
                    copy(x, best)
                continue
        copy(kept, x)
    return accepted
