"""`Replanner`: three proposals side by side when the situation has changed since the plan before.

replanner = await asyncio.to_thread(Replanner, desk, previous)
found = await replanner.run(pool, seconds=2.0)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .optimiser.evaluate import Evaluation
from .optimiser.problem import Plan
from .optimiser.replan import NAMES, Alternative, questions
from .optimiser.result import Result
from .phrases import Reason
from .proposals import Desk
from .requests import DispatchChoice, ProposedAlternative
from .solver_pool import SolverPool

FIRST = "first"


@dataclass(frozen=True, slots=True)
class Progress:
    """The best so far of one answer: whole cost, visits not made, and which answer."""

    name: str
    cost: int
    unserved: int


Hear = Callable[[Progress], None]


class Replanner:
    """One dispatch question against the plan before it; without one there is a single answer."""

    def __init__(self, desk: Desk, previous: Sequence[DispatchChoice]) -> None:
        """Makes the insert-only answer at once: some tenths of a second, so not in a loop."""
        self.desk = desk
        self.before = desk.plan_of(previous)
        self.has_before = any(self.before.routes)
        self.asked = questions(desk.problem, self.before)

    def at_once(self) -> ProposedAlternative | None:
        """The insert-only answer in words, before any search; None without a plan before."""
        if not self.has_before:
            return None
        cost = self.asked.cost(self.asked.kept)
        return self._worded(Alternative(NAMES[0], self.asked.kept, (), cost, None), None)

    async def run(
        self,
        pool: SolverPool,
        *,
        seconds: float = 2.0,
        seed: int = 0,
        cancel: asyncio.Event | None = None,
        hear: Hear | None = None,
    ) -> tuple[ProposedAlternative, ...]:
        """`insert_only`, `balanced`, `free`; or `first` alone. `cancel` gives the best so far."""
        if not self.has_before:
            result, note = await pool.solve(
                self.asked.free,
                seconds=seconds,
                seed=seed,
                processes=2,
                cancel=cancel,
                on_improved=self._heard(FIRST, hear),
            )
            only = Alternative(FIRST, result.plan, (), self.asked.cost(result.plan), result)
            return (await asyncio.to_thread(self._worded, only, note),)
        balanced, free = await asyncio.gather(
            pool.solve(
                self.asked.balanced,
                seconds=seconds,
                seed=seed,
                start=self.asked.kept,
                cancel=cancel,
                on_improved=self._heard(NAMES[1], hear),
            ),
            pool.solve(
                self.asked.free,
                seconds=seconds,
                seed=seed,
                cancel=cancel,
                on_improved=self._heard(NAMES[2], hear),
            ),
        )
        notes = (None, balanced[1], free[1])
        answers = self.asked.answers(balanced[0], free[0])
        return await asyncio.to_thread(
            lambda: tuple(self._worded(a, n) for a, n in zip(answers, notes, strict=True))
        )

    def _heard(self, name: str, hear: Hear | None) -> Callable[[Plan, Evaluation], None] | None:
        if hear is None:
            return None

        def improved(plan: Plan, judged: Evaluation) -> None:
            made = sum(len(route) for route in plan.routes)
            hear(Progress(name, self.asked.cost(plan), self.desk.problem.visits - made))

        return improved

    def _worded(self, answer: Alternative, note: Reason | None) -> ProposedAlternative:
        result = answer.result or Result(
            answer.plan, self.asked.judge(answer.plan), "insert_only", None, 0, 0.0, 0.0
        )
        judged = self.asked.judge(answer.plan)
        bound = result.bound if answer.name in (FIRST, NAMES[2]) else None
        shown = Result(
            answer.plan,
            judged,
            result.solver,
            bound,
            result.iterations,
            result.first_plan_s,
            result.runtime_s,
        )
        return ProposedAlternative(
            answer.name,
            self.desk.proposal(shown, note),
            self.desk.changes(self.before, answer.plan),
            answer.cost,
        )
