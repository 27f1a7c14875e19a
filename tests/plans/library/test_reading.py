"""Plan files: what is read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from plans import RemotePlansError, read_plan
from tests.plans.demo import FOLDER, demo_plan, demo_plans

ID = UUID(int=1)
TEXT = (FOLDER / "hazardous-chemicals.toml").read_text("utf-8")


def test_six_plans_marked_as_demonstration() -> None:
    """Nobody may mistake one of them for a real plan."""
    plans = demo_plans()
    assert len(plans) == 6
    assert all(plan.is_demo and "演示" in plan.name for plan in plans)
    assert len({plan.code for plan in plans}) == 6


def test_each_card_opens_a_paragraph_with_words_in_it() -> None:
    """A card's clause is its source: an empty heading proves nothing."""
    for plan in demo_plans():
        text = {clause.number: clause.text for clause in plan.clauses}
        for card in plan.cards:
            assert text[card.clause] or card.clause in {"5.3", "5.5"}, (plan.code, card.number)


def test_the_fourteen_cards_of_the_story() -> None:
    """Numbers, groups and clauses of the demo accident."""
    plan = demo_plan("hazardous-chemicals")
    assert [card.number for card in plan.cards] == [f"K{n:02d}" for n in range(1, 15)]
    assert {card.number: card.clause for card in plan.cards}["K08"] == "5.6.2"
    assert [group.code for group in plan.groups] == [f"G{n}" for n in range(1, 12)]
    needs = {(n.item, n.quantity, n.unit) for c in plan.cards for n in c.needs}
    assert {("液碱", 20, "t"), ("消石灰", 10, "t")} <= needs


def test_all_phone_numbers_of_the_demonstration_are_dead() -> None:
    """They begin with 000, and all names carry 示."""
    for plan in demo_plans():
        for contact in plan.contacts:
            assert contact.phone.startswith("000")
            assert "示" in contact.name


BROKEN: dict[str, tuple[Callable[[str], str], str]] = {
    "not TOML": (lambda t: t + "\n[[", "plan_unreadable"),
    "unknown key": (lambda t: t.replace("summary =", "sumary =", 1), "plan_unreadable"),
    "clause missing": (lambda t: t.replace('number = "5.3.1"', 'number = "5.3.9"'), "plan_invalid"),
    "group missing": (lambda t: t.replace('group = "G4"', 'group = "G99"', 1), "plan_invalid"),
    "circle": (
        lambda t: t.replace(
            'evidence = "现场照片2张', 'depends_on = ["K02"]\nevidence = "现场照片2张'
        ),
        "plan_invalid",
    ),
    "weights": (lambda t: t.replace("weight = 45", "weight = 44"), "plan_invalid"),
    "bad trigger": (
        lambda t: t.replace('trigger = "near_accident"', 'trigger = "near_accident()"'),
        "plan_invalid",
    ),
    "card twice": (lambda t: t.replace('number = "K02"', 'number = "K01"'), "plan_invalid"),
    "deadline zero": (
        lambda t: t.replace("deadline_minutes = 20", "deadline_minutes = 0"),
        "plan_unreadable",
    ),
    "skills without crew": (lambda t: t.replace("crew_needed = 4", ""), "plan_invalid"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plan_is_refused_whole(fault: str) -> None:
    """A plan is used in the worst hour: what does not fit is found when it is filed."""
    change, code = BROKEN[fault]
    changed = change(TEXT)
    assert changed != TEXT
    with pytest.raises(RemotePlansError) as caught:
        read_plan(changed, ID)
    assert caught.value.code == code
