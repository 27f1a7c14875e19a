"""What a solver process is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from .problem import Plan, Problem

LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class SolveOrder:
    """One problem, when its answer is due (`time.monotonic()`), its seed, where to begin."""

    problem: Problem
    due: float
    seed: int
    start: Plan | None = None
