"""Grades by Order 493 and 较大涉险 by Order 21, on the edges of every limit and on the story."""

from __future__ import annotations

import pytest

from command_center.incidents.casualties import Casualties, brought_up_to_date, check, lowered
from command_center.incidents.errors import CasualtiesImpossibleError
from command_center.incidents.grade import Grade, judge, near_accident

CHEMICALS = "hazardous_chemicals"


@pytest.mark.parametrize(
    ("figures", "grade"),
    [
        ({"deaths": 2}, Grade.GENERAL),
        ({"deaths": 3}, Grade.LARGER),
        ({"deaths": 9}, Grade.LARGER),
        ({"deaths": 10}, Grade.MAJOR),
        ({"deaths": 29}, Grade.MAJOR),
        ({"deaths": 30}, Grade.EXTRAORDINARY),
        ({"serious_injuries": 9}, Grade.GENERAL),
        ({"serious_injuries": 10}, Grade.LARGER),
        ({"serious_injuries": 50}, Grade.MAJOR),
        ({"serious_injuries": 100}, Grade.EXTRAORDINARY),
        ({"direct_loss_wan": 999}, Grade.GENERAL),
        ({"direct_loss_wan": 1000}, Grade.LARGER),
        ({"direct_loss_wan": 5000}, Grade.MAJOR),
        ({"direct_loss_wan": 10000}, Grade.EXTRAORDINARY),
        ({"deaths": 0, "serious_injuries": 50, "direct_loss_wan": 1}, Grade.MAJOR),
    ],
)
def test_each_limit_includes_its_number_and_the_highest_wins(
    figures: dict[str, int], grade: Grade
) -> None:
    """以上 includes the number, 以下 excludes it: one off is another grade."""
    assert judge(CHEMICALS, Casualties(**figures)).value is grade


def test_only_diagnosed_poisoning_counts_as_serious_injury() -> None:
    """就诊 and 留观 are no diagnosis: 100 people seen do not make an accident larger."""
    assert judge(CHEMICALS, Casualties(deaths=0, seen=100, observed=90)).value is Grade.GENERAL
    assert judge(CHEMICALS, Casualties(serious_injuries=4, poisoned_diagnosed=6)).value is (
        Grade.LARGER
    )


def test_missing_people_are_not_deaths() -> None:
    """Order 493 counts deaths; plans that count the missing too say so in their own triggers."""
    assert judge(CHEMICALS, Casualties(deaths=2, missing=28)).value is Grade.GENERAL


def test_nothing_known_is_no_grade_and_unknown_is_not_zero() -> None:
    """A grade from no figures would be a guess; one from some is marked provisional."""
    assert judge(CHEMICALS, Casualties(seen=6, evacuated=120)).value is None
    provisional = judge(CHEMICALS, Casualties(deaths=0, missing=2, poisoned_diagnosed=0))
    assert provisional.value is Grade.GENERAL
    assert provisional.is_provisional
    assert provisional.label == "一般（拟）"


def test_floods_and_pollution_are_outside_the_order() -> None:
    """The event type comes first (GB/T 35561): 30 deaths in a flood are not graded by Order 493."""
    assert judge("flood", Casualties(deaths=30)).value is None


def test_near_accident_needs_no_casualty() -> None:
    """Order 21: ten endangered, three trapped or missing, or five hundred evacuated are enough."""
    assert near_accident(Casualties(endangered=9, trapped=1, missing=1, evacuated=499)) == []
    assert near_accident(Casualties(endangered=31, evacuated=620)) == ["涉险31≥10", "疏散620≥500"]
    assert len(near_accident(Casualties(trapped=1, missing=2))) == 1


STORY = [
    (Casualties(seen=6, evacuated=120), None),
    (
        Casualties(
            deaths=0, missing=2, poisoned_diagnosed=0, observed=6, seen=6, evacuated=620,
            endangered=31,
        ),
        Grade.GENERAL,
    ),
    (Casualties(deaths=0, missing=2, poisoned_diagnosed=11, observed=9, seen=27), Grade.LARGER),
    (Casualties(deaths=3, missing=0, poisoned_diagnosed=18, direct_loss_wan=900), Grade.LARGER),
    (Casualties(deaths=3, poisoned_diagnosed=51, direct_loss_wan=1400), Grade.MAJOR),
    (Casualties(deaths=3, poisoned_diagnosed=47, direct_loss_wan=1400), Grade.LARGER),
    (Casualties(deaths=3, poisoned_diagnosed=47, direct_loss_wan=1860), Grade.LARGER),
    (Casualties(deaths=4, poisoned_diagnosed=46, direct_loss_wan=1860), Grade.LARGER),
]  # fmt: skip


def test_the_demo_accident_goes_through_its_eight_judgements() -> None:
    """The story's history of grades, which the console and the drill replay."""
    assert [judge(CHEMICALS, figures).value for figures, _ in STORY] == [g for _, g in STORY]


@pytest.mark.parametrize(
    ("figures", "rule"),
    [
        ({"deaths": -1}, "negative"),
        ({"deaths": 10**9}, "beyond_measure"),
        ({"direct_loss_wan": 10**12}, "beyond_measure"),
        ({"deaths": 5, "endangered": 3}, "exceeds_endangered"),
        ({"observed": 7, "seen": 6}, "exceeds_seen"),
    ],
)
def test_impossible_figures_are_refused(figures: dict[str, int], rule: str) -> None:
    """One wrong digit in the night must not become the province's grade."""
    with pytest.raises(CasualtiesImpossibleError) as caught:
        check(Casualties(**figures))
    assert caught.value.fields["rule"] == rule


def test_figures_that_are_still_pending_may_contradict() -> None:
    """Two hospitals that have not agreed yet must not stop the report."""
    check(Casualties(observed=7, seen=6), pending=["seen"])


def test_a_downward_correction_names_each_figure() -> None:
    """The timeline says what went down; a figure that became known did not go down."""
    before, after = (
        Casualties(deaths=3, poisoned_diagnosed=51),
        Casualties(deaths=3, poisoned_diagnosed=47, missing=0),
    )
    assert lowered(before, after) == {"poisoned_diagnosed": (51, 47)}


def test_a_follow_up_that_does_not_know_a_figure_leaves_it() -> None:
    """不详 in the second call is no news; only 待核 takes a figure back."""
    before = Casualties(deaths=3, seen=27)
    assert brought_up_to_date(before, Casualties(seen=30)) == Casualties(deaths=3, seen=30)
    assert brought_up_to_date(before, Casualties(), ["deaths"]) == Casualties(seen=27)
