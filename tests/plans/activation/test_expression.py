"""The trigger language: what it says, what it leaves open, what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans import Facts, RemotePlansError
from plans.activation.expression import evaluate, facts_read, parse, unknown_facts

LEVEL_TWO = "(deaths >= 3 and cross_city) or poisoned_diagnosed >= 50"


def _holds(text: str, **facts: object) -> bool | None:
    return evaluate(parse(text), Facts(**facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"deaths": 3, "cross_city": True, "poisoned_diagnosed": 18}, True),
        ({"deaths": 3, "cross_city": False, "poisoned_diagnosed": 18}, False),
        ({"deaths": 0, "cross_city": True, "poisoned_diagnosed": 51}, True),
        ({"deaths": 0, "cross_city": True, "poisoned_diagnosed": 49}, False),
        ({"deaths": None, "cross_city": None, "poisoned_diagnosed": 50}, True),
        ({"deaths": 3, "cross_city": None, "poisoned_diagnosed": 0}, None),
        ({"deaths": 2, "cross_city": None, "poisoned_diagnosed": 0}, False),
        ({"deaths": None, "cross_city": False, "poisoned_diagnosed": 0}, False),
        ({"deaths": None, "cross_city": True, "poisoned_diagnosed": 0}, None),
        ({}, None),
    ],
)
def test_the_provinces_second_level(facts: dict[str, object], expected: bool | None) -> None:
    """The trigger of the demo plan; an unknown figure decides nothing unless the rest does."""
    assert _holds(LEVEL_TWO, **facts) is expected


def test_an_unknown_addend_leaves_a_lower_bound() -> None:
    """Five dead and missing unknown are at least three; two dead are undecided."""
    assert _holds("deaths + missing >= 3", deaths=5) is True
    assert _holds("deaths + missing >= 3", deaths=2) is None
    assert _holds("deaths + missing < 3", deaths=5) is False
    assert _holds("deaths + missing <= 5", deaths=5) is None
    assert _holds("deaths + missing == 3", deaths=5) is False


def test_not_of_unknown_is_unknown() -> None:
    """Kleene: else `not cross_city` would activate on ignorance."""
    assert _holds("not cross_city") is None
    assert _holds("not cross_city", cross_city=False) is True


def test_text_facts_compare_with_strings() -> None:
    """The event type comes first."""
    text = 'event_type in ("flood", "typhoon") and warning != "blue"'
    assert _holds(text, event_type="flood", warning="red") is True
    assert _holds(text, event_type="mine") is False
    assert _holds("chemical is known") is False
    assert _holds("chemical is known", chemical="氯") is True


def test_and_binds_closer_than_or() -> None:
    """As people read it."""
    text = "near_accident or deaths >= 3 and cross_city"
    assert _holds(text, near_accident=True, deaths=0, cross_city=False) is True


def test_what_is_missing_is_named() -> None:
    """The desk asks for exactly these figures."""
    expression = parse(LEVEL_TWO)
    assert facts_read(expression) == ("deaths", "cross_city", "poisoned_diagnosed")
    assert unknown_facts(expression, Facts(deaths=3)) == ("cross_city", "poisoned_diagnosed")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "expression_invalid"),
        ("deaths", "expression_invalid"),
        ("deaths >= ", "expression_invalid"),
        ("deaths >= three", "expression_invalid"),
        ("deaths >= -1", "expression_invalid"),
        ("deaths >= 3 or", "expression_invalid"),
        ("deaths >= 3 3", "expression_invalid"),
        ("deaths >= 3)", "expression_invalid"),
        ("(deaths >= 3", "expression_invalid"),
        ('event_type in "flood"', "expression_invalid"),
        ('event_type == "flood', "expression_invalid"),
        ("deaths + cross_city >= 3", "expression_invalid"),
        ("deaths >= 3; import os", "expression_invalid"),
        ("__class__", "expression_fact_unknown"),
        ("open('x')", "expression_invalid"),
        ("nonsense >= 3", "expression_fact_unknown"),
        ("not " * 90 + "near_accident", "expression_too_deep"),
        ("(" * 40 + "near_accident" + ")" * 40, "expression_too_deep"),
        ("near_accident or " * 40 + "near_accident", "expression_too_long"),
    ],
)
def test_what_is_outside_the_grammar_is_refused(text: str, code: str) -> None:
    """A plan's file is input from outside: nothing is executed, each fault has a code."""
    with pytest.raises(RemotePlansError) as caught:
        parse(text)
    assert caught.value.code == code


@given(st.text(alphabet="deaths orndmig_t>=<!+()\"',.0139 ", max_size=80))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Parsers raise only Remote errors."""
    try:
        expression = parse(text)
    except RemotePlansError:
        return
    assert evaluate(expression, Facts()) in (True, False, None)
