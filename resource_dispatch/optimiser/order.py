"""What a solver process is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from .problem import Problem


@dataclass(frozen=True, slots=True)
class SolveOrder:
    """One problem, its wall-clock seconds and its seed."""

    problem: Problem
    seconds: float
    seed: int
