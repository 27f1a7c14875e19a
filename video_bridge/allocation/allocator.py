"""Shares a budget of encoders among all receivers: rungs are shed before frames are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .rungs import RungKey, encode_ms_per_s

SHED_FOR_S = 15.0  # a rung that was too dear is not tried again before
RETURN_SHARE = 0.9  # of the budget must be enough for all before it comes back

Encoding = tuple[str, RungKey]  # the view (layout) that is encoded, and as what


@dataclass(frozen=True, slots=True)
class Wish:
    """One receiver: the rungs its line and screen allow now, best first; none: sound alone."""

    receiver: str
    steps: tuple[RungKey, ...]
    view: str = "hall"


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where each receiver stands (None: sound alone) and what the encoders cost together."""

    rungs: Mapping[str, RungKey | None]
    cost_ms_per_s: float
    shed: frozenset[Encoding]
    least_ms_per_s: float  # if all stood on their lowest


class Allocator:
    """`allocate` as often as you like; it remembers only which rungs were shed, and when."""

    def __init__(self) -> None:
        self._shed: dict[Encoding, float] = {}  # not to be tried before

    def allocate(self, wishes: Sequence[Wish], budget_ms_per_s: float, now: float) -> Allocation:
        """Everybody's best rung, less the dearest ones per receiver until the budget holds."""
        self._let_back(wishes, budget_ms_per_s, now)
        barred = set(self._shed)
        placed = _place(wishes, barred)
        while _cost(placed.values()) > budget_ms_per_s:
            dearest = _dearest(wishes, placed, barred)
            if dearest is None:
                break  # all stand on their lowest: admission has to refuse
            barred.add(dearest)
            self._shed[dearest] = now + SHED_FOR_S
            placed = _place(wishes, barred)
        rungs = {name: found[1] if found is not None else None for name, found in placed.items()}
        lowest = {(wish.view, wish.steps[-1]) for wish in wishes if wish.steps}
        return Allocation(rungs, _cost(placed.values()), frozenset(self._shed), _cost(lowest))

    def _let_back(self, wishes: Sequence[Wish], budget_ms_per_s: float, now: float) -> None:
        """Rungs whose time is over, cheapest first, where they leave room."""
        due = [encoding for encoding, until in self._shed.items() if now >= until]
        for encoding in sorted(due, key=lambda e: encode_ms_per_s(e[1])):
            others = set(self._shed) - {encoding}
            if _cost(_place(wishes, others).values()) <= RETURN_SHARE * budget_ms_per_s:
                del self._shed[encoding]


def _place(wishes: Iterable[Wish], barred: set[Encoding]) -> dict[str, Encoding | None]:
    """Each on the first of its steps that is not barred; on its last if all are."""
    placed: dict[str, Encoding | None] = {}
    for wish in wishes:
        free = (key for key in wish.steps if (wish.view, key) not in barred)
        key = next(free, wish.steps[-1] if wish.steps else None)
        placed[wish.receiver] = None if key is None else (wish.view, key)
    return placed


def _cost(encodings: Iterable[Encoding | None]) -> float:
    return sum(encode_ms_per_s(found[1]) for found in set(encodings) if found is not None)


def _dearest(
    wishes: Sequence[Wish], placed: Mapping[str, Encoding | None], barred: set[Encoding]
) -> Encoding | None:
    """The encoding whose loss saves most for each receiver that has to step down."""
    standing = Counter(found for found in placed.values() if found is not None)
    now_ms = _cost(placed.values())
    best: tuple[float, Encoding] | None = None
    for encoding, receivers in standing.items():
        if encoding in barred:
            continue  # somebody's last step
        saved = now_ms - _cost(_place(wishes, barred | {encoding}).values())
        if saved > 0 and (best is None or saved / receivers > best[0]):
            best = saved / receivers, encoding
    return best[1] if best is not None else None
