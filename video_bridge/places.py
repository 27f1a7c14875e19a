"""Where each receiver of a conference stands on the ladder, asked of `allocation` often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .allocation import Allocation, Allocator, RungKey, Wish
from .leg import Leg
from .streams.outbound import Outbound

REFRESH_S = 0.4
LOOK_S = 0.1  # what has not changed in number is not looked at oftener


class EncoderBudget(Protocol):
    """The node's: what is left for one conference's encoders, and what it takes of that."""

    def left_for(self, conference_id: str) -> float:
        """Milliseconds of a reference core each second."""

    def take(self, conference_id: str, cost_ms_per_s: float, least_ms_per_s: float) -> None:
        """What the conference's encoders cost from now on, and what they could at least."""


class Places:
    """Call `refresh` as often as you like; newcomers get their place at once."""

    def __init__(
        self, conference_id: str, budget: EncoderBudget, view_of: Callable[[Leg], str]
    ) -> None:
        self._conference_id = conference_id
        self._budget = budget
        self._view_of = view_of
        self._allocator = Allocator()
        self._allocation: Allocation | None = None
        self._wished: tuple[Wish, ...] = ()
        self._refreshed_at = 0.0
        self._looked_at = -LOOK_S

    def rung_of(self, leg_id: str) -> RungKey | None:
        """None: sound alone."""
        return None if self._allocation is None else self._allocation.rungs.get(leg_id)

    @property
    def shed(self) -> int:
        """How many encodings are left out for want of capacity."""
        return 0 if self._allocation is None else len(self._allocation.shed)

    def refresh(self, receivers: Sequence[tuple[Leg, Outbound]], now: float) -> None:
        if now - self._looked_at < LOOK_S and len(receivers) == len(self._wished):
            return
        self._looked_at = now
        wishes = tuple(
            Wish(leg.leg_id, outbound.steps, self._view_of(leg)) for leg, outbound in receivers
        )
        if wishes == self._wished and now - self._refreshed_at < REFRESH_S:
            return
        self._wished, self._refreshed_at = wishes, now
        left = self._budget.left_for(self._conference_id)
        self._allocation = self._allocator.allocate(wishes, left, now)
        found = self._allocation
        self._budget.take(self._conference_id, found.cost_ms_per_s, found.least_ms_per_s)
