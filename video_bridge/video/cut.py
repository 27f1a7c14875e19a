"""The cut from one seating to the next: not before the newcomers' pictures are there.

A site that nobody saw is not decoded, and its next key frame takes a moment; cut at once, the wall
would show a card in between. Pure, `now` in seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from .layouts import Seating


class Cut:
    """`seat` often; `current` is what is shown, `coming` what has to be decoded for it already."""

    def __init__(self, patience_s: float) -> None:
        self.current: Seating | None = None
        self._patience_s = patience_s
        self._target: Seating | None = None
        self._since = 0.0
        self._stale_since: float | None = None  # since when something else is wanted than shown

    @property
    def coming(self) -> frozenset[str]:
        """Who is seen now or at the cut."""
        seatings = (self.current, self._target)
        return frozenset(
            seat for seating in seatings if seating for seat in seating.seats if seat is not None
        )

    def seat(self, target: Seating, is_ready: Callable[[str], bool], now: float) -> Seating:
        """What to show now: `target` once `is_ready(seat)` for each newcomer, or patience ends.

        A target that changes again and again (many join at once) is waited for twice as long.
        """
        if target != self._target:
            self._target, self._since = target, now
        if self.current is None or target == self.current:
            return self._cut(target)
        if self._stale_since is None:
            self._stale_since = now
        newcomers = {seat for seat in target.seats if seat is not None} - set(self.current.seats)
        is_late = now - self._since >= self._patience_s
        is_overdue = now - self._stale_since >= 2 * self._patience_s
        if is_late or is_overdue or all(map(is_ready, newcomers)):
            return self._cut(target)
        return self.current

    def _cut(self, target: Seating) -> Seating:
        self.current, self._stale_since = target, None
        return target
