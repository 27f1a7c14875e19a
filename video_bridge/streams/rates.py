"""How much per second, over the last seconds."""

from __future__ import annotations

from collections import deque

WINDOW_S = 2.0
CELL_S = 0.5


class Rate:
    """Counts amounts in half-second cells; pure, `now` in seconds."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._cells: deque[tuple[float, float]] = deque()  # (cell start, amount)
        self._since: float | None = None

    def add(self, amount: float, now: float) -> None:
        if self._since is None:
            self._since = now
        start = now // CELL_S * CELL_S
        if self._cells and self._cells[-1][0] == start:
            self._cells[-1] = (start, self._cells[-1][1] + amount)
        else:
            self._cells.append((start, amount))
        self._drop(now)

    def per_second(self, now: float) -> float:
        """Zero until something came and again once the window is empty."""
        self._drop(now)
        if self._since is None or not self._cells:
            return 0.0
        span = max(CELL_S, min(self._window_s, now - self._since))
        return sum(amount for _, amount in self._cells) / span

    def peak_per_second(self, now: float) -> float:
        """Of the window's fullest half second."""
        self._drop(now)
        return max((amount for _, amount in self._cells), default=0.0) / CELL_S

    def _drop(self, now: float) -> None:
        while self._cells and self._cells[0][0] < now - self._window_s:
            self._cells.popleft()
