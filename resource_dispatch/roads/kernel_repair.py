"""Repairs one shortest-path row after a few arcs changed, instead of computing it anew.

Only what hangs below a changed arc in the row's tree can get worse, and only what a quicker arc
reaches can get better (after Ramalingam & Reps, 1996). Compiled by numba, with itself as twin.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from ..compiled import compiled

FAR_S = 10**9
NOBODY = -9999
HALF = 2**32


@compiled
def repair(  # noqa: PLR0917 (a kernel takes its arrays one by one)
    g: Any, row: Any, before: Any, touched: Any, tails: Any, heads: Any, seconds: Any
) -> Any:
    """Make `row` (seconds) and `before` (previous node) right again; returns the nodes touched.

    Arc k of the change runs tails[k] -> heads[k] and now takes seconds[k]; `g` has it already.
    `touched` comes as zeros and leaves as 1 at the nodes returned.
    """
    hanging = [np.int64(0)]
    hanging.pop()
    for k in range(tails.shape[0]):
        u, v = tails[k], heads[k]
        if before[v] == u and touched[v] == 0 and row[u] + seconds[k] > row[v]:
            touched[v] = 1
            hanging.append(np.int64(v))
    done = 0
    while done < len(hanging):
        u = hanging[done]
        done += 1
        for a in range(g.out_start[u], g.out_start[u + 1]):
            w = g.out_node[a]
            if before[w] == u and touched[w] == 0:
                touched[w] = 1
                hanging.append(np.int64(w))
    for v in hanging:
        row[v] = FAR_S
        before[v] = NOBODY
    heap = [np.int64(0)]  # seconds in the upper half, the node in the lower
    heap.pop()
    for v in hanging:
        for a in range(g.into_start[v], g.into_start[v + 1]):
            u = g.into_node[a]
            if touched[u] == 0 and row[u] + g.into_s[a] < row[v]:
                row[v] = row[u] + g.into_s[a]
                before[v] = u
        if row[v] < FAR_S:
            heapq.heappush(heap, np.int64(row[v]) * HALF + v)
    for k in range(tails.shape[0]):
        u, v = tails[k], heads[k]
        if row[u] + seconds[k] < row[v]:
            row[v] = row[u] + seconds[k]
            before[v] = u
            if touched[v] == 0:
                touched[v] = 1
                hanging.append(np.int64(v))
            heapq.heappush(heap, np.int64(row[v]) * HALF + v)
    while len(heap) > 0:
        first = heapq.heappop(heap)
        far, u = first >> 32, first & (HALF - 1)
        if far > row[u]:
            continue
        for a in range(g.out_start[u], g.out_start[u + 1]):
            w = g.out_node[a]
            t = far + g.out_s[a]
            if t < row[w]:
                row[w] = t
                before[w] = u
                if touched[w] == 0:
                    touched[w] = 1
                    hanging.append(np.int64(w))
                heapq.heappush(heap, np.int64(t) * HALF + np.int64(w))
    return np.array(hanging)


@compiled
def arc_metres(start: Any, heads: Any, metres: Any, u: int, w: int) -> int:
    for a in range(start[u], start[u + 1]):
        if heads[a] == w:
            found: int = metres[a]
            return found
    return 0


@compiled
def walk_metres(  # noqa: PLR0917 (a kernel takes its arrays one by one)
    start: Any, heads: Any, metres: Any, follow: Any, nodes: Any, known: Any, out: Any
) -> None:
    """`out[k]`: metres from `nodes[k]` along `follow` (next node to the root, negative = stop).

    `known` comes and leaves as -1 for every node; it keeps what was walked: ways to one root join.
    """
    seen = [np.int64(0)]
    seen.pop()
    for k in range(nodes.shape[0]):
        u = nodes[k]
        total = 0
        while follow[u] >= 0 and known[u] < 0:
            total += arc_metres(start, heads, metres, u, follow[u])
            u = follow[u]
        if known[u] > 0:
            total += known[u]
        out[k] = total
        u = nodes[k]
        while follow[u] >= 0 and known[u] < 0:
            known[u] = total
            seen.append(np.int64(u))
            total -= arc_metres(start, heads, metres, u, follow[u])
            u = follow[u]
    for u in seen:
        known[u] = -1
