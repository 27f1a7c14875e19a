"""Plans proposed for the demo accident, snapshot by snapshot."""

from __future__ import annotations

import pytest

from plans import Facts, Proposal, ResponseLevel, facts_from_incident, propose
from plans.words import word
from tests.plans.demo import demo_plans

SNAPSHOTS = {
    "S2": {"deaths": 0, "missing": 2, "poisoned_diagnosed": 0, "evacuated": 620},
    "S3": {"deaths": 0, "missing": 2, "poisoned_diagnosed": 11, "evacuated": 1120},
    "S4": {"deaths": 3, "missing": 0, "poisoned_diagnosed": 18, "evacuated": 1480},
    "S5": {"deaths": 3, "missing": 0, "poisoned_diagnosed": 51, "evacuated": 5230},
}


def _incident(snapshot: str) -> dict[str, object]:
    return {
        "title": "翁源“演示精细化工”液氯泄漏",
        "event_type": "hazardous_chemicals",
        "grade": {"value": "general"},
        "near_accident": {"recognised": True, "criteria": []},
        "casualties": {"serious_injuries": None, **SNAPSHOTS[snapshot]},
    }


def _proposals(snapshot: str, *, cross_city: bool | None = None) -> dict[str, Proposal]:
    facts = facts_from_incident(_incident(snapshot), border_city_km=6.2, cross_city=cross_city)
    return {p.plan.code: p for p in propose(facts, demo_plans())}


def test_the_chemical_plan_comes_first_with_its_reasons() -> None:
    """0.93 and 0.61 as the story has them: each point of the score is a sentence."""
    found = _proposals("S2")
    assert list(found) == ["GD-YJ-WH", "GD-YJ-HJ"]
    assert [p.score for p in found.values()] == [0.93, 0.61]
    assert found["GD-YJ-WH"].reasons[1] == "涉及有毒物质：氯"
    assert "6.2公里" in found["GD-YJ-WH"].reasons[3]


@pytest.mark.parametrize(
    ("snapshot", "cross_city", "level"),
    [
        ("S2", None, "standby"),
        ("S3", None, "3"),
        ("S4", None, "3"),
        ("S4", True, "2"),
        ("S5", None, "2"),
    ],
)
def test_the_suggested_level_follows_the_figures(
    snapshot: str, cross_city: bool | None, level: str
) -> None:
    """03:18 standby, 04:06 level three, 06:24 level two (three dead and across the border)."""
    found = _proposals(snapshot, cross_city=cross_city)["GD-YJ-WH"]
    assert found.suggested_level == ResponseLevel(level)


def test_a_higher_level_that_only_ignorance_keeps_open_is_said() -> None:
    """At three dead, whether the cloud crossed the border decides level two: ask for it."""
    found = _proposals("S4")["GD-YJ-WH"]
    assert [(t.level.value, t.unknown) for t in found.open_triggers] == [("2", ("cross_city",))]
    assert found.reasons[-1] == "二级响应条件待核：是否跨市不详"


def test_other_tiers_triggers_are_told_apart() -> None:
    """At 03:10 the county's level two holds while the province only stands by."""
    held = {(t.tier, t.level.value) for t in _proposals("S2")["GD-YJ-WH"].triggers}
    assert ("county", "2") in held
    assert ("city", "3") in held
    assert ("province", "3") not in held


def test_a_plan_that_fits_nothing_is_not_proposed() -> None:
    """Twenty points of a hundred are the least."""
    assert propose(Facts(event_type="other"), demo_plans()) == ()


@pytest.mark.parametrize(
    ("event_type", "code"),
    [
        ("environment", "GD-YJ-HJ"),
        ("earthquake", "GD-YJ-DZ"),
        ("flood", "GD-YJ-XF"),
        ("typhoon", "GD-YJ-XF"),
        ("forest_fire", "GD-YJ-SL"),
        ("mine", "GD-YJ-KS"),
        ("hazardous_chemical_leak", "GD-YJ-WH"),
    ],
)
def test_each_event_type_finds_its_plan(event_type: str, code: str) -> None:
    """The event type comes before the grade."""
    assert propose(Facts(event_type=event_type), demo_plans())[0].plan.code == code


def test_facts_keep_unknown_apart_from_zero() -> None:
    """Null is 不详, zero is zero, and true is no count."""
    casualties = {"deaths": None, "missing": 0, "trapped": True, "seen": "6"}
    facts = facts_from_incident({"casualties": casualties, "grade": None})
    assert (facts.deaths, facts.missing, facts.trapped, facts.seen) == (None, 0, None, None)
    assert facts.near_accident is None


@pytest.mark.parametrize(
    ("title", "chemical"),
    [("液氯泄漏", "氯"), ("氯化氢储罐泄漏", "氯化氢"), ("仓库火灾", None), ("LNG罐车", "天然气")],
)
def test_the_longest_chemical_name_wins(title: str, chemical: str | None) -> None:
    """氯化氢 is not chlorine."""
    assert facts_from_incident({"title": title}).chemical == chemical


def test_every_fact_and_level_has_its_word() -> None:
    """A missing word would fail in front of the operator."""
    for name in Facts.__dataclass_fields__:
        assert word("facts", name)
    for level in ResponseLevel:
        assert word("levels", level.value)
