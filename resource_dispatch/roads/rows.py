"""Shortest-path rows: from one node to every other, kept, and repaired after a change.

A repaired row holds only the nodes at which it differs from the whole row that it came from, so
that a closed road costs memory and time by what hangs below it, not by the size of the province.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from .arrays import UNREACHABLE_S, Ints, RoadArrays, Scratch, ShortInts

NOBODY = -9999
MAX_ROWS = 1_000
WHOLE_SHARE = 4


class Search(NamedTuple):
    """Arcs in search direction, by tail (`out`) and by head (`into`), with whole seconds."""

    out_start: npt.NDArray[np.int64]
    out_node: ShortInts
    out_s: ShortInts
    into_start: npt.NDArray[np.int64]
    into_node: ShortInts
    into_s: ShortInts


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


def _no_short() -> ShortInts:
    return np.zeros(0, dtype=np.int32)


@dataclass(slots=True)
class Row:
    """Seconds and previous node of every node, from one source in search direction.

    `whole_s` and `whole_before` have one entry a node and may be shared with other rows; at `nodes`
    (ascending) `own_s` and `own_before` stand instead. `driven` remembers metres once asked for.
    """

    whole_s: ShortInts
    whole_before: ShortInts
    nodes: Ints = field(default_factory=_none)
    own_s: ShortInts = field(default_factory=_no_short)
    own_before: ShortInts = field(default_factory=_no_short)
    driven: tuple[Ints, Ints] | None = None

    def seconds_at(self, nodes: Ints) -> Ints:
        return self._at(self.whole_s, self.own_s, nodes)

    def before_at(self, nodes: Ints) -> Ints:
        return self._at(self.whole_before, self.own_before, nodes)

    def _at(self, whole: ShortInts, own: ShortInts, nodes: Ints) -> Ints:
        found = whole[nodes].astype(np.int64)
        if self.nodes.size:
            places = np.minimum(np.searchsorted(self.nodes, nodes), self.nodes.size - 1)
            is_own = self.nodes[places] == nodes
            found[is_own] = own[places[is_own]]
        return found

    def fill(self, scratch: Scratch) -> None:
        """Write the row out in full."""
        scratch.seconds[:] = self.whole_s
        scratch.seconds[self.nodes] = self.own_s
        scratch.before[:] = self.whole_before
        scratch.before[self.nodes] = self.own_before

    def before(self, scratch: Scratch) -> ShortInts:
        """The previous node of every node; may live in `scratch`."""
        if not self.nodes.size:
            return self.whole_before
        scratch.before[:] = self.whole_before
        scratch.before[self.nodes] = self.own_before
        return scratch.before

    def metres(self, arrays: RoadArrays, nodes: Ints) -> Ints:
        """Metres from each of `nodes` to the row's source; remembered for the same nodes."""
        if self.driven is None or not np.array_equal(self.driven[0], nodes):
            self.driven = (nodes, arrays.walk(self.before(arrays.scratch), nodes))
        return self.driven[1]


class Rows:
    """Rows of one vehicle class in one direction under one set of seconds; the newest are kept."""

    def __init__(self, arrays: RoadArrays, seconds: ShortInts, backward: bool) -> None:
        self.arrays = arrays
        self.backward = backward
        ahead = (arrays.out_start, arrays.out_node, seconds)
        behind = (arrays.into_start, arrays.into_node, seconds[arrays.back_order])
        self.search = Search(*behind, *ahead) if backward else Search(*ahead, *behind)
        self.known: dict[int, Row] = {}

    @cached_property
    def _matrix(self) -> csr_array:
        g, size = self.search, self.arrays.size
        seconds = g.out_s.astype(np.float64)
        return csr_array((seconds, g.out_node, g.out_start), shape=(size, size))

    def row(self, source: int) -> Row:
        """The row of `source`, computed if it is not known."""
        found = self.known.get(source)
        if found is None:
            far, before = dijkstra(self._matrix, indices=[source], return_predecessors=True)
            is_reached = far[0] < UNREACHABLE_S
            seconds = np.where(is_reached, far[0], UNREACHABLE_S).astype(np.int32)
            found = Row(seconds, np.where(is_reached, before[0], NOBODY).astype(np.int32))
            self._keep(source, found)
        return found

    def repaired(self, source: int, old: Row, changed: Ints) -> Row:
        """The row of `source` made from an old one by the arcs `changed` (in arc order).

        Where no changed arc matters to it, the old row itself.
        """
        arrays, g = self.arrays, self.search
        tails, heads = arrays.tails[changed], arrays.heads[changed]
        seconds = (g.into_s if self.backward else g.out_s)[changed].astype(np.int64)
        if self.backward:
            tails, heads = heads, tails
        reached, known = old.seconds_at(tails) + seconds, old.seconds_at(heads)
        is_worse = (old.before_at(heads) == tails) & (reached > known)
        row = old
        if bool((is_worse | (reached < known)).any()):
            row = self._mended(old, tails, heads, seconds)
        self._keep(source, row)
        return row

    def _mended(self, old: Row, tails: Ints, heads: Ints, seconds: Ints) -> Row:
        from .kernel_repair import repair  # numba is loaded by those who drive

        arrays, scratch = self.arrays, self.arrays.scratch
        old.fill(scratch)
        found = repair(
            self.search, scratch.seconds, scratch.before, scratch.touched, tails, heads, seconds
        )
        driven = old.driven
        if driven is not None:
            nodes, metres = driven[0], driven[1].copy()
            is_stale = scratch.touched[nodes] == 1
            metres[is_stale] = arrays.walk(scratch.before, nodes[is_stale])
            driven = (nodes, metres)
        own = np.sort(found)
        if old.nodes.size:
            scratch.touched[old.nodes] = 1
            own = np.flatnonzero(scratch.touched)
        scratch.touched[own] = 0
        if own.size * WHOLE_SHARE > arrays.size:
            return Row(scratch.seconds.copy(), scratch.before.copy(), driven=driven)
        own_s, own_before = scratch.seconds[own], scratch.before[own]
        return Row(old.whole_s, old.whole_before, own, own_s, own_before, driven)

    def _keep(self, source: int, row: Row) -> None:
        while len(self.known) >= MAX_ROWS:
            self.known.pop(list(self.known)[0], None)  # noqa: RUF015 (a list is made whole: threads)
        self.known[source] = row
