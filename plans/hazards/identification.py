"""Is a unit a major hazard source, and of which level? GB 18218-2018, clauses 4.2 and 4.3. Pure.

First S = sum(q_i / Q_i) (4.2.1): below 1 the unit is no major hazard and has no level. From 1 on
R = alpha * sum(beta_i * q_i / Q_i) (4.3.2) gives the level (4.3.4). Sums are exact fractions, so
that 4.9 + 0.1 is 5 and S = 1 is a major hazard.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources

from ..errors import LocalPlansError

DECIMAL = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Substance:
    """A row of the threshold table; tonnes as exact fractions."""

    name: str
    aliases: tuple[str, ...]
    cas: str
    threshold_tonnes: Fraction
    beta: Fraction
    beta_from: str


@dataclass(frozen=True, slots=True)
class Holding:
    """The design maximum of one substance in the unit, in tonnes (4.1.3): a decimal string."""

    substance: str
    tonnes: str


@dataclass(frozen=True, slots=True)
class Identification:
    """`level` 1 is the most serious; r and level are None where S < 1."""

    s: Fraction
    r: Fraction | None
    level: int | None
    alpha: Fraction

    @property
    def is_major_hazard(self) -> bool:
        return self.level is not None


@cache
def substances() -> tuple[Substance, ...]:
    """The threshold table of `thresholds.toml`."""
    text = resources.files(__package__).joinpath("thresholds.toml").read_text("utf-8")
    return tuple(
        Substance(
            name=row["name"],
            aliases=tuple(row["aliases"]),
            cas=row["cas"],
            threshold_tonnes=Fraction(row["threshold_tonnes"]),
            beta=Fraction(row["beta"]),
            beta_from=row["beta_from"],
        )
        for row in tomllib.loads(text)["substance"]
    )


def substance_named(name: str) -> Substance:
    """By name or alias. Raises LocalPlansError `substance_unknown`."""
    for substance in substances():
        if name == substance.name or name in substance.aliases:
            return substance
    raise LocalPlansError("substance_unknown", name=name)


def alpha_for(residents_500m: int) -> Fraction:
    """The exposure factor (table 5) by people living within 500 m of the plant's boundary.

    Those are permanent residents outside the fence, not the shift inside it.
    """
    if residents_500m < 0:
        raise LocalPlansError("residents_negative", residents=residents_500m)
    for least, alpha in ((100, "2.0"), (50, "1.5"), (30, "1.2"), (1, "1.0")):
        if residents_500m >= least:
            return Fraction(alpha)
    return Fraction("0.5")


def level_for(r: Fraction) -> int:
    """The level by R (table 6): I from 100, II from 50, III from 10, IV below."""
    for level, least in ((1, 100), (2, 50), (3, 10)):
        if r >= least:
            return level
    return 4


def identify(holdings: Sequence[Holding], residents_500m: int) -> Identification:
    """Identify one production or storage unit.

    Transport outside the plant, mines, military and nuclear sites are outside the standard
    (clause 1): the caller does not ask about them. Raises LocalPlansError for a substance that is
    not in the table, a negative quantity or an unreadable one.
    """
    alpha = alpha_for(residents_500m)
    shares = [(_tonnes(h) / s.threshold_tonnes, s.beta) for h, s in _named(holdings)]
    total = sum((share for share, _ in shares), Fraction(0))
    if total < 1:
        return Identification(total, None, None, alpha)
    r = alpha * sum((beta * share for share, beta in shares), Fraction(0))
    return Identification(total, r, level_for(r), alpha)


def _named(holdings: Sequence[Holding]) -> list[tuple[Holding, Substance]]:
    return [(holding, substance_named(holding.substance)) for holding in holdings]


def _tonnes(holding: Holding) -> Fraction:
    if not DECIMAL.fullmatch(holding.tonnes):
        raise LocalPlansError("quantity_invalid", quantity=holding.tonnes)
    return Fraction(holding.tonnes)
