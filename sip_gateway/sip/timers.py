"""Timers as data: keys with due times, driven by `now` from outside."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable


class Timers:
    """A set of named timers. Arming a key again replaces its due time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Hashable]] = []
        self._due: dict[Hashable, tuple[float, int]] = {}
        self._order = itertools.count()

    def arm(self, key: Hashable, due: float) -> None:
        entry = (due, next(self._order))
        self._due[key] = entry
        heapq.heappush(self._heap, (*entry, key))

    def disarm(self, key: Hashable) -> None:
        self._due.pop(key, None)

    def is_armed(self, key: Hashable) -> bool:
        return key in self._due

    def next_due(self) -> float | None:
        """When the earliest timer is due, None when none is armed."""
        while self._heap:
            due, order, key = self._heap[0]
            if self._due.get(key) == (due, order):
                return due
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: float) -> Hashable | None:
        """Take one timer that is due, in the order of their times; None when none is."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, _, key = heapq.heappop(self._heap)
        del self._due[key]
        return key
