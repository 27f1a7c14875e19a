"""Cards of an activation: which ones, due when, after what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from plans import Facts, LocalPlansError, ResponseLevel, instantiate
from tests.plans.demo import demo_plan, demo_plans

BEIJING = timezone(timedelta(hours=8))
STANDBY_AT = datetime(2026, 11, 20, 3, 18, tzinfo=BEIJING)
LEVEL_THREE_AT = datetime(2026, 11, 20, 4, 6, tzinfo=BEIJING)
LEVEL_TWO_AT = datetime(2026, 11, 20, 6, 24, tzinfo=BEIJING)


def _due(cards: tuple[object, ...]) -> dict[str, str]:
    return {c.number: c.due_at.strftime("%H:%M") for c in cards}  # type: ignore[attr-defined]


def test_the_storys_deadlines() -> None:
    """Standby, level three and level two bring the fourteen cards with the story's times."""
    plan = demo_plan("hazardous-chemicals")
    known = Facts(missing=2, trapped=0, cross_city=False)
    first = instantiate(plan, ResponseLevel.STANDBY, STANDBY_AT, facts=known)
    assert _due(first) == {
        "K01": "03:38",
        "K02": "04:18",
        "K03": "04:10",
        "K04": "05:30",
        "K06": "04:30",
        "K07": "04:50",
        "K09": "04:40",
        "K11": "04:30",
    }
    so_far = [card.number for card in first]
    second = instantiate(plan, ResponseLevel.THREE, LEVEL_THREE_AT, facts=known, already=so_far)
    assert _due(second) == {
        "K05": "07:00",
        "K08": "06:10",
        "K10": "05:30",
        "K12": "06:00",
        "K14": "09:00",
    }
    so_far += [card.number for card in second]
    crossed = replace(known, cross_city=True)
    third = instantiate(plan, ResponseLevel.TWO, LEVEL_TWO_AT, facts=crossed, already=so_far)
    assert _due(third) == {"K13": "08:30"}


def test_level_three_at_once_brings_every_card_that_facts_do_not_exclude() -> None:
    """Unknown whether the cloud crossed: the card is there, a card too many can be closed."""
    plan = demo_plan("hazardous-chemicals")
    cards = instantiate(plan, ResponseLevel.THREE, LEVEL_THREE_AT, facts=Facts(missing=2))
    assert len(cards) == 14
    assert {c.group_name for c in cards} >= {"抢险救援组", "疏散安置组", "善后组"}


def test_a_card_whose_condition_is_false_stays_away() -> None:
    """Nobody missing or trapped: no search."""
    plan = demo_plan("hazardous-chemicals")
    cards = instantiate(
        plan, ResponseLevel.THREE, LEVEL_THREE_AT, facts=Facts(missing=0, trapped=0)
    )
    assert "K04" not in {c.number for c in cards}


def test_a_card_waits_only_for_cards_that_exist() -> None:
    """A predecessor left out by tier, level or condition would block its successor for ever."""
    plan = demo_plan("hazardous-chemicals")
    for level in ResponseLevel:
        cards = instantiate(plan, level, STANDBY_AT, facts=Facts(missing=0, trapped=0))
        numbers = {c.number for c in cards}
        assert all(set(c.depends_on) <= numbers for c in cards)


def test_a_tier_gets_its_own_cards() -> None:
    """Evacuation across the city's border is no card of a county."""
    plan = demo_plan("hazardous-chemicals")
    cards = instantiate(plan, ResponseLevel.ONE, STANDBY_AT, tier="county")
    assert "K13" not in {c.number for c in cards}


def test_a_draft_and_a_naive_time_are_refused() -> None:
    """Deadlines need a zone, and only a plan in force is activated."""
    plan = demo_plan("earthquake")
    with pytest.raises(LocalPlansError, match="activation_time_naive"):
        instantiate(plan, ResponseLevel.ONE, datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(LocalPlansError, match="plan_not_in_force"):
        instantiate(replace(plan, status="draft"), ResponseLevel.ONE, datetime.now(UTC))


def test_each_plan_has_cards_at_level_one() -> None:
    """An activation without cards would be an empty gesture."""
    for plan in demo_plans():
        assert len(instantiate(plan, ResponseLevel.ONE, STANDBY_AT)) >= 8
