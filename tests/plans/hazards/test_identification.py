"""GB 18218-2018 by its worked examples and its borders."""

from __future__ import annotations

from fractions import Fraction

import pytest

from plans import LocalPlansError
from plans.hazards.identification import Holding, alpha_for, identify, level_for, substances


def test_chlorine_of_the_demo_store_is_level_three() -> None:
    """28 t of chlorine with 412 residents: S 5.6, R 44.8, level III."""
    found = identify([Holding("液氯", "28")], 412)
    assert (found.s, found.r, found.level) == (Fraction("5.6"), Fraction("44.8"), 3)


def test_ammonia_below_its_threshold_has_no_level() -> None:
    """8 t of ammonia: S 0.8 is no major hazard, so R and a level would be invented figures."""
    found = identify([Holding("液氨", "8")], 412)
    assert (found.s, found.r, found.level) == (Fraction("0.8"), None, None)
    assert not found.is_major_hazard


def test_substances_add_up_before_the_threshold_is_judged() -> None:
    """Two substances each below their threshold are a major hazard together (4.2.1 b)."""
    found = identify([Holding("液氯", "3"), Holding("液氨", "4")], 0)
    assert found.s == 1
    assert found.r == Fraction("0.5") * (4 * Fraction(3, 5) + 2 * Fraction(4, 10))
    assert found.level == 4


def test_exactly_the_threshold_is_a_major_hazard() -> None:
    """S >= 1 includes 1; binary floats would lose 0.1 + 0.2 here."""
    assert identify([Holding("光气", "0.1"), Holding("碳酰氯", "0.2")], 1).s == 1


@pytest.mark.parametrize(
    ("residents", "alpha"),
    [
        (0, "0.5"),
        (1, "1.0"),
        (29, "1.0"),
        (30, "1.2"),
        (49, "1.2"),
        (50, "1.5"),
        (99, "1.5"),
        (100, "2.0"),
        (4000, "2.0"),
    ],
)
def test_alpha_follows_the_residents(residents: int, alpha: str) -> None:
    """Table 5, at both sides of each border."""
    assert alpha_for(residents) == Fraction(alpha)


@pytest.mark.parametrize(
    ("r", "level"), [("9.99", 4), ("10", 3), ("49.9", 3), ("50", 2), ("99.9", 2), ("100", 1)]
)
def test_level_follows_r(r: str, level: int) -> None:
    """Table 6: the lower border belongs to the more serious level."""
    assert level_for(Fraction(r)) == level


def test_chlorine_and_fluorine_are_not_swapped() -> None:
    """Public copies of the standard swap them: chlorine 5 t, fluorine 1 t."""
    by_name = {substance.name: substance for substance in substances()}
    assert by_name["氯"].threshold_tonnes == 5
    assert by_name["氟"].threshold_tonnes == 1


def test_table_three_factors() -> None:
    """The named substances of table 3."""
    by_name = {substance.name: substance.beta for substance in substances()}
    expected = {"二氧化硫": 2, "氨": 2, "环氧乙烷": 2, "氯化氢(无水)": 3, "溴甲烷": 3, "氯": 4}
    expected |= {"硫化氢": 5, "氟化氢": 5, "二氧化氮": 10, "氰化氢": 10}
    expected |= {"碳酰氯": 20, "磷化氢": 20, "异氰酸甲酯": 20}
    assert {name: by_name[name] for name in expected} == expected


def test_names_are_unique() -> None:
    """An alias of two substances would pick one by chance."""
    names = [name for s in substances() for name in (s.name, *s.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("tonnes", ["-1", "", "1e9", "NaN", "1/0", "1/3", "٣"])
def test_a_quantity_that_is_no_decimal_is_refused(tonnes: str) -> None:
    """Quantities come from people's forms."""
    with pytest.raises(LocalPlansError) as caught:
        identify([Holding("液氯", tonnes)], 0)
    assert caught.value.code == "quantity_invalid"


def test_an_unknown_substance_is_refused() -> None:
    """Leaving it out would make a hazard smaller than it is."""
    with pytest.raises(LocalPlansError) as caught:
        identify([Holding("液氯", "28"), Holding("某物", "1")], 0)
    assert caught.value.code == "substance_unknown"
