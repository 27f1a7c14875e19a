"""What a solver hands back."""

from __future__ import annotations

from dataclasses import dataclass

from .evaluate import Evaluation
from .problem import Plan


@dataclass(frozen=True, slots=True)
class Result:
    """The best plan found, judged. `bound` is a proven lower bound on the objective, or None."""

    plan: Plan
    evaluation: Evaluation
    solver: str
    bound: int | None
    iterations: int
    first_plan_s: float
    runtime_s: float

    @property
    def objective(self) -> int:
        return self.evaluation.objective

    @property
    def is_optimal(self) -> bool:
        return self.bound is not None and self.objective <= self.bound

    @property
    def gap(self) -> float | None:
        """How far above the proven bound at most, as a share; None without a bound."""
        if self.bound is None or self.bound <= 0:
            return None
        return self.objective / self.bound - 1
