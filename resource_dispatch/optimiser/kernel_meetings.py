"""Ruin and recreate where visits meet: two teams at one place, together or one after the other.

Start times are the earliest that a plan allows. A visit put in can only delay others, so its exact
price is found by following the delays - along its route and across meetings - and by giving up as
soon as they cost more than the best place known. Pairs are placed together: the few best places of
the one, each with the best place of the other. Removal takes strings of neighbouring visits
(Christiaens & Vanden Berghe, "Slack induction by string removals", 2020). Cost = travel + total
tardiness + greatest tardiness, in the arrays' own unit (HHCRSP, Mankowska, Meisel, Bierwirth 2014).
Compiled by numba, with itself as pure-Python twin.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..compiled import counted_out
from .kernel_routes import draw, uniform
from .problem import Ints

IMPOSSIBLE = 2**60
PAIR_PLACES = 3
BLINK = 64


class Static(NamedTuple):
    """V visits, M teams; node V + m is team m's home, at both ends of its route."""

    travel: Ints
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
    sizes: Ints


class State(NamedTuple):
    """One solution as linked routes; `tally` holds [cost, travel, total and greatest tardiness].

    `touched[1 : 1 + touched[0]]` are the visits that the last priced place delays, `later` their
    new starts where `stamp` equals `tick`.
    """

    succ: Ints
    pred: Ints
    team_of: Ints
    start: Ints
    tally: Ints
    random: Ints
    tick: Ints
    stamp: Ints
    later: Ints
    touched: Ints
    undo: Ints
    jobs: Ints
    places: Ints
    string: Ints


@counted_out
def time_plan(s: Any, x: Any) -> bool:
    """Set the earliest starts and the tally; False when routes wait for each other for ever."""
    travel, where, service, mate = s.travel, s.where, s.service, s.mate
    succ, start, team_of = x.succ, x.start, x.team_of
    visits = team_of.shape[0]
    nodes = succ.shape[0]
    for v in range(visits):
        start[v] = s.release[v]
    for home in range(visits, nodes):
        start[home] = 0
    is_settled = False
    sweeps = 0
    while not is_settled:
        if sweeps > visits + 1:
            return False
        sweeps += 1
        is_settled = True
        for home in range(visits, nodes):
            u = home
            v = succ[u]
            while v < visits:
                t = max(start[v], start[u] + service[u] + travel[where[u], where[v]])
                w = mate[v]
                if w >= 0 and team_of[w] >= 0:
                    gap = s.low[v] if s.is_second[v] == 1 else -s.high[v]
                    t = max(t, start[w] + gap)
                if t > start[v]:
                    start[v] = t
                    is_settled = False
                u = v
                v = succ[u]
    way = 0
    late_sum = 0
    late_most = 0
    for home in range(visits, nodes):
        u = home
        v = succ[u]
        while v < visits:
            way += travel[where[u], where[v]]
            late = start[v] - s.due[v]
            if late > 0:
                late_sum += late
                late_most = max(late_most, late)
            u = v
            v = succ[u]
        way += travel[where[u], where[home]]
    x.tally[0] = way + late_sum + late_most
    x.tally[1] = way
    x.tally[2] = late_sum
    x.tally[3] = late_most
    return True


@counted_out
def price(s: Any, x: Any, v: int, p: int, limit: int) -> int:
    """What v after node p costs, exactly; IMPOSSIBLE from `limit` on or when it cannot be.

    On return below `limit`, `touched` and `later` hold v and every visit that it delays.
    """
    travel, where, service, due, mate = s.travel, s.where, s.service, s.due, s.mate
    succ, start, team_of = x.succ, x.start, x.team_of
    stamp, later, touched = x.stamp, x.later, x.touched
    visits = team_of.shape[0]
    n = succ[p]
    here = where[v]
    cost = travel[where[p], here] + travel[here, where[n]]
    if n != p:
        cost -= travel[where[p], where[n]]
    if cost >= limit:
        return IMPOSSIBLE
    t = max(start[p] + service[p] + travel[where[p], here], s.release[v])
    w = mate[v]
    is_met = w >= 0 and team_of[w] >= 0
    if is_met:
        t = max(t, start[w] + (s.low[v] if s.is_second[v] == 1 else -s.high[v]))
    most_now = x.tally[3]
    most = most_now
    late = t - due[v]
    if late > 0:
        cost += late
        most = max(most, late)
    if cost + most - most_now >= limit:
        return IMPOSSIBLE
    x.tick[0] += 1
    tick = x.tick[0]
    stamp[v] = tick
    later[v] = t
    touched[1] = v
    count = 1
    done = 0
    while done < count:
        done += 1
        u = touched[done]
        t = later[u]
        after = succ[u]
        if u == v:
            after = n
        elif u == p:
            after = v
        for side in range(2):
            if side == 0:
                y = after
                if y >= visits:
                    continue
                at = t + service[u] + travel[where[u], where[y]]
            else:
                y = mate[u]
                if y < 0 or (team_of[y] < 0 and y != v):
                    continue
                at = t + (s.low[u] if s.is_second[u] == 0 else -s.high[u])
            before = later[y] if stamp[y] == tick else start[y]
            if at <= before:
                continue
            if y == v or count >= touched.shape[0] - 2:  # they would wait for each other
                return IMPOSSIBLE
            late = at - due[y]
            if late > 0:
                cost += late - max(0, before - due[y])
                most = max(most, late)
                if cost + most - most_now >= limit:
                    return IMPOSSIBLE
            later[y] = at
            stamp[y] = tick
            count += 1
            touched[count] = y
    touched[0] = count
    total: int = cost + most - most_now
    return total


@counted_out
def put(s: Any, x: Any, v: int, p: int, m: int) -> int:
    """Link v after p in team m's route as last priced; returns how many starts `undo` keeps."""
    travel, where, undo = s.travel, s.where, x.undo
    n = x.succ[p]
    way = travel[where[p], where[v]] + travel[where[v], where[n]]
    if n != p:
        way -= travel[where[p], where[n]]
    x.succ[p] = v
    x.pred[v] = p
    x.succ[v] = n
    x.pred[n] = v
    x.team_of[v] = m
    late_sum = x.tally[2]
    late_most = x.tally[3]
    x.start[v] = s.release[v]
    count = 0
    for i in range(1, x.touched[0] + 1):
        u = x.touched[i]
        t = x.later[u]
        if u != v:
            if x.start[u] == t:
                continue
            late_sum -= max(0, x.start[u] - s.due[u])
            undo[count, 0] = u
            undo[count, 1] = x.start[u]
            count += 1
        elif i > 1:
            continue
        late = max(0, t - s.due[u])
        late_sum += late
        late_most = max(late_most, late)
        x.start[u] = t
    x.tally[1] += way
    x.tally[2] = late_sum
    x.tally[3] = late_most
    x.tally[0] = x.tally[1] + late_sum + late_most
    return count


@counted_out
def take(x: Any, v: int) -> None:
    """Unlink v; starts and tally are left as they were."""
    p, n = x.pred[v], x.succ[v]
    x.succ[p] = n
    x.pred[n] = p
    x.team_of[v] = -1


@counted_out
def rank_places(s: Any, x: Any, v: int, most: int, limit: int) -> int:
    """Fill `places` with the best `most` [cost, node before, team] below `limit`; how many."""
    travel, where, succ, start, places = s.travel, s.where, x.succ, x.start, x.places
    visits = x.team_of.shape[0]
    base = 0 if most > 1 else PAIR_PLACES
    count = 0
    w = s.mate[v]
    taken = x.team_of[w] if w >= 0 else -1
    here = where[v]
    for i in range(s.able_count[v]):
        m = s.able_teams[v, i]
        if m == taken:
            continue
        p = visits + m
        while True:
            n = succ[p]
            t = start[p] + s.service[p] + travel[where[p], here]
            if t - s.due[v] >= limit:
                break
            if draw(x.random, BLINK) > 0:
                cost = price(s, x, v, p, limit)
                if cost < limit:
                    j = min(count, most - 1)
                    while j > 0 and places[base + j - 1, 0] > cost:
                        places[base + j, 0] = places[base + j - 1, 0]
                        places[base + j, 1] = places[base + j - 1, 1]
                        places[base + j, 2] = places[base + j - 1, 2]
                        j -= 1
                    places[base + j, 0] = cost
                    places[base + j, 1] = p
                    places[base + j, 2] = m
                    count = min(count + 1, most)
                    if count == most:
                        limit = places[base + most - 1, 0]
            if n >= visits:
                break
            p = n
    return count


@counted_out
def insert(s: Any, x: Any, v: int) -> bool:
    """Put v where it costs least; False when nobody can take it."""
    if rank_places(s, x, v, 1, IMPOSSIBLE) == 0:
        return False
    p, m = x.places[PAIR_PLACES, 1], x.places[PAIR_PLACES, 2]
    price(s, x, v, p, IMPOSSIBLE)
    put(s, x, v, p, m)
    return True


@counted_out
def insert_pair(s: Any, x: Any, a: int, b: int) -> bool:
    """The two visits of a job: the few best places of `a`, each with the best place of `b`."""
    places, tally = x.places, x.tally
    count = rank_places(s, x, a, PAIR_PLACES, IMPOSSIBLE)
    best = IMPOSSIBLE
    chosen = -1
    follow_p = -1
    follow_m = -1
    for i in range(count):
        if places[i, 0] >= best:
            break
        cost, way, late_sum, late_most = tally[0], tally[1], tally[2], tally[3]
        price(s, x, a, places[i, 1], IMPOSSIBLE)
        changed = put(s, x, a, places[i, 1], places[i, 2])
        if rank_places(s, x, b, 1, best - places[i, 0]) > 0:
            best = places[i, 0] + places[PAIR_PLACES, 0]
            chosen = i
            follow_p, follow_m = places[PAIR_PLACES, 1], places[PAIR_PLACES, 2]
        take(x, a)
        for j in range(changed - 1, -1, -1):
            x.start[x.undo[j, 0]] = x.undo[j, 1]
        tally[0] = cost
        tally[1] = way
        tally[2] = late_sum
        tally[3] = late_most
    if chosen < 0:
        return False
    price(s, x, a, places[chosen, 1], IMPOSSIBLE)
    put(s, x, a, places[chosen, 1], places[chosen, 2])
    price(s, x, b, follow_p, IMPOSSIBLE)
    put(s, x, b, follow_p, follow_m)
    return True


@counted_out
def take_job(s: Any, x: Any, job: int, count: int) -> int:
    x.jobs[count] = job
    for i in range(2):
        v = s.job_visits[job, i]
        if v >= 0:
            take(x, v)
    return count + 1


@counted_out
def take_string(s: Any, x: Any, v: int, count: int) -> int:
    """Take the jobs of a few neighbours in v's route, v among them, maybe sparing some between."""
    visits = x.team_of.shape[0]
    longest = s.sizes[1]
    length = 1 + draw(x.random, longest)
    spare_at = -1
    spare = 0
    if length > 1 and draw(x.random, 2) == 0:
        spare = 1 + draw(x.random, 2)
        spare_at = 1 + draw(x.random, length - 1)
    u = v
    for _ in range(draw(x.random, length)):
        if x.pred[u] >= visits:
            break
        u = x.pred[u]
    found = 0
    i = 0
    while found < length and u < visits:
        if not (spare_at <= i < spare_at + spare):
            x.string[found] = u
            found += 1
        i += 1
        u = x.succ[u]
    for j in range(found):
        job = s.job_of[x.string[j]]
        if x.team_of[x.string[j]] >= 0:
            count = take_job(s, x, job, count)
    return count


@counted_out
def ruin(s: Any, x: Any) -> int:
    """Take jobs out: strings of routes or single jobs near a seed, or any; returns how many."""
    jobs = s.job_visits.shape[0]
    goal = 1 + draw(x.random, s.sizes[0])
    seed = draw(x.random, jobs)
    kind = draw(x.random, 8)
    if kind % 5 == 0:  # start from the latest of a few
        latest = -IMPOSSIBLE
        for _ in range(6):
            j = draw(x.random, jobs)
            for i in range(2):
                v = s.job_visits[j, i]
                if v >= 0 and x.start[v] - s.due[v] > latest:
                    latest = x.start[v] - s.due[v]
                    seed = j
    count = 0
    step = -1
    while count < goal and step < s.near.shape[1]:
        job = seed
        if step >= 0:
            job = draw(x.random, jobs) if kind == 1 else s.near[seed, step]
        step += 1
        v = s.job_visits[job, 0]
        if x.team_of[v] < 0 or (kind != 1 and step > 0 and draw(x.random, 8) == 0):
            continue
        if s.job_visits[job, 1] >= 0 and draw(x.random, 2) == 0:
            v = s.job_visits[job, 1]
        count = take_string(s, x, v, count) if kind >= 4 else take_job(s, x, job, count)
    return count


@counted_out
def recreate(s: Any, x: Any, count: int) -> bool:
    """Put the jobs back in a drawn order; False when one cannot be."""
    jobs = x.jobs
    for j in range(count - 1, 0, -1):
        k = draw(x.random, j + 1)
        jobs[j], jobs[k] = jobs[k], jobs[j]
    rule = draw(x.random, s.urgency.shape[0] + 2)
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
        if b < 0:
            if not insert(s, x, a):
                return False
            continue
        if draw(x.random, 2) == 0:
            a, b = b, a
        if not insert_pair(s, x, a, b):
            return False
    return True


@counted_out
def copy(source: Any, target: Any) -> None:
    for node in range(source.succ.shape[0]):
        target.succ[node] = source.succ[node]
        target.pred[node] = source.pred[node]
        target.start[node] = source.start[node]
    for v in range(source.team_of.shape[0]):
        target.team_of[v] = source.team_of[v]
    for i in range(4):
        target.tally[i] = source.tally[i]


@counted_out
def anneal(  # noqa: PLR0917 (a kernel takes its arrays one by one)
    s: Any, x: Any, best: Any, kept: Any, rounds: int, heat: float
) -> int:
    """`rounds` of ruin and recreate at temperature `heat`; returns how many were accepted.

    `kept` equals `x` on entry and on return.
    """
    accepted = 0
    for _ in range(rounds):
        count = ruin(s, x)
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
