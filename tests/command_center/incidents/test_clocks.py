"""The statutory countdowns, held against the story's times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from command_center.incidents.casualties import Casualties
from command_center.incidents.clocks import (
    Situation,
    minutes_late,
    rules,
    state_of,
    to_close,
    to_start,
)
from command_center.incidents.grade import Grade, judge, near_accident

DAY = datetime(2026, 11, 21, tzinfo=UTC)


def at(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


def situation(received: str, **figures: int) -> Situation:
    casualties = Casualties(**figures)
    return Situation(
        event_type="hazardous_chemicals",
        grade=judge("hazardous_chemicals", casualties).value,
        is_near_accident=bool(near_accident(casualties)),
        casualties=casualties,
        occurred_at=at("02:31"),
        received_at=at(received),
    )


def test_a_near_accident_without_casualties_starts_the_phone_flash() -> None:
    """Order 21: 较大涉险 starts the clock with no casualty at all (story R3, R8)."""
    starts = {
        s.rule.key: s for s in to_start(situation("03:06", endangered=31, evacuated=620), set())
    }
    assert starts["phone_flash_province"].due_at == at("04:06")
    assert starts["provincial_duty_phone"].due_at == at("03:36")
    assert starts["provincial_duty_written"].due_at == at("04:06")
    assert "city_to_province" not in starts


def test_an_upgrade_starts_its_clocks_when_the_facts_were_learnt() -> None:
    """Story R5: eleven diagnosed at 03:58 give the city until 05:58."""
    have = {s.rule.key for s in to_start(situation("03:06", endangered=31), set())}
    starts = {s.rule.key: s for s in to_start(situation("03:58", poisoned_diagnosed=11), have)}
    assert starts["city_to_province"].starts_at == at("03:58")
    assert starts["city_to_province"].due_at == at("05:58")
    assert "county_to_city" not in starts


def test_a_downward_correction_closes_what_the_higher_grade_had_started() -> None:
    """Story R7: the written clock to the state is closed by the correction at 09:48."""
    high = situation("09:20", deaths=3, poisoned_diagnosed=51)
    running = {s.rule.key for s in to_start(high, set())}
    closing = to_close(situation("09:48", deaths=3, poisoned_diagnosed=47), running)
    assert closing == {
        "province_to_state_phone",
        "province_to_state_written",
        "follow_up_twice_daily",
    }


def test_a_late_step_stays_late_after_it_was_done() -> None:
    """迟报 is an offence: doing it later does not make it green (story R5, 23 minutes)."""
    late = state_of(due_at=at("05:58"), done_at=at("06:21"), closed_at=None, now=at("09:00"))
    assert late == "late"
    assert minutes_late(at("05:58"), at("06:21")) == 23
    assert state_of(due_at=at("05:58"), done_at=at("05:58"), closed_at=None, now=at("09:00")) == (
        "done"
    )
    assert state_of(due_at=at("05:58"), done_at=None, closed_at=None, now=at("05:59")) == "late"


def test_major_accidents_are_followed_up_twice_a_day() -> None:
    """Order 21: once a day up to 较大, twice from 重大."""
    keys = {s.rule.key for s in to_start(situation("09:20", deaths=10), set())}
    assert "follow_up_twice_daily" in keys
    assert "follow_up_daily" not in keys


def test_every_rule_says_by_which_text_and_to_whom() -> None:
    """A countdown nobody can look up is an opinion."""
    assert len({rule.key for rule in rules()}) == len(rules())
    for rule in rules():
        assert rule.basis
        assert rule.to_whom
        assert rule.minutes > 0


def test_grades_are_ordered_by_rank() -> None:
    """Triggers compare ranks, not words."""
    assert [g.rank for g in Grade] == [1, 2, 3, 4]
