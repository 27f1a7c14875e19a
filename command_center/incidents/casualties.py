"""Casualty figures of one report: each may be unknown (不详), and impossible ones are refused.

The three numbers of people seen (就诊), observed (留观) and diagnosed (确诊) are kept apart: acute
industrial poisoning counts as serious injury only when diagnosed (Order 493, art. 3).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields

from .errors import CasualtiesImpossibleError

MAX_PEOPLE = 1_000_000
MAX_EVACUATED = 20_000_000
MAX_LOSS_WAN = 100_000_000  # a trillion yuan


@dataclass(frozen=True, slots=True)
class Casualties:
    """People, and `direct_loss_wan` in 10,000 yuan. None is unknown, never zero."""

    deaths: int | None = None
    missing: int | None = None
    trapped: int | None = None
    endangered: int | None = None
    serious_injuries: int | None = None
    poisoned_diagnosed: int | None = None
    observed: int | None = None
    seen: int | None = None
    evacuated: int | None = None
    direct_loss_wan: int | None = None

    def as_json(self) -> dict[str, int | None]:
        return asdict(self)

    @classmethod
    def of(cls, figures: dict[str, int | None]) -> Casualties:
        return cls(**{name: figures.get(name) for name in FIGURES})

    @property
    def injuries(self) -> int | None:
        """Serious injuries including diagnosed poisoning; None when neither is known."""
        known = [n for n in (self.serious_injuries, self.poisoned_diagnosed) if n is not None]
        return sum(known) if known else None

    @property
    def trapped_or_missing(self) -> int | None:
        known = [n for n in (self.trapped, self.missing) if n is not None]
        return sum(known) if known else None


FIGURES = tuple(field.name for field in fields(Casualties))
_LIMITS = {"evacuated": MAX_EVACUATED, "direct_loss_wan": MAX_LOSS_WAN}
CUMULATIVE = ("deaths", "serious_injuries", "poisoned_diagnosed", "seen", "direct_loss_wan")
_PARTS = (  # the first is counted within the second
    ("deaths", "endangered"),
    ("trapped", "endangered"),
    ("observed", "seen"),
    ("poisoned_diagnosed", "seen"),
)


def check(casualties: Casualties, pending: Collection[str] = ()) -> None:
    """Raises CasualtiesImpossibleError: negative, beyond measure, or a part above its whole.

    A pair of figures of which one is still 待核 may contradict each other.
    """
    for name in FIGURES:
        value = getattr(casualties, name)
        if value is None:
            continue
        if value < 0:
            raise CasualtiesImpossibleError(figure=name, rule="negative")
        if value > _LIMITS.get(name, MAX_PEOPLE):
            raise CasualtiesImpossibleError(figure=name, rule="beyond_measure")
    for part, whole in _PARTS:
        low, high = getattr(casualties, part), getattr(casualties, whole)
        if low is None or high is None or part in pending or whole in pending:
            continue
        if low > high:
            raise CasualtiesImpossibleError(figure=part, rule=f"exceeds_{whole}")


def lowered(before: Casualties, after: Casualties) -> dict[str, tuple[int, int]]:
    """Counts that only a correction lowers, and that went down: figure -> (before, after).

    The missing are found and the evacuated return: those figures fall without a correction.
    """
    found: dict[str, tuple[int, int]] = {}
    for name in CUMULATIVE:
        old, new = getattr(before, name), getattr(after, name)
        if old is not None and new is not None and new < old:
            found[name] = (old, new)
    return found


def brought_up_to_date(
    before: Casualties, now: Casualties, pending: Collection[str] = ()
) -> Casualties:
    """A follow-up that does not know a figure leaves it; one that lists it as 待核 withdraws it."""
    merged: dict[str, int | None] = {}
    for name in FIGURES:
        value = getattr(now, name)
        if value is None and name not in pending:
            value = getattr(before, name)
        merged[name] = value
    return Casualties.of(merged)
