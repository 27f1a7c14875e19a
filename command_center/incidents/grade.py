"""The accident's grade by State Council Order 493, art. 3, and 较大涉险 by Order 21.

Pure. The highest of three criteria wins; 以上 includes the number. Unknown figures count for
nothing: known ones give the grade that is certain already. This is the preliminary judgement
(初判); the investigation determines (认定).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .casualties import Casualties
from .words import word


class Grade(StrEnum):
    GENERAL = "general"
    LARGER = "larger"
    MAJOR = "major"
    EXTRAORDINARY = "extraordinary"

    @property
    def rank(self) -> int:
        """1 general to 4 extraordinary."""
        return list(Grade).index(self) + 1


OUTSIDE_ORDER_493 = frozenset(
    {
        "environmental_pollution",
        "environment",
        "nuclear",
        "radiation",
        "flood",
        "drought",
        "typhoon",
        "rainstorm",
        "earthquake",
        "geological",
        "landslide",
        "forest_fire",
        "public_health",
        "social_security",
    }
)
"""Event types with classifications of their own: the type comes first, then the grade."""

# grade -> (deaths, serious injuries, direct loss in 10,000 yuan), each "以上"
LIMITS: dict[Grade, tuple[int, int, int]] = {
    Grade.EXTRAORDINARY: (30, 100, 10_000),
    Grade.MAJOR: (10, 50, 5_000),
    Grade.LARGER: (3, 10, 1_000),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """`value` None: not enough is known, or the order does not apply. `criterion` says why."""

    value: Grade | None
    label: str
    criterion: str
    is_provisional: bool = False


def judge(event_type: str, casualties: Casualties) -> Judgement:
    """The preliminary grade with the sentence that gives its reason."""
    if event_type in OUTSIDE_ORDER_493:
        return Judgement(None, word("grade", "outside"), word("criterion", "outside"))
    figures = {
        "deaths": casualties.deaths,
        "injuries": casualties.injuries,
        "loss": casualties.direct_loss_wan,
    }
    if casualties.deaths is None and casualties.injuries is None and figures["loss"] is None:
        return Judgement(None, word("grade", "none"), word("criterion", "insufficient"))
    for grade, limits in LIMITS.items():
        reached = [
            word("criterion", name, value=value, limit=limit)
            for (name, value), limit in zip(figures.items(), limits, strict=True)
            if value is not None and value >= limit
        ]
        if reached:
            text = word("criterion", "separator").join(reached)
            return Judgement(grade, word("grade", grade.value), text)
    unknown = [
        word("figure", figure)
        for figure, value in (
            ("deaths", casualties.deaths),
            ("injuries", casualties.injuries),
            ("direct_loss_wan", casualties.direct_loss_wan),
        )
        if value is None
    ]
    if unknown:
        return Judgement(
            Grade.GENERAL,
            word("grade", "general_provisional"),
            word("criterion", "below_known", unknown=word("criterion", "comma").join(unknown)),
            is_provisional=True,
        )
    return Judgement(Grade.GENERAL, word("grade", "general"), word("criterion", "below"))


def near_accident(casualties: Casualties) -> list[str]:
    """The criteria of 较大涉险 that hold (Order 21); none is an empty list."""
    figures = (
        ("endangered", casualties.endangered, 10),
        ("trapped", casualties.trapped_or_missing, 3),
        ("evacuated", casualties.evacuated, 500),
    )
    return [
        word("near_accident", name, value=value)
        for name, value, limit in figures
        if value is not None and value >= limit
    ]
