"""Where numbers lead: one rule at most, service numbers untouched, nobody put through outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_gateway.dial_plan import (
    LOBBY_NUMBER,
    SERVICE_NUMBERS,
    DialPlan,
    Direction,
    Inside,
    Nowhere,
    Outside,
    Rule,
    Way,
    plain_number,
)
from sip_gateway.errors import LocalSipError

IN, OUT = Direction.IN, Direction.OUT
NUMBERS = st.text("0123456789", min_size=1, max_size=12)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    direction = draw(st.sampled_from(Direction))
    ways = (Way.INSIDE, Way.BARRED) if direction is IN else tuple(Way)
    match, is_whole = draw(NUMBERS), draw(st.booleans())
    strip = 0 if is_whole else draw(st.integers(0, 32))
    add = draw(st.text("0123456789", max_size=6))
    return Rule(direction, match, is_whole, strip, add, draw(st.sampled_from(ways)))


PLANS = st.lists(rules(), max_size=8).map(lambda made: DialPlan(tuple(made)))


@given(PLANS, st.text(max_size=40))
def test_any_text_leads_somewhere_or_is_refused_with_its_reason(plan: DialPlan, text: str) -> None:
    """No text breaks a plan, and what comes in never goes out."""
    assert isinstance(plan.incoming(text), Inside | Nowhere)
    led = plan.outgoing(text)
    assert isinstance(led, Inside | Outside | Nowhere)
    if not isinstance(led, Nowhere):
        assert plain_number(led.number) == led.number


@given(PLANS, st.sampled_from(sorted(SERVICE_NUMBERS)))
def test_no_rule_hides_a_service_number(plan: DialPlan, number: str) -> None:
    """A hall in trouble can always reach the self-test and the lobby."""
    assert plan.incoming(number) == Inside(number)


@given(PLANS, NUMBERS, st.sampled_from(Direction), st.randoms(use_true_random=False))
def test_the_order_of_rules_matters_only_between_equal_ones(
    plan: DialPlan, number: str, direction: Direction, random: object
) -> None:
    """The whole number first, then the longest beginning: whoever edits need not sort."""
    first = {}
    for rule in plan.rules:
        first.setdefault((rule.direction, rule.match, rule.is_whole), rule)
    unlike = list(first.values())
    shuffled = list(unlike)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ways = [DialPlan(tuple(order)) for order in (list(plan.rules), unlike, shuffled)]
    asked = [one.incoming if direction is IN else one.outgoing for one in ways]
    assert len({ask(number) for ask in asked}) == 1


@given(PLANS, NUMBERS)
def test_what_a_rule_made_is_not_looked_at_again(plan: DialPlan, number: str) -> None:
    """Every result is one rule's own work, so that no plan runs in circles."""
    led = plan.outgoing(number)
    made = {number} | {rule.applied(number) for rule in plan.rules if rule.fits(number)}
    assert led.number in made


@given(st.text("0123456789 -.()", min_size=1, max_size=20))
def test_separators_and_full_width_digits_make_no_difference(text: str) -> None:
    """A number is compared as a person reads it."""
    wide = text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    assert DialPlan().outgoing(wide) == DialPlan().outgoing(text) or plain_number(text) is None


@pytest.mark.parametrize(
    ("dialled", "led"),
    [
        ("9001", Inside("9001")),
        ("075188889001", Inside("9001")),  # the trunk's direct numbers
        ("119", Inside("440200")),
        ("韶关", Inside("440200")),
        ("Shao-Guan", Inside("440200")),
        ("", Inside(LOBBY_NUMBER)),
        ("00112", Nowhere("number_barred", "00112", "00")),
        ("a b;c", Nowhere("number_malformed", "a b;c")),
    ],
)
def test_incoming_numbers_lead_as_the_plan_says(dialled: str, led: Inside | Nowhere) -> None:
    """An example of each kind of rule."""
    plan = DialPlan(
        (
            Rule(IN, "07518888", strip=8),
            Rule(IN, "119", is_whole=True, add="440200"),
            Rule(IN, "韶关", is_whole=True, add="440200"),
            Rule(IN, "shaoguan", is_whole=True, add="440200"),
            Rule(IN, "00", way=Way.BARRED),
        )
    )
    assert plan.incoming(dialled) == led


@pytest.mark.parametrize(
    ("dialled", "led"),
    [
        ("0751-2271234", Outside("907512271234", Way.TRUNK)),
        ("0755 1", Outside("07551", Way.TRUNK)),  # the longer beginning wins
        ("6", Nowhere("number_emptied", "6", "6")),
        ("440229", Inside("440229")),
        ("86123", Outside("123", Way.GATEKEEPER)),
        ("13800001234", Outside("13800001234", Way.TRUNK)),
        ("001", Nowhere("number_barred", "001", "00")),
    ],
)
def test_outgoing_numbers_lead_as_the_plan_says(
    dialled: str, led: Inside | Outside | Nowhere
) -> None:
    """Site, trunk, gatekeeper; beginnings taken off and put on; barred; nothing left."""
    plan = DialPlan(
        (
            Rule(OUT, "0", add="9", way=Way.TRUNK),
            Rule(OUT, "0755", way=Way.TRUNK),
            Rule(OUT, "00", way=Way.BARRED),
            Rule(OUT, "6", strip=1, way=Way.TRUNK),
            Rule(OUT, "44"),
            Rule(OUT, "86", strip=2, way=Way.GATEKEEPER),
        )
    )
    assert plan.outgoing(dialled) == led


@pytest.mark.parametrize(
    ("field", "made"),
    [
        ("match", {"direction": OUT, "match": "1 2"}),
        ("match", {"direction": OUT, "match": ""}),
        ("add", {"direction": OUT, "match": "1", "add": "x;y"}),
        ("strip", {"direction": OUT, "match": "12", "is_whole": True, "strip": 1}),
        ("way", {"direction": IN, "match": "1", "way": Way.TRUNK}),
        ("way", {"direction": IN, "match": "1", "way": Way.GATEKEEPER}),
    ],
)
def test_a_rule_without_sense_is_not_made(field: str, made: dict[str, object]) -> None:
    """Above all none that puts a caller through to the telephone net."""
    with pytest.raises(LocalSipError) as caught:
        Rule(**made)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.fields["field"]) == ("rule_malformed", field)
