"""When to stop: small classes, asked once per iteration with the best objective so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Stop(Protocol):
    """`remaining_s` bounds solvers that cannot be asked while they run."""

    def __call__(self, best: int) -> bool: ...

    def remaining_s(self) -> float: ...


class MaxSeconds:
    """Stops after wall-clock seconds from the first question; `process_time`: of processor."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._begun: float | None = None

    def __call__(self, best: int) -> bool:
        return self.remaining_s() <= 0

    def remaining_s(self) -> float:
        now = self._clock()
        if self._begun is None:
            self._begun = now
        return self.seconds - (now - self._begun)


class MaxIterations:
    """Stops after a number of questions: the same answer every time in one process."""

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self._asked = 0

    def __call__(self, best: int) -> bool:
        self._asked += 1
        return self._asked > self.iterations

    def remaining_s(self) -> float:
        return float("inf")


class NoImprovement:
    """Stops when the best objective has stood for a number of questions."""

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self._best: int | None = None
        self._stood = 0

    def __call__(self, best: int) -> bool:
        if self._best is None or best < self._best:
            self._best = best
            self._stood = 0
        else:
            self._stood += 1
        return self._stood >= self.iterations

    def remaining_s(self) -> float:
        return float("inf")


class FirstOf:
    """Stops when any of several criteria does."""

    def __init__(self, *criteria: Stop) -> None:
        self.criteria = criteria

    def __call__(self, best: int) -> bool:
        answers = [criterion(best) for criterion in self.criteria]  # each must hear the question
        return any(answers)

    def remaining_s(self) -> float:
        return min(criterion.remaining_s() for criterion in self.criteria)


class Cancelled:
    """Stops when `is_cancelled()` says so."""

    def __init__(self, is_cancelled: Callable[[], bool]) -> None:
        self._is_cancelled = is_cancelled

    def __call__(self, best: int) -> bool:
        return self._is_cancelled()

    def remaining_s(self) -> float:
        return 0.0 if self._is_cancelled() else float("inf")
